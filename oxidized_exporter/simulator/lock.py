"""The one lock of a daemon, and how long a fetch holds it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

    from oxidized_exporter.simulator.connection import HeldConnections


class DaemonLock:
    """Serves fetches one at a time, and lets the node list wait for them.

    Args:
        fetch_seconds: how long each fetch holds it, in seconds of the event loop.
        held: whose end cuts a fetch short.
    """

    def __init__(self, fetch_seconds: float, held: HeldConnections) -> None:
        self._seconds = fetch_seconds
        self._held = held
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def taken(self, request: web.Request) -> AsyncIterator[None]:
        """Hold it for what takes no time; the connection is among the held ones. Cancelling ends the wait for it."""
        # Held for no time it is always free.
        if not self._seconds:
            yield
            return
        with self._held.hold(request):
            async with self._lock:
                yield

    async def taken_for_fetch(self, request: web.Request) -> None:
        """Hold it for as long as a fetch takes. A client that leaves does not end that, nor its place in the queue."""
        async with self.taken(request):
            await self._held.pause(self._seconds)
