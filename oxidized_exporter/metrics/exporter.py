"""What the exporter tells of itself; no label here holds anything that a caller may choose freely."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from oxidized_exporter import __version__
from oxidized_exporter.errors import CallerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxidized_exporter.scrape.snapshot import Snapshot

_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExporterMetric:
    """A metric of the exporter itself; ``name`` with its suffix (``_total`` of a counter)."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


BUILD_INFO: Final = ExporterMetric(
    name="oxidized_exporter_build_info",
    type="gauge",
    help="1, with the version of the exporter and of Python.",
    labels=("version", "python_version"),
)
PROBES: Final = ExporterMetric(
    name="oxidized_exporter_probes_total",
    type="counter",
    help="Targets probed, by module and result: success, the reason of the failure, or abandoned where the caller hung "
    "up first.",
    labels=("module", "result"),
)
PROBE_DURATION: Final = ExporterMetric(
    name="oxidized_exporter_probe_duration_seconds",
    type="histogram",
    help="How long probing a target took, by module, in seconds.",
    labels=("module",),
)
PROBES_IN_FLIGHT: Final = ExporterMetric(
    name="oxidized_exporter_probes_in_flight",
    type="gauge",
    help="Requests to /probe, and with --oxidized.url to /metrics, that are being answered.",
)
PROBES_COALESCED: Final = ExporterMetric(
    name="oxidized_exporter_probes_coalesced_total",
    type="counter",
    help="Targets that were being asked the same already, so that one answer served several requests.",
)
PROBES_REJECTED: Final = ExporterMetric(
    name="oxidized_exporter_probes_rejected_total",
    type="counter",
    help="Requests refused, by reason. Of those to /probe, and with --oxidized.url to /metrics: a mistake of the "
    "caller, or max_requests. Of those to any route, by the web configuration: unauthorized, rate_limit or "
    "too_many_checks.",
    labels=("reason",),
)
REMEMBERED_CONFIGS: Final = ExporterMetric(
    name="oxidized_exporter_remembered_configs",
    type="gauge",
    help="Stored configurations of which size, lines and checks are remembered.",
)
REMEMBERED_HITS: Final = ExporterMetric(
    name="oxidized_exporter_remembered_config_hits_total",
    type="counter",
    help="Stored configurations that were not asked for, because nothing has happened since they were.",
)
RELOAD_SUCCESSFUL: Final = ExporterMetric(
    name="oxidized_exporter_config_last_reload_successful",
    type="gauge",
    help="1: the configuration file was taken up when last read; 0: it had faults, and the one before still runs.",
)
RELOAD_TIME: Final = ExporterMetric(
    name="oxidized_exporter_config_last_reload_success_timestamp_seconds",
    type="gauge",
    help="When a configuration was last taken up, Unix time in seconds; at first the start.",
)
UPSTREAM_REQUESTS: Final = ExporterMetric(
    name="oxidized_exporter_upstream_requests_total",
    type="counter",
    help="Requests to Oxidized, each attempt by itself, by route and result: success, or the reason of the failure.",
    labels=("route", "result"),
)
WEB_CONFIG_RELOAD_SUCCESSFUL: Final = ExporterMetric(
    name="oxidized_exporter_web_config_last_reload_successful",
    type="gauge",
    help="1: the web configuration file was taken up when last read, or there is none; 0: it had faults, and the one "
    "before is still served.",
)
ABANDONED: Final = "abandoned"
MAX_REQUESTS: Final = "max_requests"
UNAUTHORIZED: Final = "unauthorized"
RATE_LIMIT: Final = "rate_limit"
TOO_MANY_CHECKS: Final = "too_many_checks"
_NOT_MISTAKEN: Final = (MAX_REQUESTS, UNAUTHORIZED, RATE_LIMIT, TOO_MANY_CHECKS)
EXPORTER_CATALOGUE: Final = (
    BUILD_INFO,
    PROBES,
    PROBE_DURATION,
    PROBES_IN_FLIGHT,
    PROBES_COALESCED,
    PROBES_REJECTED,
    REMEMBERED_CONFIGS,
    REMEMBERED_HITS,
    RELOAD_SUCCESSFUL,
    RELOAD_TIME,
    UPSTREAM_REQUESTS,
    WEB_CONFIG_RELOAD_SUCCESSFUL,
)


class ExporterMetrics:
    """The exporter's own metrics in a registry of their own; make one for each process.

    Making one switches prometheus_client's ``_created`` series off for the whole process.
    """

    def __init__(self, *, probes_in_flight: Callable[[], float], remembered_configs: Callable[[], float]) -> None:
        """Make the registry.

        Args:
            probes_in_flight: tells, whenever the metrics are read, how many probes are being answered.
            remembered_configs: likewise, how many configurations are remembered.
        """
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call] # it has no types
        self.registry = CollectorRegistry()
        prometheus_client.ProcessCollector(registry=self.registry)
        prometheus_client.PlatformCollector(registry=self.registry)
        prometheus_client.GCCollector(registry=self.registry)
        self._gauge(BUILD_INFO).labels(version=__version__, python_version=platform.python_version()).set(1)
        self._probes = self._counter(PROBES)
        self._durations = Histogram(
            PROBE_DURATION.name, PROBE_DURATION.help, PROBE_DURATION.labels, buckets=_BUCKETS, registry=self.registry
        )
        self._gauge(PROBES_IN_FLIGHT).set_function(probes_in_flight)
        self._coalesced = self._counter(PROBES_COALESCED)
        self._gauge(REMEMBERED_CONFIGS).set_function(remembered_configs)
        self._hits = self._counter(REMEMBERED_HITS)
        self._rejected = self._counter(PROBES_REJECTED)
        for reason in (*(mistake.reason for mistake in CallerError.__subclasses__()), *_NOT_MISTAKEN):
            self._rejected.labels(reason=reason)  # from the start, or a rate() misses the first one
        self._reload_successful = self._gauge(RELOAD_SUCCESSFUL)
        self._reload_time = self._gauge(RELOAD_TIME)
        self.reloaded(successful=True)
        self._requests = self._counter(UPSTREAM_REQUESTS)
        self._web_config_reload_successful = self._gauge(WEB_CONFIG_RELOAD_SUCCESSFUL)
        self.web_config_reloaded(successful=True)

    def _gauge(self, metric: ExporterMetric) -> Gauge:
        return Gauge(metric.name, metric.help, metric.labels, registry=self.registry)

    def _counter(self, metric: ExporterMetric) -> Counter:
        return Counter(metric.name, metric.help, metric.labels, registry=self.registry)

    def rejected(self, reason: str) -> None:
        """Count a request that was refused; ``reason`` is that of a `CallerError`, or of this module."""
        self._rejected.labels(reason=reason).inc()

    def reloaded(self, *, successful: bool) -> None:
        """Note how reading the configuration went."""
        self._reload_successful.set(float(successful))
        if successful:
            self._reload_time.set_to_current_time()

    def asked(self, route: str, result: str, attempts: int) -> None:
        """Count attempts of one route that ended alike."""
        self._requests.labels(route=route, result=result).inc(attempts)

    def remembered(self, configs: int) -> None:
        """Count configurations that were not asked for because they are remembered."""
        self._hits.inc(configs)

    def web_config_reloaded(self, *, successful: bool) -> None:
        """Note how reading the web configuration went."""
        self._web_config_reload_successful.set(float(successful))

    def abandoned(self, targets: int, *, module: str) -> None:
        """Count targets whose probe ended because the caller hung up."""
        self._probes.labels(module=module, result=ABANDONED).inc(targets)

    def probed(self, snapshot: Snapshot, *, module: str) -> None:
        """Count what a finished scrape did; ``module`` is the name of a configured one."""
        self._coalesced.inc(snapshot.coalesced)
        for scrape in snapshot.scrapes:
            result = "success" if scrape.failure is None else scrape.failure.reason
            self._probes.labels(module=module, result=result).inc()
            self._durations.labels(module=module).observe(scrape.duration)
