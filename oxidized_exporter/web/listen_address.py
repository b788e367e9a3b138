"""Where to listen, as flags and variables say it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from oxidized_exporter.errors import ListenError

DEFAULT_PORT: Final = 10888
_ADDRESS: Final = re.compile(r"(?:\[(?P<ipv6>[^\[\]]*)\]|(?P<host>[^\[\]:]*)):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where to listen; ``host`` is None for every interface, ``port`` 0 for a free one."""

    host: str | None
    port: int

    def __str__(self) -> str:
        """Return ``host:port`` as in a flag."""
        host = self.host or ""
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


def parse_listen_address(text: str) -> ListenAddress:
    """Read ``:10888``, ``127.0.0.1:10888``, ``localhost:0`` or ``[::1]:10888``.

    Raises:
        ListenError: it is none of these.
    """
    matched = _ADDRESS.fullmatch(text)
    if not matched or int(matched["port"]) > 65535:  # noqa: PLR2004 - the range of a TCP port
        raise ListenError(f"{text!r} is no listen address; write :{DEFAULT_PORT}, 127.0.0.1:0 or [::1]:{DEFAULT_PORT}")
    if matched["ipv6"] is not None:
        try:
            ipaddress.IPv6Address(matched["ipv6"])
        except ipaddress.AddressValueError:
            raise ListenError(f"{text!r} has no IPv6 address between its brackets") from None
    return ListenAddress(host=matched["ipv6"] or matched["host"] or None, port=int(matched["port"]))
