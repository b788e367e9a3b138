"""The web part of a simulated Oxidized: what oxidized-web answers about a daemon.

Shapes, orders, formats and headers are those recorded from oxidized-web 0.14.0, 0.18.1 and 0.19-dev.
"""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from oxidized_exporter.simulator.broken import HTML_HEADERS, JSON_HEADERS, answer_wrongly, not_found
from oxidized_exporter.simulator.connection import HeldConnections
from oxidized_exporter.simulator.faults import FaultSwitch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp.typedefs import Handler

    from oxidized_exporter.simulator.daemon import Daemon
    from oxidized_exporter.simulator.state import NodeState

REQUESTS = web.AppKey("requests", deque[str])
"""The paths (with the query, raw as received) of the last 10,000 requests, oldest first."""
FAULTS = web.AppKey("faults", FaultSwitch)
"""The switch of the app's faults."""
HELD = web.AppKey("held", HeldConnections)
"""The connections of requests that meet a fault at this moment."""

_REQUESTS_KEPT = 10_000


def create_app(daemon: Daemon, *, prefix: str = "", faults: FaultSwitch | None = None) -> web.Application:
    """Create the web API of a daemon, to be served by aiohttp's runners or test server.

    Args:
        daemon: whose nodes are shown.
        prefix: path before every route, such as `/oxidized`; what lies outside is not found.
        faults: a switch of the caller's; without one `app[FAULTS]` holds a new one.

    Raises:
        ValueError: a prefix that does not start with `/`, or ends with it.
    """
    if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
        raise ValueError(f"a prefix starts with a slash and does not end with one, unlike {prefix!r}")

    async def nodes(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=nodes_json(daemon.nodes()), headers=JSON_HEADERS)

    async def root(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=HTTPStatus.FOUND, headers=HTML_HEADERS | {"Location": f"{prefix}/nodes"})

    app = web.Application(middlewares=[_record, _break, _not_found])
    app[REQUESTS] = deque(maxlen=_REQUESTS_KEPT)
    app[FAULTS] = FaultSwitch() if faults is None else faults
    app[HELD] = HeldConnections()
    app.on_shutdown.append(_let_go)
    for path in {prefix or "/", f"{prefix}/"}:
        app.router.add_get(path, root)
    app.router.add_get(f"{prefix}/nodes.json", nodes)
    return app


def nodes_json(nodes: Iterable[NodeState]) -> bytes:
    """Spell out nodes as /nodes.json does: compact JSON in UTF-8, keys in Oxidized's order."""
    return json.dumps([_row(node) for node in nodes], separators=(",", ":"), ensure_ascii=False).encode()


def _row(node: NodeState) -> dict[str, Any]:
    device, last = node.device, node.last
    shown = None
    if last is not None:
        start, end = _timestamp(int(last.start)), _timestamp(int(last.end))
        shown = {"start": start, "end": end, "status": last.status, "time": float(last.seconds)}
    return {
        "name": device.name,
        "full_name": device.full_name,
        "ip": device.ip,
        "group": device.shown_group,
        "model": device.model,
        "last": shown,
        "vars": None if device.vars is None else dict(device.vars),
        "mtime": "unknown" if node.mtime is None else _timestamp(int(node.mtime)),
        "status": node.status,
        "time": "never" if shown is None else shown["end"],
    }


@lru_cache(maxsize=65_536)
def _timestamp(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


async def _let_go(app: web.Application) -> None:
    app[HELD].let_go()


@web.middleware
async def _record(request: web.Request, handler: Handler) -> web.StreamResponse:
    request.app[REQUESTS].append(request.raw_path)
    return await handler(request)


@web.middleware
async def _break(request: web.Request, handler: Handler) -> web.StreamResponse:
    on = request.app[FAULTS].take()
    if on is None:
        return await handler(request)
    with request.app[HELD].hold(request):
        return await answer_wrongly(request, on, lambda: handler(request))


@web.middleware
async def _not_found(request: web.Request, handler: Handler) -> web.StreamResponse:
    # Sinatra knows no 405: a known path with another method is not found either.
    try:
        return await handler(request)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return not_found(request)
