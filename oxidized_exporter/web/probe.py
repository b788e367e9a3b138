"""``GET /probe``: the metrics of one Oxidized, or of several fetched at once; ``GET /metrics``: the exporter's own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from oxidized_exporter.errors import CallerError, DebugDisabledError, ForbiddenTargetError
from oxidized_exporter.metrics.collector import SnapshotCollector
from oxidized_exporter.metrics.exporter import MAX_REQUESTS
from oxidized_exporter.scrape.deadline import HEADER, scrape_time
from oxidized_exporter.scrape.scraper import Traced
from oxidized_exporter.web.answers import exposition, plain
from oxidized_exporter.web.debug import deadline_words, report
from oxidized_exporter.web.parameters import parse_probe, single_probe
from oxidized_exporter.web.state import EXPORTER
from oxidized_exporter.workers import LARGE_DEVICES

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from oxidized_exporter.config import Config
    from oxidized_exporter.scrape.request import ScrapeRequest


async def probe(request: web.Request) -> web.Response:
    """Scrape the targets and answer with their metrics.

    A caller's mistake is 400 or 403 with a line that says what would be right; whatever goes wrong behind a valid
    request is 200 with ``oxidized_status 0``. A caller who hangs up ends the scrape, unless
    others wait for the same.
    """
    return await _scrape(request, lambda config: parse_probe(request.query, config=config))


async def metrics(request: web.Request) -> web.Response:
    """Answer with the exporter's own metrics; in single-instance mode scrape that instance, too, as `probe` does."""
    exporter = request.app[EXPORTER]
    own = exporter.metrics.registry
    if exporter.settings.single is None:
        return await exposition(request, own, workers=exporter.encoding, large=False)
    return await _scrape(request, single_probe, beside=own)


async def _scrape(
    request: web.Request, parse: Callable[[Config], ScrapeRequest], *, beside: CollectorRegistry | None = None
) -> web.Response:
    """Carry out what ``parse`` makes of the request; what is ``beside`` stands in the answer, too."""
    exporter = request.app[EXPORTER]
    settings = exporter.settings
    try:
        wanted = parse(exporter.running.config)
        headers = request.headers.getall(HEADER, [])
        sent = ",".join(headers) if headers else None  # what is sent twice is no number
        time = scrape_time(sent, offset=settings.timeout_offset, module_timeout=wanted.module.timeout)
        if wanted.debug and not settings.enable_debug:
            raise DebugDisabledError("debug: off; start the exporter with --web.enable-debug")
    except CallerError as error:
        exporter.metrics.rejected(error.reason)
        if isinstance(error, ForbiddenTargetError):
            exporter.failures.refused(error, client=request.remote)
        return plain(str(error), status=error.status)
    if settings.max_requests and exporter.load.requests >= settings.max_requests:
        exporter.metrics.rejected(MAX_REQUESTS)
        response = plain(f"{settings.max_requests} probes are being answered, which is the most", status=503)
        response.headers["Retry-After"] = "1"
        return response
    with exporter.load.one_more():
        try:
            ask = exporter.scraper.trace if wanted.debug else exporter.scraper.scrape
            result = await ask(wanted.plans, module=wanted.module, seconds=time.seconds)
        except asyncio.CancelledError:
            exporter.metrics.abandoned(len(wanted.plans), module=wanted.module.name)
            exporter.failures.abandoned(
                client=request.remote,
                module=wanted.module.name,
                target=wanted.plans[0].target.label,
                targets=len(wanted.plans),
                seconds=time.seconds,
            )
            raise
        snapshot = result.snapshot if isinstance(result, Traced) else result
        exporter.metrics.probed(snapshot, module=wanted.module.name)
        exporter.failures.probed(snapshot, module=wanted.module.name)
        if isinstance(result, Traced):
            deadline = deadline_words(time, offset=settings.timeout_offset)
            return plain(await report(exporter, wanted, result, deadline=deadline))
        registry = CollectorRegistry()
        registry.register(SnapshotCollector(snapshot))
        if beside is not None:  # a test holds that no name stands in both
            registry.register(beside)
        return await exposition(request, registry, workers=exporter.encoding, large=snapshot.shown > LARGE_DEVICES)
