"""Answers: exposition in the form that the scraper wants, and plain text."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from oxidized_exporter.metrics.exposition import accepts_gzip, body_of, negotiate

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from prometheus_client.registry import Collector

_NO_SNIFF: Final = {"X-Content-Type-Options": "nosniff"}


async def exposition(request: web.Request, collector: Collector, *, encoder: Executor) -> web.Response:
    """Write the families of ``collector`` in the scraper's format, in the thread of ``encoder``."""
    chosen = negotiate(request.headers.get(hdrs.ACCEPT))
    wanted = accepts_gzip(request.headers.get(hdrs.ACCEPT_ENCODING))
    loop = asyncio.get_running_loop()
    body, gzipped = await loop.run_in_executor(encoder, lambda: body_of(chosen.encode(collector), gzipped=wanted))
    headers = {hdrs.CONTENT_TYPE: chosen.content_type, hdrs.VARY: "Accept, Accept-Encoding", **_NO_SNIFF}
    if gzipped:
        headers[hdrs.CONTENT_ENCODING] = "gzip"
    return web.Response(body=body, headers=headers)


def plain(text: str, *, status: int = 200) -> web.Response:
    """Answer with text."""
    return web.Response(text=f"{text}\n", status=status, headers=_NO_SNIFF)
