"""The simulated Oxidized that stands behind every fault, and healthy beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import web

from oxidized_exporter.simulator import Daemon, Device, ManualClock, create_app, rack_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.typedefs import Handler

    Change = Callable[[bytes], bytes | web.Response]

DEVICES: Final = tuple(Device(name=f"sw{number}", group="access") for number in range(3))
PATHS: Final = {"nodes": "/nodes.json", "configs": "/node/fetch", "stats": "/nodes/stats"}
ONE: Final = "/node/fetch/access/sw1"
"""The path of one device's configuration."""

_UP_SECONDS: Final = 6000.0  # after which every device has had its jobs


def oxidized(*devices: Device, keeps_connections: bool = False) -> web.Application:
    """Make an instance whose time stands still.

    Each answer ends its connection, so that the next request makes another one, which may meet a fault.

    Args:
        devices: that it has; `DEVICES` without any.
        keeps_connections: as a healthy one does.
    """
    clock = ManualClock()
    daemon = Daemon(devices or DEVICES, clock=clock, retries=0)
    clock.advance(_UP_SECONDS)
    app = create_app(daemon)
    if not keeps_connections:
        app.middlewares.append(_last_of_its_connection)
    return app


@web.middleware
async def _last_of_its_connection(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    response.force_close()
    return response


def change(app: web.Application, path: str, becomes: Change) -> None:
    """Let the right answers of a path, and of those below it, become something else."""

    @web.middleware
    async def changed(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if not rack_path(request.raw_path).startswith(path):
            return response
        assert isinstance(response, web.Response)
        assert isinstance(response.body, bytes)
        found = becomes(response.body)
        if isinstance(found, bytes):
            found = web.Response(body=found, headers={"Content-Type": response.headers["Content-Type"]})
        found.force_close()
        return found

    app.middlewares.insert(0, changed)
