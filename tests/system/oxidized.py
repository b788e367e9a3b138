"""Simulated Oxidized instances on real ports."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from oxidized_exporter.simulator import Daemon, create_app
from tests.system.held_port import LOOPBACK, HeldPort
from tests.system.program import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp.typedefs import Handler, Middleware

    from oxidized_exporter.simulator import Device

_UP_SECONDS = 7200.0  # so that every device has had its jobs


class Gate:
    """Holds every request until it is opened."""

    def __init__(self) -> None:
        self._arrived = asyncio.Semaphore(0)
        self._opened = asyncio.Event()

    @web.middleware
    async def hold(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._arrived.release()
        await self._opened.wait()
        return await handler(request)

    async def arrivals(self, count: int) -> None:
        """Wait until so many more requests have come."""
        async with asyncio.timeout(PATIENCE):
            for _ in range(count):
                await self._arrived.acquire()

    def open(self) -> None:
        self._opened.set()


class Instance:
    """A simulated Oxidized that can be stopped and started again on the same port, which nobody else gets meanwhile."""

    def __init__(self, *devices: Device, middleware: Middleware | None = None) -> None:
        self._daemon = Daemon(devices, started=time.time() - _UP_SECONDS)
        self._middlewares = () if middleware is None else (middleware,)
        self._runner: web.AppRunner | None = None
        self._held = HeldPort()
        self.url = f"http://{LOOPBACK}:{self.port}"

    @property
    def port(self) -> int:
        return self._held.number

    async def start(self) -> None:
        app = create_app(self._daemon)
        app.middlewares.extend(self._middlewares)
        # What is held at the gate ends when its client has left, or at a stop.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def give_up_port(self) -> None:
        self._held.give_up()


@asynccontextmanager
async def simulated(*devices: Device, middleware: Middleware | None = None) -> AsyncIterator[Instance]:
    """Run an instance; stopped where the test has not done it."""
    instance = Instance(*devices, middleware=middleware)
    try:
        await instance.start()
        yield instance
    finally:
        await instance.stop()
        instance.give_up_port()
