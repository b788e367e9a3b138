"""One scrape without a server: the parts, the configuration and the judgement are those of the server."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from oxidized_exporter.compose import open_exporter
from oxidized_exporter.config import DEFAULT_MODULE
from oxidized_exporter.errors import BadParameterError
from oxidized_exporter.scrape.deadline import scrape_time
from oxidized_exporter.scrape.request import quoted
from oxidized_exporter.web.state import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from oxidized_exporter.config import Config, Module
    from oxidized_exporter.scrape.deadline import ScrapeTime
    from oxidized_exporter.scrape.request import ScrapeRequest
    from oxidized_exporter.scrape.scraper import Scraper, Traced
    from oxidized_exporter.scrape.snapshot import Failure, Snapshot, TargetScrape


def module_of(targets: Sequence[str], *, module: str | None, config: Config) -> str:
    """Return the name of the module that is meant: the one that is given, or else the targets' own.

    Raises:
        BadParameterError: none is given, and the targets have different ones.
    """
    if module is not None:
        return module
    own = {name: config.targets[name].module if name in config.targets else DEFAULT_MODULE for name in targets}
    if len(set(own.values())) > 1:
        told = ", ".join(f"{name} has {quoted(of_it)}" for name, of_it in own.items())
        raise BadParameterError(f"--module: missing, and the targets do not agree: {told}")
    return next(iter(own.values()))


def with_every_device(request: ScrapeRequest, *, config: Config) -> ScrapeRequest:
    """Return ``request`` for every device that its module selects: which have series of their own is no matter here."""
    return replace(request, module=replace(request.module, devices="all", max_devices=config.limits.rows))


def seconds_for(module: Module, *, timeout: float | None) -> float:
    """Return how many seconds a scrape may take; the arguments are those of `time_for`."""
    return time_for(module, timeout=timeout).seconds


def time_for(module: Module, *, timeout: float | None) -> ScrapeTime:
    """Return how long a scrape may take, and why.

    Args:
        module: its own time-out is an upper bound, as for Prometheus's.
        timeout: what the caller allows, seconds; None for what the server allows where Prometheus says nothing.
    """
    return scrape_time(None if timeout is None else str(timeout), offset=0.0, module_timeout=module.timeout)


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


async def ask_for_steps(request: ScrapeRequest, *, config: Config, seconds: float) -> Traced:
    """Make the scrape as `ask` does, and return its steps as well."""
    async with open_exporter(config=config, settings=Settings()) as exporter:
        return await exporter.scraper.trace(request.plans, module=request.module, seconds=seconds)


def said(failure: Failure) -> str:
    """Say why something failed: the word of the closed list, and the sentence."""
    return f"{failure.reason}: {failure.detail}"


def collectors_that_failed(scrape: TargetScrape) -> list[str]:
    """Say of each collector that did not do all, but the target's own failure, why not."""
    return [f"{run.name}: {said(run.failure)}" for run in scrape.collectors if run.failure is not None]
