"""The faults of those who ask: of one kind each, while somebody else asks for a healthy target."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tests.faults.cells import Kind
from tests.faults.oxidized import PATHS
from tests.system.held_port import LOOPBACK

_MANY: Final = 50
_MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who asks.

    Attributes:
        port: of the exporter.
        stuck: URL of a target that never answers the path below.
        large: URL of one with many devices.
        reached: set as soon as somebody has asked for that path.
    """

    port: int
    stuck: str
    large: str
    reached: asyncio.Event


Act = Callable[[Caller, "Connected"], Awaitable[bytes]]
"""Uses a connection, and returns how its answer begins; the connection is dropped behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A connection to the exporter."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class CallersFault:
    """What callers do.

    Attributes:
        kind: of fault.
        what: they do.
        says: what becomes of it, for the page.
        act: does it, with one connection.
        answer: how what the exporter answers begins; nothing where it does not.
        path: of what is asked of Oxidized, and never answered.
        count: how many do it at the same time.
    """

    kind: Kind
    what: str
    says: str
    act: Act
    answer: bytes = b""
    path: str = PATHS["nodes"]
    count: int = 1


def _head(query: str, *, seconds: float = 30.0) -> bytes:
    lines = (f"GET /probe?target={query} HTTP/1.1", "Host: x", f"X-Prometheus-Scrape-Timeout-Seconds: {seconds}")
    return "".join(f"{line}\r\n" for line in lines).encode()


async def _nothing(_: Caller, __: Connected) -> bytes:
    return b""


async def _slowly(caller: Caller, connected: Connected) -> bytes:
    """Send a byte at each turn of the loop, but not all."""
    for byte in _head(caller.stuck):
        connected.writer.write(bytes([byte]))
        await asyncio.sleep(0)
    return b""


async def _half_a_head(caller: Caller, connected: Connected) -> bytes:
    connected.writer.write(_head(caller.stuck))
    return b""


async def _hang_up(caller: Caller, connected: Connected) -> bytes:
    """Ask, and leave once Oxidized has been asked."""
    connected.writer.write(_head(caller.stuck) + b"\r\n")
    await caller.reached.wait()
    return b""


async def _hang_up_in_the_answer(caller: Caller, connected: Connected) -> bytes:
    connected.writer.write(_head(f"{caller.large}&collect[]=nodes") + b"\r\n")
    return await connected.reader.readexactly(len(_OK))


async def _other_protocol(_: Caller, connected: Connected) -> bytes:
    connected.writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 EHLO\r\n\r\n")
    return await connected.reader.read(len(_BAD))


async def _endless_head(caller: Caller, connected: Connected) -> bytes:
    with suppress(ConnectionError):
        connected.writer.write(_head(caller.stuck) + b"X-Header: " + b"x" * _MEBIBYTE)
        await connected.writer.drain()
    return await connected.reader.read(len(_BAD))


async def _pipeline(caller: Caller, connected: Connected) -> bytes:
    """Ask a thousand times over without reading an answer, and leave.

    The exporter does not look at the connection while so much that was asked waits: it is held to the deadline.
    """
    connected.writer.write((_head(caller.stuck, seconds=0.5) + b"\r\n") * 1000)
    await caller.reached.wait()
    return b""


_OK: Final = b"HTTP/1.1 200"
_BAD: Final = b"HTTP/1.0 400"  # in the version of what was not understood

CALLERS_FAULTS: Final = (
    CallersFault(kind=Kind.ABSENT, what="say nothing", says="waited for", act=_nothing, count=_MANY),
    CallersFault(kind=Kind.SLOW, what="send their headers byte by byte", says="waited for", act=_slowly, count=_MANY),
    CallersFault(kind=Kind.STUCK, what="send half of their headers", says="waited for", act=_half_a_head, count=_MANY),
    *(
        CallersFault(
            kind=Kind.CUT,
            what=f"hang up while {collector} are asked for",
            says="given up",
            act=_hang_up,
            path=path,
        )
        for collector, path in PATHS.items()
    ),
    CallersFault(
        kind=Kind.CUT,
        what="hang up in the middle of the answer",
        says="given up",
        act=_hang_up_in_the_answer,
        answer=_OK,
    ),
    CallersFault(kind=Kind.WRONG, what="speak another protocol", says="400", act=_other_protocol, answer=_BAD),
    CallersFault(kind=Kind.HUGE, what="send a header of 1 MiB", says="400", act=_endless_head, answer=_BAD),
    CallersFault(
        kind=Kind.HOSTILE,
        what="ask a thousand times without reading an answer, and hang up",
        says="given up",
        act=_pipeline,
    ),
)


async def use(fault: CallersFault, caller: Caller, done: asyncio.Event) -> None:
    """Do it over one connection, which is held until ``done``."""
    reader, writer = await asyncio.open_connection(LOOPBACK, caller.port)
    try:
        answer = await fault.act(caller, Connected(reader=reader, writer=writer))
        assert answer == fault.answer, answer
        if fault.kind not in {Kind.CUT, Kind.HOSTILE}:
            await done.wait()
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()
