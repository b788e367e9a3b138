"""The web part of a simulated Oxidized: what oxidized-web answers about a daemon.

Shapes, orders, formats and headers are those recorded from oxidized-web 0.14.0, 0.18.1 and 0.19-dev.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from aiohttp import web

from oxidized_exporter.simulator.broken import answer_wrongly
from oxidized_exporter.simulator.connection import HeldConnections
from oxidized_exporter.simulator.faults import FaultSwitch
from oxidized_exporter.simulator.lock import DaemonLock
from oxidized_exporter.simulator.nodes_list import nodes_json
from oxidized_exporter.simulator.release import RELEASE_0_37, Release
from oxidized_exporter.simulator.routes import Routes

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from oxidized_exporter.simulator.daemon import Daemon

__all__ = ["FAULTS", "HELD", "REQUESTS", "create_app", "nodes_json"]

REQUESTS = web.AppKey("requests", deque[str])
"""The paths (with the query, raw as received) of the last 10,000 requests, oldest first."""
FAULTS = web.AppKey("faults", FaultSwitch)
"""The switch of the app's faults."""
HELD = web.AppKey("held", HeldConnections)
"""The connections of requests that at this moment meet a fault, or a lock that takes time."""

_ROUTES = web.AppKey("routes", Routes)
_REQUESTS_KEPT = 10_000


def create_app(
    daemon: Daemon,
    *,
    prefix: str = "",
    faults: FaultSwitch | None = None,
    release: Release = RELEASE_0_37,
    fetch_seconds: float = 0.0,
) -> web.Application:
    """Create the web API of a daemon, to be served by aiohttp's runners or test server.

    Args:
        daemon: whose nodes are shown.
        prefix: path before every route, such as `/oxidized`; what lies outside is not found.
        faults: a switch of the caller's; without one `app[FAULTS]` holds a new one.
        release: which one's answers to give where they differ.
        fetch_seconds: how long each fetch of a configuration holds the lock that the node list needs too.

    Raises:
        ValueError: a prefix that does not start with `/`, or ends with it; seconds that are negative or infinite.
    """
    if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
        raise ValueError(f"a prefix starts with a slash and does not end with one, unlike {prefix!r}")
    if not (math.isfinite(fetch_seconds) and fetch_seconds >= 0):
        raise ValueError(f"a fetch takes a finite number of seconds, zero or more, not {fetch_seconds!r}")
    held = HeldConnections()
    routes = Routes(daemon, prefix=prefix, release=release, lock=DaemonLock(fetch_seconds, held))
    app = web.Application(middlewares=[_record, _break])
    app[REQUESTS] = deque(maxlen=_REQUESTS_KEPT)
    app[FAULTS] = FaultSwitch() if faults is None else faults
    app[HELD] = held
    app[_ROUTES] = routes
    app.on_shutdown.append(_let_go)
    # aiohttp's router must not read the path: it would do so otherwise than Rack.
    app.router.add_route("*", "/{path:.*}", routes.answer)
    return app


async def _let_go(app: web.Application) -> None:
    app[HELD].let_go()


@web.middleware
async def _record(request: web.Request, handler: Handler) -> web.StreamResponse:
    request.app[REQUESTS].append(request.raw_path)
    return await handler(request)


@web.middleware
async def _break(request: web.Request, handler: Handler) -> web.StreamResponse:
    switch = request.app[FAULTS]
    if switch.active is None:
        return await handler(request)
    on = switch.take(request.app[_ROUTES].path_of(request))
    if on is None:
        return await handler(request)
    with request.app[HELD].hold(request):
        return await answer_wrongly(request, on, lambda: handler(request))
