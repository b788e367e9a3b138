"""A port that belongs to a test while what listens on it comes and goes."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK: Final = "127.0.0.1"


class HeldPort:
    """A free port of the loopback interface, which nobody else gets until it is given up.

    Nor is it taken for the client's end of a connection: one that is made to a port on which nobody listens could
    otherwise reach itself.
    """

    def __init__(self) -> None:
        # Never listens; with this option a server's own socket may be bound beside it.
        self._held = socket.socket()
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._held.bind((LOOPBACK, 0))

    @property
    def number(self) -> int:
        number: int = self._held.getsockname()[1]
        return number

    def give_up(self) -> None:
        self._held.close()


@contextmanager
def held_port() -> Iterator[int]:
    """Hold a port for a while."""
    port = HeldPort()
    try:
        yield port.number
    finally:
        port.give_up()
