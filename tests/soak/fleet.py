"""The simulated instances, all in one process of their own, each on a port of its own; they die and return as told.

``python -m tests.soak.fleet INSTANCES DEVICES`` prints its ports as a JSON list once all of them listen: first the one
where it is told when who dies (`PUT /outages`) and asked what an instance has said (`GET /truth/NUMBER`), then those of
the instances.
"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web

from oxidized_exporter.simulator import FAULTS, Daemon, Fault, create_app, fleet
from tests.soak.answer import Nodes, Truth
from tests.soak.plan import Death, Outage
from tests.system.held_port import LOOPBACK, HeldPort

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from oxidized_exporter.simulator import NodeState, NodeStats

_FAILING: Final = 0.02
_INTERVAL: Final = 3600.0  # Oxidized's usual one
_HISTORY_SECONDS: Final = 2 * _INTERVAL
_SAID: Final = 8  # more than the answers of an instance while one probe of it runs
_PAGES: Final = ("/nodes.json", "/nodes/stats")
_FAULTS: Final = {
    Death.HANG: Fault.HANG_BEFORE_HEADERS,
    Death.BAD_GATEWAY: Fault.BAD_GATEWAY,
    Death.RESET: Fault.RESET,
}


class Outages(msgspec.Struct):
    """Who dies when, and when the first scrape is on the clock that `time.monotonic` of this machine reads."""

    first: float
    planned: tuple[Outage, ...]


class _Daemon(Daemon):
    """Notes what it says."""

    def __init__(self, number: int, devices: int) -> None:
        ago = _HISTORY_SECONDS + random.Random(number).uniform(0, _INTERVAL)  # noqa: S311 - not all have jobs at once
        super().__init__(fleet(devices, seed=number, failing=_FAILING), started=time.time() - ago, interval=_INTERVAL)
        self._nodes: deque[Nodes] = deque(maxlen=_SAID)
        self._jobs: deque[int] = deque(maxlen=_SAID)
        stored = [self.fetch(node.device.name, node.device.group) for node in super().nodes() if node.mtime]
        self._bytes = sum(map(len, filter(None, stored)))

    def nodes(self) -> tuple[NodeState, ...]:
        said = super().nodes()
        ends = [node.last.end for node in said if node.last]
        counted = dict(Counter(node.status for node in said))
        self._nodes.append(Nodes(by_status=counted, newest=int(max(ends)) if ends else None))
        return said

    def stats(self) -> dict[str, NodeStats]:
        said = super().stats()
        self._jobs.append(sum(stats.runs for stats in said.values()))
        return said

    @property
    def is_quiet(self) -> bool:
        """Whether nothing has happened since it was last asked."""
        return time.time() < self._next_event()

    @property
    def truth(self) -> Truth:
        return Truth(nodes=tuple(self._nodes), jobs=tuple(self._jobs), config_bytes=self._bytes)


class _Instance:
    """One Oxidized on a port that nobody else gets while it is dead."""

    def __init__(self, daemon: _Daemon) -> None:
        self.daemon = daemon
        self._said: dict[str, tuple[bytes, str]] = {}
        self._held = HeldPort()

    @property
    def port(self) -> int:
        return self._held.number

    async def start(self) -> None:
        self._app = create_app(self.daemon)
        self._app.middlewares.append(self._say_again)
        self._said.clear()
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self.port, backlog=1024).start()

    @web.middleware
    async def _say_again(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer with what was said before while nothing has happened: making it takes longer than reading it."""
        if not self.daemon.is_quiet:
            self._said.clear()
        if request.path in self._said:
            body, content_type = self._said[request.path]
            return web.Response(body=body, content_type=content_type)
        response = await handler(request)
        if request.path in _PAGES and isinstance(response, web.Response) and isinstance(response.body, bytes):
            self._said[request.path] = response.body, response.content_type
        return response

    async def live(self, outages: list[Outage], first: float) -> None:
        """Die and return."""
        for outage in outages:
            await _until(first + outage.begin)
            if outage.death in _FAULTS:
                self._app[FAULTS].switch_on(_FAULTS[outage.death])
                await _until(first + outage.end)
                self._app[FAULTS].switch_off()
                continue
            await self._runner.cleanup()
            await _until(first + outage.end)
            if outage.death is Death.RESTART:
                self.daemon.restart()
            await self.start()


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


class _Told:
    """What the process is told, and asked for."""

    def __init__(self, instances: list[_Instance]) -> None:
        self._instances = instances
        self._lives: list[asyncio.Task[None]] = []

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**26)
        app.router.add_put("/outages", self._take)
        app.router.add_get("/truth/{number}", self._truth)
        return app

    async def _take(self, request: web.Request) -> web.Response:
        told = msgspec.json.decode(await request.read(), type=Outages)
        for number, instance in enumerate(self._instances):
            of_it = [outage for outage in told.planned if outage.instance == number]
            self._lives.append(asyncio.create_task(instance.live(of_it, told.first)))
        return web.Response()

    async def _truth(self, request: web.Request) -> web.Response:
        instance = self._instances[int(request.match_info["number"])]
        return web.Response(body=msgspec.json.encode(instance.daemon.truth))


async def serve(*, instances: int, devices: int) -> None:
    """Serve until the process is ended."""
    made = [_Instance(_Daemon(number, devices)) for number in range(instances)]
    gc.freeze()  # a hundred thousand devices, which are not to be looked through again and again
    for instance in made:
        await instance.start()
    runner = web.AppRunner(_Told(made).app(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    print(msgspec.json.encode([site.port, *(instance.port for instance in made)]).decode(), flush=True)  # noqa: T201
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(instances=int(sys.argv[1]), devices=int(sys.argv[2])))
