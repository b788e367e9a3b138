from __future__ import annotations

import pytest

from oxidized_exporter.errors import ListenError
from oxidized_exporter.web.server import ListenAddress, parse_listen_address


@pytest.mark.parametrize(
    "text,host,port",
    [
        (":10888", None, 10888),
        ("127.0.0.1:0", "127.0.0.1", 0),
        ("localhost:65535", "localhost", 65535),
        ("[::1]:10888", "::1", 10888),
        ("[::]:1", "::", 1),
    ],
)
def test_listen_addresses(text: str, host: str | None, port: int) -> None:
    address = parse_listen_address(text)
    assert address == ListenAddress(host=host, port=port)
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", "10888", "host", "host:", "host:x", ":65536", "::1:80", "[::1]", "[x]:80", "[]:80"]
)
def test_what_is_no_listen_address(text: str) -> None:
    with pytest.raises(ListenError):
        parse_listen_address(text)
