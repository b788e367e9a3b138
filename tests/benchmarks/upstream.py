"""A server in a process of its own that answers with a node list made before: what Oxidized costs is not measured.

``python -m tests.benchmarks.upstream DEVICES…`` prints its port; the list of so many devices is at /DEVICES/nodes.json,
and below any further segment, so that it can be several targets.
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web

from oxidized_exporter.simulator import Daemon, ManualClock, fleet
from oxidized_exporter.simulator.web import nodes_json

_HISTORY_SECONDS = 86400.0
_FAILING = 0.02


def body(devices: int) -> bytes:
    """Return the node list of a made-up fleet, a day after its Oxidized has started; the same at every call."""
    clock = ManualClock()
    daemon = Daemon(
        fleet(devices, failing=_FAILING),
        clock=clock,
        threads=max(30, devices // 100),  # as many as a fleet of that size needs to get round in an hour
        started=clock() - _HISTORY_SECONDS,
    )
    return nodes_json(daemon.nodes())


async def serve(counts: list[int]) -> None:
    """Serve the lists until the process is ended."""
    app = web.Application()
    for count in counts:
        made = body(count)

        async def nodes(_request: web.Request, made: bytes = made) -> web.Response:
            return web.Response(body=made, content_type="application/json")

        app.router.add_get(f"/{count}/nodes.json", nodes)
        app.router.add_get(f"/{count}/{{target}}/nodes.json", nodes)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site.port, flush=True)  # noqa: T201 - to the process that started it
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve([int(count) for count in sys.argv[1:]]))
