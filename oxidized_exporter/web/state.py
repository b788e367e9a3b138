"""What the handlers share; made by the composition root, found in the application under one key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from oxidized_exporter.config import Config
    from oxidized_exporter.metrics.exporter import ExporterMetrics
    from oxidized_exporter.scrape.scraper import Scraper


@dataclass(slots=True)
class Readiness:
    """Whether new scrapes should be sent here; goes down as the first thing of a stop."""

    ready: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """The parts of a running exporter.

    Attributes:
        config: what modules there are.
        scraper: makes the scrapes.
        metrics: the exporter's own.
        encoder: thread of its own in which answers are written.
        timeout_offset: seconds taken off Prometheus's scrape time-out.
        readiness: what ``/-/ready`` says.
    """

    config: Config
    scraper: Scraper
    metrics: ExporterMetrics
    encoder: Executor
    timeout_offset: float
    readiness: Readiness


EXPORTER: Final = web.AppKey("exporter", Exporter)
