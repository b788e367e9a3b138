"""Clients that behave badly: they hang up before the answer, or in it, read slowly, or never end their request."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections import Counter
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from itertools import cycle
from typing import TYPE_CHECKING, Final

from tests.harness import let_closing_reset
from tests.soak.plan import name_of
from tests.soak.scraper import HEADERS, TIMEOUT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.soak.plan import Setup

_PIECE: Final = 4096
_BETWEEN_PIECES: Final = 0.05  # so that an answer takes seconds
_BEFORE_LEAVING: Final = 0.01


class Manner(StrEnum):
    """In which way a client behaves badly."""

    LEAVES = "hang up before the answer"
    LEAVES_IN_ANSWER = "hang up in the answer"
    READS_SLOWLY = "read slowly"
    NEVER_ENDS = "never end their request"


class Rough:
    """Lets one such client after the other come.

    Their probes are of a module of their own, so that no scrape is shared with them, with the faults that it has met.

    Args:
        address: host and port of the exporter.
        setup: what is run.
        first: when it begins, on the clock of `time.monotonic`.
    """

    def __init__(self, *, address: str, setup: Setup, first: float) -> None:
        self.came: Counter[Manner] = Counter()
        self._address = address
        self._setup = setup
        self._first = first

    async def come(self) -> None:
        """Return when the time is over and the last one has gone."""
        rng = random.Random(self._setup.seed)  # noqa: S311 - whom they ask for
        end, manners = self._first + self._setup.seconds, cycle(Manner)
        async with asyncio.TaskGroup() as group:
            while time.monotonic() + self._setup.rough < end:
                await asyncio.sleep(self._setup.rough)
                group.create_task(self._behave(next(manners), name_of(rng.randrange(self._setup.instances))))

    async def _behave(self, manner: Manner, target: str) -> None:
        self.came[manner] += 1
        lines = [
            f"GET /probe?target={target}&module=rough HTTP/1.1",
            f"Host: {self._address}",
            "Connection: close",
            f"{TIMEOUT}: {self._setup.timeout}",
            *(f"{name}: {value}" for name, value in HEADERS.items()),
        ]
        request = "\r\n".join([*lines, "", ""]).encode()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._setup.interval), self._connection() as connection:
                await _behave(connection, manner, request)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[socket.socket]:
        host, _, port = self._address.rpartition(":")
        with socket.socket() as connection:
            connection.setblocking(False)  # noqa: FBT003 - the socket's own interface
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _PIECE)
            await asyncio.get_running_loop().sock_connect(connection, (host, int(port)))
            yield connection


async def _behave(connection: socket.socket, manner: Manner, request: bytes) -> None:
    loop = asyncio.get_running_loop()
    if manner is Manner.NEVER_ENDS:
        await loop.sock_sendall(connection, request[:-2])
        await loop.sock_recv(connection, _PIECE)  # until the exporter has had enough
        return
    await loop.sock_sendall(connection, request)
    if manner is Manner.READS_SLOWLY:
        while await loop.sock_recv(connection, _PIECE):  # noqa: ASYNC110 - it reads, and waits for nothing
            await asyncio.sleep(_BETWEEN_PIECES)
        return
    if manner is Manner.LEAVES:
        await asyncio.sleep(_BEFORE_LEAVING)
    else:
        await loop.sock_recv(connection, _PIECE)
    let_closing_reset(connection)
