"""What the handlers share; made by the composition root, found in the application under one key."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from oxidized_exporter.config import Config, SingleInstance
    from oxidized_exporter.metrics.exporter import ExporterMetrics
    from oxidized_exporter.scrape.scraper import Scraper
    from oxidized_exporter.supervisor import Supervisor
    from oxidized_exporter.web.failure_log import FailureLog
    from oxidized_exporter.web.own_url import ExternalUrl
    from oxidized_exporter.web.web_config_in_force import WebConfigInForce
    from oxidized_exporter.workers import Workers

METRICS_PATH: Final = "/metrics"


@dataclass(slots=True)
class Readiness:
    """Whether new scrapes should be sent here; goes down as the first thing of a stop."""

    ready: bool = True


@dataclass(slots=True)
class Load:
    """How many probes are being answered."""

    requests: int = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Count one while it is answered."""
        self.requests += 1
        try:
            yield
        finally:
            self.requests -= 1


@dataclass(slots=True)
class Running:
    """The configuration that new probes are made with; a reload swaps it whole."""

    config: Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the command line says about serving.

    Attributes:
        config_file: what a reload reads; None where there is none.
        timeout_offset: seconds taken off Prometheus's scrape time-out.
        enable_debug: whether ``/probe`` tells its steps where ``debug=true`` asks for them.
        enable_lifecycle: whether ``/-/reload`` may be called.
        max_requests: probes that are answered at the same time; 0 for any number.
        route_prefix: in front of all routes: ``/oxidized``, or empty.
        external_url: where the exporter is reached from outside; None where the Host header says it.
        single: the Oxidized whose metrics stand among the exporter's own; None where there is no such one.
        metrics_path: where the exporter's own metrics are, besides ``/metrics``.
    """

    config_file: str | None = None
    timeout_offset: float = 0.5
    enable_debug: bool = False
    enable_lifecycle: bool = False
    max_requests: int = 0
    route_prefix: str = ""
    external_url: ExternalUrl | None = None
    single: SingleInstance | None = None
    metrics_path: str = METRICS_PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """The parts of a running exporter.

    Attributes:
        running: the configuration of new probes.
        settings: of the command line.
        scraper: makes the scrapes.
        metrics: the exporter's own.
        failures: the log of those, which a reload does not forget.
        encoding: threads in which answers are written.
        readiness: what ``/-/ready`` says.
        load: probes that are being answered.
        reloads: those that have begun and not ended.
        reloading: held while a configuration is read, so that of two reloads the later one wins.
        supervisor: is told of beginning, reloads and end.
        web_config: how connections and requests are let in; None where all are.
    """

    running: Running
    settings: Settings
    scraper: Scraper
    metrics: ExporterMetrics
    failures: FailureLog
    encoding: Workers
    readiness: Readiness
    load: Load
    reloads: set[asyncio.Task[None]]
    reloading: asyncio.Lock
    supervisor: Supervisor
    web_config: WebConfigInForce | None = None


EXPORTER: Final = web.AppKey("exporter", Exporter)
