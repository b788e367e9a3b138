"""A plain TCP balancer: it passes bytes on to replicas that say they are ready, and knows nothing of HTTP in them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import aiohttp

from tests.system.held_port import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

PERIOD_SECONDS: Final = 0.1
"""From one look at each replica to the next."""

_LOOK_SECONDS: Final = aiohttp.ClientTimeout(total=1.0)
_PIECE: Final = 64 * 1024


class Balancer:
    """Passes each connection to the next replica that was ready when it was last looked at."""

    def __init__(self, replicas: Sequence[int]) -> None:
        """Serve for replicas on these ports of the loopback interface."""
        self._replicas = tuple(replicas)
        self._ready: frozenset[int] = frozenset()
        self._turn = 0
        self._looked = asyncio.Condition()

    async def ready(self, *replicas: int) -> None:
        """Wait until it has seen that they are."""
        async with self._looked:
            await self._looked.wait_for(lambda: self._ready.issuperset(replicas))

    async def watch(self) -> None:
        """Look at ``/-/ready`` of each replica, again and again, over a connection for each look."""
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True), timeout=_LOOK_SECONDS
        ) as client:
            while True:
                looks = await asyncio.gather(*(_is_ready(client, replica) for replica in self._replicas))
                async with self._looked:
                    self._ready = frozenset(
                        replica for replica, ready in zip(self._replicas, looks, strict=True) if ready
                    )
                    self._looked.notify_all()
                await asyncio.sleep(PERIOD_SECONDS)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes over a connection, both ways; where no replica can be reached it is closed."""
        with suppress(OSError):
            if replica := self._next():
                inner_reader, inner_writer = await asyncio.open_connection(LOOPBACK, replica)
                await asyncio.gather(_pass_on(reader, inner_writer), _pass_on(inner_reader, writer))
        writer.close()

    def _next(self) -> int | None:
        ready = [replica for replica in self._replicas if replica in self._ready]
        self._turn += 1
        return ready[self._turn % len(ready)] if ready else None


@asynccontextmanager
async def balancing(*replicas: int) -> AsyncIterator[tuple[Balancer, int]]:
    """Run a balancer in front of replicas on these ports; yields it and its own port."""
    balancer = Balancer(replicas)
    server = await asyncio.start_server(balancer.serve, LOOPBACK, 0)
    watching = asyncio.create_task(balancer.watch())
    try:
        async with server:
            yield balancer, server.sockets[0].getsockname()[1]
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _is_ready(client: aiohttp.ClientSession, replica: int) -> bool:
    try:
        async with client.get(f"http://{LOOPBACK}:{replica}/-/ready") as response:
            return response.ok
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until there are no more; then the other side has the end of them, too."""
    try:
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
    except OSError:
        writer.transport.abort()
    finally:
        writer.close()
