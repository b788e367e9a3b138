"""An Oxidized in a process of its own that takes its time, and says which of its targets were asked.

``python -m tests.stops.upstream DEVICES…`` prints its port. The target at /DEVICES/MILLISECONDS/NUMBER has so many
devices and answers after so long; /asked has the numbers that were asked for.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from tests.benchmarks.upstream import body
from tests.system.apart import apart, serve_apart

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass(frozen=True, slots=True)
class Upstream:
    """The process under way."""

    url: str

    async def asked(self) -> frozenset[str]:
        """Return the numbers of all targets that were asked until now."""
        async with aiohttp.ClientSession() as client, client.get(f"{self.url}/asked") as response:
            return frozenset(await response.json())


@asynccontextmanager
async def upstream(*counts: int) -> AsyncIterator[Upstream]:
    """Run it with targets of so many devices."""
    async with apart("tests.stops.upstream", *counts) as url:
        yield Upstream(url)


async def serve(counts: list[int]) -> None:
    """Serve until the process is ended."""
    bodies = {str(count): body(count) for count in counts}
    asked: list[str] = []

    async def nodes(request: web.Request) -> web.Response:
        asked.append(request.match_info["number"])
        await asyncio.sleep(int(request.match_info["milliseconds"]) / 1000)
        return web.Response(body=bodies[request.match_info["devices"]], content_type="application/json")

    async def tell(_request: web.Request) -> web.Response:
        return web.json_response(asked)

    app = web.Application()
    app.router.add_get("/{devices}/{milliseconds}/{number}/nodes.json", nodes)
    app.router.add_get("/asked", tell)
    await serve_apart(app)


if __name__ == "__main__":
    asyncio.run(serve([int(count) for count in sys.argv[1:]]))
