"""The row of the exporter itself, whatever instances are chosen: replicas, what they are asked, what they ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from deploy.grafana.panels import graph
from deploy.grafana.parts import GREEN, RED, About
from deploy.grafana.queries import Query
from deploy.grafana.tables import Column, listing

if TYPE_CHECKING:
    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.models.dashboard import Panel

_RATE: Final = "[$__rate_interval]"
_RELOADED: Final = {"1": ("taken up", GREEN), "0": ("has faults", RED)}


def panels() -> list[Builder[Panel]]:
    """Return the panels of the row."""
    return [_replicas(), _probes(), _durations(), _upstream(), _spared()]


def _per_second(metric: str, by: str, *others: str) -> str:
    """Return a counter's rate over all replicas; what two Prometheus servers have of one replica is counted once.

    Args:
        metric: its name.
        by: its labels that stay.
        others: its labels that are added up over.
    """
    apart = ", ".join(("job", "instance", by, *others))
    return f"sum by ({by}) (max by ({apart}) (rate({metric}{_RATE})))"


def _of(metric: str, by: str = "") -> str:
    return f"max by (job, instance{by and ', ' + by}) ({metric})"


def _replicas() -> Builder[Panel]:
    # The join keeps to exporters of this kind: every program in Python has metrics of its process.
    memory = f"{_of('process_resident_memory_bytes')} and on (job, instance) oxidized_exporter_build_info"
    return listing(
        About(
            title="Replicas",
            text="Every exporter that Prometheus scrapes at /metrics.",
            width=24,
            height=6,
            runbooks=("OxidizedExporterConfigNotReloaded", "OxidizedExporterDown"),
        ),
        Column(title="Job", label="job"),
        Column(title="Exporter", label="instance"),
        Column(title="Version", label="version"),
        Column(title="Python", label="python_version"),
        Column(title="Listed", expr=_of("oxidized_exporter_build_info", "version, python_version"), hidden=True),
        Column(title="Configuration", expr=_of("oxidized_exporter_config_last_reload_successful"), words=_RELOADED),
        Column(
            title="Web configuration",
            expr=_of("oxidized_exporter_web_config_last_reload_successful"),
            words=_RELOADED,
        ),
        Column(
            title="Taken up",
            expr=f"1000 * {_of('oxidized_exporter_config_last_reload_success_timestamp_seconds')}",
            unit="dateTimeFromNow",
        ),
        Column(title="In flight", expr=_of("oxidized_exporter_probes_in_flight")),
        Column(title="Remembered configurations", expr=_of("oxidized_exporter_remembered_configs")),
        Column(title="Memory", expr=memory, unit="bytes"),
        sort="Exporter",
        descending=False,
    )


def _probes() -> Builder[Panel]:
    return graph(
        About(title="Probes by result", text="Targets probed in a second.", width=6, height=8),
        Query(expr=_per_second("oxidized_exporter_probes_total", "result", "module"), legend="{{result}}"),
        unit="ops",
        stacked=True,
        colours={"success": GREEN},
    )


def _durations() -> Builder[Panel]:
    buckets = _per_second("oxidized_exporter_probe_duration_seconds_bucket", "le", "module")
    return graph(
        About(title="Duration of probes", text="Half of the probes, and 95 of 100, take no longer.", width=6, height=8),
        Query(expr=f"histogram_quantile(0.5, {buckets})", legend="half"),
        Query(expr=f"histogram_quantile(0.95, {buckets})", legend="95 of 100"),
        unit="s",
    )


def _upstream() -> Builder[Panel]:
    return graph(
        About(title="Requests to Oxidized", text="In a second, each attempt by itself.", width=6, height=8),
        Query(
            expr=_per_second("oxidized_exporter_upstream_requests_total", "route, result"),
            legend="{{route}} {{result}}",
        ),
        unit="ops",
        stacked=True,
    )


def _spared() -> Builder[Panel]:
    def total(metric: str) -> str:
        return f"sum(max by (job, instance) (rate({metric}{_RATE})))"

    return graph(
        About(
            title="Refused and spared",
            text="In a second: requests to /probe that were refused, targets of which one answer served several "
            "requests, and configurations that were not asked for, because nothing has happened since they were.",
            width=6,
            height=8,
        ),
        Query(expr=_per_second("oxidized_exporter_probes_rejected_total", "reason"), legend="refused: {{reason}}"),
        Query(expr=total("oxidized_exporter_probes_coalesced_total"), legend="shared answers"),
        Query(expr=total("oxidized_exporter_remembered_config_hits_total"), legend="remembered configurations"),
        unit="ops",
    )
