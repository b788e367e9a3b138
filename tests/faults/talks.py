"""What is done with a connection, which is closed behind it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.doors import Talk, Visit


async def never(visit: Visit) -> None:
    """Be wrong, since no connection comes so far."""
    raise AssertionError(f"connection {visit.number} came")


async def resets(visit: Visit) -> None:
    """End it without a word or a farewell."""
    visit.reset()


def says(make: Callable[[Visit], bytes] | bytes) -> Talk:
    """Say this."""

    async def talk(visit: Visit) -> None:
        visit.writer.write(make if isinstance(make, bytes) else make(visit))
        await visit.writer.drain()

    return talk


def says_and_waits(text: bytes) -> Talk:
    """Say this, and nothing more until the other side leaves."""

    async def talk(visit: Visit) -> None:
        visit.writer.write(text)
        await visit.left()

    return talk


def says_slowly(make: Callable[[Visit], bytes] | bytes, *, at_once: bytes = b"") -> Talk:
    """Say one byte a second, until the other side leaves."""

    async def talk(visit: Visit) -> None:
        visit.writer.write(at_once)
        for byte in make if isinstance(make, bytes) else make(visit):
            visit.writer.write(bytes([byte]))
            try:
                await asyncio.wait_for(visit.left(), 1)
            except TimeoutError:
                continue
            return

    return talk


def says_without_end(text: bytes, piece: bytes) -> Talk:
    """Say this, and then the piece again and again, as fast as it is taken."""

    async def talk(visit: Visit) -> None:
        visit.writer.write(text)
        while True:
            visit.writer.write(piece)
            await visit.writer.drain()

    return talk
