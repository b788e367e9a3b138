"""``/-/healthy``, ``/-/ready``, ``/-/reload``, ``/config`` and the landing page."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from oxidized_exporter.config.render import render
from oxidized_exporter.errors import ConfigError, NothingToReloadError
from oxidized_exporter.web.answers import NO_SNIFF, plain
from oxidized_exporter.web.landing import POLICY, landing_page
from oxidized_exporter.web.reload import begin_reload
from oxidized_exporter.web.state import EXPORTER

_MOST_TOLD: Final = 100


async def landing(request: web.Request) -> web.Response:
    """Answer with a page that names the version, links the routes and the targets, and has a form that probes."""
    exporter = request.app[EXPORTER]
    return web.Response(
        text=landing_page(exporter.running.config, settings=exporter.settings),
        content_type="text/html",
        headers={"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer", **NO_SNIFF},
    )


async def to_landing(request: web.Request) -> web.Response:
    """Lead to the landing page below the route prefix."""
    response = plain("all routes are below the route prefix", status=302)
    response.headers["Location"] = f"{request.app[EXPORTER].settings.route_prefix}/"
    return response


async def healthy(_request: web.Request) -> web.Response:
    """Answer 200 as long as the loop runs."""
    return plain("oxidized_exporter is healthy.")


async def ready(request: web.Request) -> web.Response:
    """Answer 200 while scrapes should be sent here, 503 from the beginning of a stop on."""
    if request.app[EXPORTER].readiness.ready:
        return plain("oxidized_exporter is ready.")
    return plain("oxidized_exporter is stopping.", status=503)


async def config(request: web.Request) -> web.Response:
    """Answer with the running configuration in YAML, every secret as ``<secret>``."""
    return plain((await asyncio.to_thread(render, request.app[EXPORTER].running.config)).rstrip())


async def reload(request: web.Request) -> web.Response:
    """Reload the configuration file: 200 when it is taken up, 500 with all faults when it is not.

    403 without ``--web.enable-lifecycle``, 400 without a file.
    """
    exporter = request.app[EXPORTER]
    if not exporter.settings.enable_lifecycle:
        return plain("reloading by request is off; start the exporter with --web.enable-lifecycle", status=403)
    try:
        await asyncio.shield(begin_reload(exporter))
    except NothingToReloadError as error:
        return plain(str(error), status=400)
    except ConfigError as error:
        told = "\n".join(map(str, error.faults[:_MOST_TOLD]))
        return plain(f"the configuration was not reloaded, faults: {len(error.faults)}\n{told}", status=500)
    return plain("The configuration has been reloaded.")
