"""Connections below HTTP: raw bytes, resets, and waiting for the client to leave."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web

# struct linger: on, zero seconds. Closing then sends RST in place of FIN.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class HeldConnections:
    """The connections whose handlers wait on purpose; letting go of them ends the handlers."""

    def __init__(self) -> None:
        self._held: set[asyncio.Transport] = set()
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()

    def __len__(self) -> int:
        return len(self._held)

    async def count_is(self, count: int) -> None:
        """Return as soon as `count` connections are held. May be cancelled."""
        while len(self._held) != count:
            self._changed.clear()
            await self._changed.wait()

    @contextmanager
    def hold(self, request: web.Request) -> Iterator[None]:
        """Count the request's connection among those that `let_go` cuts."""
        transport = request.transport
        if transport is None:
            yield
            return
        self._held.add(transport)
        self._changed.set()
        if self._stopping.is_set():
            transport.abort()
        try:
            yield
        finally:
            self._held.discard(transport)
            self._changed.set()

    async def pause(self, seconds: float) -> None:
        """Return after so many seconds, or as soon as all are let go. The client's leaving ends it no sooner."""
        if not seconds:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def let_go(self) -> None:
        """Cut every connection held now or later: a server that stops must not wait for them."""
        self._stopping.set()
        for transport in self._held:
            transport.abort()


async def client_leaves(request: web.Request) -> None:
    """Return when the request's connection is gone, however that comes about.

    aiohttp tells a handler nothing about a client that left, so the connection's events are listened to.
    May be cancelled.
    """
    transport = request.transport
    if transport is None:
        return
    listener = _Listener(request.protocol)
    transport.set_protocol(listener)
    try:
        await listener.gone.wait()
    finally:
        transport.set_protocol(request.protocol)


def write_and_close(request: web.Request, data: bytes) -> None:
    """Send these bytes and nothing more, then close cleanly."""
    if request.transport is not None:
        request.transport.write(data)
        request.transport.close()


def write_and_reset(request: web.Request, data: bytes) -> None:
    """Send what the socket takes of these bytes, then reset the connection."""
    transport = request.transport
    if transport is None:
        return
    transport.write(data)
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


class _Listener(asyncio.Protocol):
    """Passes a connection's events on, and notes its end."""

    def __init__(self, listened_to: asyncio.Protocol) -> None:
        self.gone = asyncio.Event()
        self._listened_to = listened_to

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()
        self._listened_to.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._listened_to.data_received(data)

    def eof_received(self) -> bool | None:
        return self._listened_to.eof_received()

    def pause_writing(self) -> None:
        self._listened_to.pause_writing()

    def resume_writing(self) -> None:
        self._listened_to.resume_writing()
