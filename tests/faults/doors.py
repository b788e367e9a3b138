"""Ports that let through to an Oxidized, or do otherwise: whatever goes wrong below HTTP, and raw bytes of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.harness import let_closing_reset
from tests.system.held_port import LOOPBACK, held_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_QUEUE: Final = 64
_HEAD_BYTES: Final = 1024 * 1024
_PIECE_BYTES: Final = 64 * 1024
_FOR_EVER_SECONDS: Final = 3600.0
_FILLERS: Final = 4  # a queue of none takes one connection or two


@dataclass(frozen=True, slots=True)
class Visit:
    """A connection that was accepted.

    Attributes:
        number: counted from 0.
        reader: what comes over it.
        writer: what goes.
        path: that is asked for, where a request was read.
        right: the body that an Oxidized answers that with.
    """

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    path: str = ""
    right: bytes = b""

    async def left(self) -> None:
        """Return when the other side has gone, whatever it still sends."""
        while await self.reader.read(_PIECE_BYTES):
            pass

    def reset(self) -> None:
        """End it without a farewell."""
        let_closing_reset(self.writer.get_extra_info("socket"))
        self.writer.transport.abort()


Talk = Callable[[Visit], Awaitable[None]]
"""What is done with a connection, which is closed behind it."""
Pump = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Carries what comes here to where it is to go."""


@asynccontextmanager
async def door(
    talk: Talk,
    *,
    shuts_after: int | None = None,
    deaf_after: int | None = None,
    deaf_seconds: float | None = None,
) -> AsyncIterator[int]:
    """Accept connections on a free port, which it yields; at the end all of them are dropped.

    Args:
        talk: what is done with each.
        shuts_after: so many connections nobody listens any more; the port is kept from others.
        deaf_after: so many connections the kernel's queue is full, and no connection is made.
        deaf_seconds: for so long; None for ever.
    """
    visits: set[asyncio.Task[None]] = set()
    with held_port() as port, socket.socket() as listener, closing(_Fillers()) as fillers:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)  # noqa: FBT003 - the standard library's signature
        listener.bind((LOOPBACK, port))
        listener.listen(_QUEUE if deaf_after is None else 0)

        async def visit(number: int, connection: socket.socket) -> None:
            reader, writer = await asyncio.open_connection(sock=connection, limit=_HEAD_BYTES)
            try:
                with suppress(OSError, asyncio.IncompleteReadError):
                    await talk(Visit(number, reader, writer))
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

        async def accept() -> None:
            loop = asyncio.get_running_loop()
            number = 0
            while True:
                if number == deaf_after:
                    fillers.fill(port)
                    await asyncio.sleep(_FOR_EVER_SECONDS if deaf_seconds is None else deaf_seconds)
                    fillers.close()
                if number == shuts_after:
                    listener.close()
                    return
                connection, _ = await loop.sock_accept(listener)
                visits.add(asyncio.create_task(visit(number, connection)))
                number += 1

        accepting = asyncio.create_task(accept())
        try:
            await asyncio.sleep(0)
            yield port
        finally:
            for task in (accepting, *visits):
                task.cancel()
            await asyncio.gather(accepting, *visits, return_exceptions=True)


class _Fillers:
    """Connections that nobody accepts, and that take up all the places of a queue."""

    def __init__(self) -> None:
        self._sockets = [socket.socket() for _ in range(_FILLERS)]  # there from the start, since files are counted

    def fill(self, port: int) -> None:
        for filler in self._sockets:
            filler.setblocking(False)  # noqa: FBT003 - the standard library's signature
            filler.connect_ex((LOOPBACK, port))

    def close(self) -> None:
        for filler in self._sockets:
            filler.close()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes until there are no more."""
    while piece := await reader.read(_PIECE_BYTES):
        writer.write(piece)
        await writer.drain()


async def a_byte_a_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry one byte at a time."""
    while piece := await reader.read(1):
        writer.write(piece)
        await asyncio.sleep(1)


def the_first(count: int, *, then_stuck: bool) -> Pump:
    """Carry so many bytes, and then nothing, or the end."""

    async def some(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(count))
        await writer.drain()
        while then_stuck and await reader.read(_PIECE_BYTES):
            pass
        if then_stuck:
            await asyncio.Event().wait()

    return some


async def relay(visit: Visit, port: int, *, first: bytes = b"", answers: Pump = pump) -> None:
    """Let a connection through to another port until either side ends it.

    Args:
        visit: whom.
        port: where to.
        first: what has been read of it.
        answers: carries what comes back.
    """
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(first)
    ways = {asyncio.ensure_future(pump(visit.reader, writer)), asyncio.ensure_future(answers(reader, visit.writer))}
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
