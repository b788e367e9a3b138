"""The application: routes, and what every answer has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from oxidized_exporter.errors import place
from oxidized_exporter.web import discovery, pages, probe
from oxidized_exporter.web.answers import plain
from oxidized_exporter.web.door import add_headers, door
from oxidized_exporter.web.state import EXPORTER, METRICS_PATH, Exporter

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

_log = structlog.stdlib.get_logger(__name__)


def create_app(exporter: Exporter) -> web.Application:
    """Make the application that serves ``exporter`` below its route prefix; starts nothing."""
    app = web.Application(middlewares=[_outermost, door])
    app.on_response_prepare.append(add_headers)
    app[EXPORTER] = exporter
    settings = exporter.settings
    prefix = settings.route_prefix
    if prefix:
        app.router.add_get("/", pages.to_landing)
        app.router.add_get(prefix, pages.to_landing)
    app.router.add_get(f"{prefix}/", pages.landing)
    app.router.add_get(f"{prefix}/probe", probe.probe)
    for path in dict.fromkeys((METRICS_PATH, settings.metrics_path)):
        app.router.add_get(f"{prefix}{path}", probe.metrics)
    app.router.add_get(f"{prefix}/sd", discovery.discover)
    app.router.add_get(f"{prefix}/-/healthy", pages.healthy)
    app.router.add_get(f"{prefix}/-/ready", pages.ready)
    app.router.add_get(f"{prefix}/config", pages.config)
    app.router.add_route("POST", f"{prefix}/-/reload", pages.reload)
    app.router.add_route("PUT", f"{prefix}/-/reload", pages.reload)
    return app


@web.middleware
async def _outermost(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep faults of a handler out of the answer, and ask clients to leave once a stop has begun."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        response = plain(f"{error.status} {error.reason}", status=error.status)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
    except Exception as error:  # noqa: BLE001 - its message may quote what it should not
        _log.error("bug: unexpected exception in a handler", path=request.path, error=place(error))
        response = plain("500 internal error; the log names it", status=500)
    if not request.app[EXPORTER].readiness.ready:
        response.force_close()
    return response
