"""A server in a process of its own that answers with a node list made before: what Oxidized costs is not measured.

``python -m tests.benchmarks.upstream DEVICES…`` prints its port; the Oxidized of so many devices is at /DEVICES, and
below any further segment, so that it can be several targets. Those below /waiting never answer.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Final

from aiohttp import web

from oxidized_exporter.simulator import Daemon, ManualClock, fleet
from oxidized_exporter.simulator.release import RELEASE_0_37
from oxidized_exporter.simulator.stats_page import stats_html
from oxidized_exporter.simulator.web import nodes_json
from tests.system.apart import serve_apart

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LARGE_ONES: Final = 100
"""Devices of the target /large, each with a configuration of 5 MB."""
_CONFIGURATION: Final = b"interface GigabitEthernet0/1\n description uplink\n ip address dhcp\n!\n" * 120  # 8 KB

_HISTORY_SECONDS = 86400.0
_FAILING = 0.02


def daemon(devices: int) -> Daemon:
    """Return the Oxidized of a made-up fleet, a day after it has started; the same at every call."""
    clock = ManualClock()
    return Daemon(
        fleet(devices, failing=_FAILING),
        clock=clock,
        threads=max(30, devices // 100),  # as many as a fleet of that size needs to get round in an hour
        started=clock() - _HISTORY_SECONDS,
    )


def body(devices: int) -> bytes:
    """Return the node list of a made-up fleet."""
    return nodes_json(daemon(devices).nodes())


def page(devices: int) -> bytes:
    """Return the statistics page of a made-up fleet."""
    return stats_html(daemon(devices).stats(), RELEASE_0_37)


async def serve(counts: list[int]) -> None:
    """Serve the lists until the process is ended."""
    app = web.Application()
    for count in counts:
        oxidized = daemon(count)
        nodes, statistics = nodes_json(oxidized.nodes()), stats_html(oxidized.stats(), RELEASE_0_37)
        for prefix in (f"/{count}", f"/{count}/{{target}}"):
            app.router.add_get(f"{prefix}/nodes.json", _answer(nodes, "application/json"))
            app.router.add_get(f"{prefix}/nodes/stats", _answer(statistics, "text/html"))
        app.router.add_get(f"/{count}/node/fetch/{{name:.*}}", _answer(_CONFIGURATION, "text/plain"))
    app.router.add_get("/large/nodes.json", _answer(body(LARGE_ONES), "application/json"))
    app.router.add_get("/large/node/fetch/{name:.*}", _answer(_CONFIGURATION * 640, "text/plain"))
    app.router.add_get("/waiting/{target}/nodes.json", _wait)
    await serve_apart(app)


def _answer(made: bytes, content_type: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=made, content_type=content_type)

    return answer


async def _wait(_request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


if __name__ == "__main__":
    asyncio.run(serve([int(count) for count in sys.argv[1:]]))
