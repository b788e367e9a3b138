"""Answers: exposition in the form that the scraper wants, and plain text."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from oxidized_exporter.metrics.exposition import Format, accepts_gzip, compress, negotiate

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from prometheus_client.registry import Collector

_NO_SNIFF: Final = {"X-Content-Type-Options": "nosniff"}


async def exposition(request: web.Request, collector: Collector, *, encoder: Executor) -> web.Response:
    """Write the families of ``collector`` in the scraper's format, in the thread of ``encoder``."""
    chosen = negotiate(request.headers.get(hdrs.ACCEPT))
    gzipped = accepts_gzip(request.headers.get(hdrs.ACCEPT_ENCODING))
    loop = asyncio.get_running_loop()
    body = await loop.run_in_executor(encoder, _encode, chosen, collector, gzipped)
    headers = {hdrs.CONTENT_TYPE: chosen.content_type, hdrs.VARY: "Accept, Accept-Encoding", **_NO_SNIFF}
    if gzipped:
        headers[hdrs.CONTENT_ENCODING] = "gzip"
    return web.Response(body=body, headers=headers)


def _encode(chosen: Format, collector: Collector, gzipped: bool) -> bytes:  # noqa: FBT001 - executors pass by position
    body = chosen.encode(collector)
    return compress(body) if gzipped else body


def plain(text: str, *, status: int = 200) -> web.Response:
    """Answer with text."""
    return web.Response(text=f"{text}\n", status=status, headers=_NO_SNIFF)
