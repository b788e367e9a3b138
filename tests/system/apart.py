"""An application in a process of its own, whose time and memory are not those of who asks."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from tests.system.held_port import LOOPBACK
from tests.system.program import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def apart(module: str, *arguments: object) -> AsyncIterator[str]:
    """Run a module that calls `serve_apart`; yields the URL of what it serves."""
    async with running(sys.executable, "-m", module, *map(str, arguments)) as program:
        (port,) = await program.out.first("")
        yield f"http://{LOOPBACK}:{port}"


async def serve_apart(app: web.Application) -> None:
    """Serve on a free port and print it, until the process is ended."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    print(site.port, flush=True)  # noqa: T201 - to the process that started it
    await asyncio.Event().wait()
