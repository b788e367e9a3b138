"""The composition root: makes the parts of an exporter, hands them to each other, and takes them down again."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from oxidized_exporter.metrics.exporter import ExporterMetrics
from oxidized_exporter.oxidized.resolver import system_resolver
from oxidized_exporter.scrape.scraper import Scraper
from oxidized_exporter.web.state import Exporter, Readiness

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable

    from aiohttp.abc import AbstractResolver

    from oxidized_exporter.config import Config

_THREADS: Final = 4


@asynccontextmanager
async def open_exporter(
    *,
    config: Config,
    timeout_offset: float,
    resolver: AbstractResolver | None = None,
    tls: ssl.SSLContext | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> AsyncIterator[Exporter]:
    """Make an exporter in the running loop and close it at the end.

    Args:
        config: what is collected, within which limits.
        timeout_offset: seconds taken off Prometheus's scrape time-out.
        resolver: resolves and guards names, closed at the end; None for the system's.
        tls: how servers are verified; None for the system's certificate authorities.
        clock: monotonic seconds, for durations.
    """
    resolver = resolver or system_resolver()
    # Few threads, but several: a large answer must not hold up a small one behind it.
    decoder = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="decode")
    encoder = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="encode")
    try:
        yield Exporter(
            config=config,
            scraper=Scraper(resolver=resolver, worker=decoder, limits=config.limits, tls=tls, clock=clock),
            metrics=ExporterMetrics(),
            encoder=encoder,
            timeout_offset=timeout_offset,
            readiness=Readiness(),
        )
    finally:
        for executor in (decoder, encoder):
            executor.shutdown(wait=False, cancel_futures=True)
        await resolver.close()
