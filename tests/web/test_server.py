from __future__ import annotations

import socket

import pytest
from aiohttp import web

from oxidized_exporter.errors import ListenError
from oxidized_exporter.web.listen_address import ListenAddress, parse_listen_address
from oxidized_exporter.web.server import Server


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


@pytest.mark.parametrize("host", ["a..b", ".", "a" * 70])
async def test_a_host_that_is_no_name_is_one_clear_line(host: str) -> None:
    server = Server(web.Application(), addresses=(ListenAddress(host, 0),))
    with pytest.raises(ListenError, match=r"cannot listen on .*: the host is no name"):
        await server.start()


async def test_a_taken_port_is_one_clear_line_and_leaves_nothing_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = Server(web.Application(), addresses=(ListenAddress("127.0.0.1", 0), ListenAddress("127.0.0.1", port)))
        with pytest.raises(ListenError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
            await server.start()
    assert server.ports == ()
