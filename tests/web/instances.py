"""Simulated instances of Oxidized whose time, and whose answers where that is wanted, wait for a test."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from oxidized_exporter.config import Check, Config, Configs, Module
from oxidized_exporter.simulator import (
    HELD,
    REQUESTS,
    Daemon,
    Device,
    ManualClock,
    Output,
    create_app,
    rack_path,
)
from oxidized_exporter.simulator.connection import client_leaves
from tests.harness import Exposition, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aiohttp.typedefs import Handler

    from tests.harness import Probing

LONG: Final = 6000.0  # after which every device has had two jobs, and none is due for twenty minutes
ALL: Final = ("nodes", "configs", "stats")
_BEFORE_FAULTS: Final = 1  # of the middlewares, and behind the one that notes what is asked


class Gate:
    """While it is shut, requests of some paths wait before they meet a fault or are answered, or until they leave."""

    def __init__(self) -> None:
        self._shut: tuple[str, ...] = ()
        self._waiting: set[asyncio.Task[None]] = set()

    def shut(self, *paths: str) -> None:
        """Let requests wait whose path begins with one of these."""
        self._shut = paths

    def open(self) -> None:
        """Let go on who waits, and who comes."""
        self._shut = ()
        for waiting in self._waiting:
            waiting.cancel()

    @web.middleware
    async def pass_through(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(self._shut):
            waiting = asyncio.create_task(client_leaves(request))
            self._waiting.add(waiting)
            with request.app[HELD].hold(request):
                await asyncio.wait({waiting})
            self._waiting.discard(waiting)
        return await handler(request)


@dataclass
class Instance:
    """A simulated Oxidized whose time stands still until it is told to go on."""

    daemon: Daemon
    clock: ManualClock
    app: web.Application
    gate: Gate
    url: str

    def asked(self) -> list[str]:
        """Return what was asked since the last look, as Rack reads it."""
        seen = [rack_path(path) for path in self.app[REQUESTS]]
        self.app[REQUESTS].clear()
        return seen

    def run_all(self) -> None:
        """Let every device have a job."""
        self.clock.advance(LONG)

    async def held(self, count: int) -> None:
        """Return once so many requests wait at the gate, or hang."""
        async with asyncio.timeout(10):
            await self.app[HELD].count_is(count)


@asynccontextmanager
async def instance(*devices: Device, output: Output = Output.GIT, **settings: Any) -> AsyncIterator[Instance]:
    clock = ManualClock()
    daemon = Daemon(devices, clock=clock, output=output, retries=0)
    clock.advance(LONG)
    app, gate = create_app(daemon, **settings), Gate()
    app.middlewares.insert(_BEFORE_FAULTS, gate.pass_through)
    async with running(app) as url:
        yield Instance(daemon, clock, app, gate, url)


def switches(count: int, **settings: Any) -> tuple[Device, ...]:
    return tuple(Device(name=f"sw{number}", group="access", **settings) for number in range(count))


def configuring(*collectors: Any, concurrency: int = 2, remember: int = 1000, **checks: Check) -> Config:
    module = Module(
        name="default",
        collectors=collectors or ("nodes", "configs"),
        configs=Configs(concurrency=concurrency, remember=remember, checks=checks),
    )
    return Config(modules={"default": module})


def sizes(answer: Exposition) -> Mapping[str, float]:
    return {labels["full_name"]: value for labels, value in answer.all("oxidized_device_config_size")}


def successes(answer: Exposition) -> Mapping[str, float]:
    return {labels["collector"]: value for labels, value in answer.all("oxidized_collector_success")}


async def own_metrics(exporter: Probing) -> Exposition:
    return Exposition.parse(await (await exporter.get("/metrics")).text())


async def in_flight(exporter: Probing, count: int) -> None:
    """Return once so many probes are being answered."""
    async with asyncio.timeout(10):
        while (await own_metrics(exporter)).value("oxidized_exporter_probes_in_flight") != count:
            pass
