"""One scrape without a server: the parts, the configuration and the judgement are those of the server."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from oxidized_exporter.compose import open_exporter
from oxidized_exporter.config import Config, load_config
from oxidized_exporter.scrape.deadline import scrape_seconds
from oxidized_exporter.web.state import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from oxidized_exporter.config import Module
    from oxidized_exporter.scrape.request import ScrapeRequest
    from oxidized_exporter.scrape.scraper import Scraper
    from oxidized_exporter.scrape.snapshot import Failure, Snapshot, TargetScrape


def read_config(file: str | None) -> Config:
    """Read the configuration, or return that of an exporter without a file; blocks.

    Raises:
        ConfigError: it has faults: all of them.
    """
    return Config() if file is None else load_config(file)


def with_every_device(request: ScrapeRequest, *, config: Config) -> ScrapeRequest:
    """Return ``request`` for every device that its module selects: which have series of their own is no matter here."""
    return replace(request, module=replace(request.module, devices="all", max_devices=config.limits.rows))


def seconds_for(module: Module, *, timeout: float | None) -> float:
    """Return how long a scrape may take.

    Args:
        module: its own time-out is an upper bound, as for Prometheus's.
        timeout: what the caller allows, seconds; None for what the server allows where Prometheus says nothing.
    """
    return scrape_seconds(None if timeout is None else str(timeout), offset=0.0, module_timeout=module.timeout)


async def ask(
    request: ScrapeRequest,
    *,
    config: Config,
    seconds: float,
    watch: Callable[[Scraper], Coroutine[None, None, None]] | None = None,
) -> Snapshot:
    """Make the scrape; whatever goes wrong behind a target is part of the result.

    Args:
        request: whom to ask for what.
        config: what the request was judged by.
        seconds: from now.
        watch: runs beside the scrape and is cancelled at its end.
    """
    async with open_exporter(config=config, settings=Settings()) as exporter:
        watching = None if watch is None else asyncio.create_task(watch(exporter.scraper))
        try:
            return await exporter.scraper.scrape(request.plans, module=request.module, seconds=seconds)
        finally:
            if watching is not None:
                watching.cancel()
                await asyncio.wait({watching})


def said(failure: Failure) -> str:
    """Say why something failed: the word of the closed list, and the sentence."""
    return f"{failure.reason}: {failure.detail}"


def collectors_that_failed(scrape: TargetScrape) -> list[str]:
    """Say of each collector that did not do all, but the target's own failure, why not."""
    return [f"{run.name}: {said(run.failure)}" for run in scrape.collectors if run.failure is not None]
