"""The row of one instance: its groups, models, jobs and collectors. Of several at once it shows the worst."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from deploy.grafana.lists import AGE_STEPS, DEVICE_COLUMNS
from deploy.grafana.panels import bars, graph
from deploy.grafana.parts import GREEN, GREY, NONE_IS_GOOD, RED, About
from deploy.grafana.queries import (
    FAILING,
    OF_GROUPS,
    STALLED,
    TARGET_LABELS,
    TINY,
    Query,
    or_zero,
    per_device,
    per_target,
    top_targets,
)
from deploy.grafana.tables import Column, listing

if TYPE_CHECKING:
    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.models.dashboard import Panel

_GROUPS: Final = 100  # rows of the table
_LINES: Final = 10  # of a graph
_SLOWEST: Final = 50


def panels() -> list[Builder[Panel]]:
    """Return the panels of the row."""
    return [
        _groups(),
        _models(),
        _failing_by_group(),
        _newest_job(),
        _probe_duration(),
        _slowest(),
        _collectors(),
        _configurations(),
        _checks(),
        _versions(),
    ]


def _of_groups(metric: str, at: str = "") -> str:
    selector = f"{metric}{{{OF_GROUPS}}}{at and ' ' + at}"
    return f"sum by (group) (max by ({TARGET_LABELS}, group) ({selector}))"


def _groups() -> Builder[Panel]:
    failing = _of_groups("oxidized:group_devices_failing:count")
    chosen = f"topk({_GROUPS}, {failing})"
    age = f"max by (group) ({per_device('oxidized:device_backup_age:seconds')})"
    return listing(
        About(
            title="Groups",
            text=f"Devices by group, of all models, and how many failed last; most failures first, at most {_GROUPS}.",
            width=12,
            height=9,
            runbooks=("OxidizedDevicesVanished", "OxidizedBackupFailed"),
        ),
        Column(title="Group", label="group"),
        Column(
            title="Devices", expr=f"{_of_groups('oxidized:group_devices:count')} and on (group) {chosen}", width=100
        ),
        Column(title="Failing", expr=chosen, steps=NONE_IS_GOOD, width=100),
        Column(title="Oldest backup", expr=f"{age} and on (group) {chosen}", unit="s", steps=AGE_STEPS, width=140),
        sort="Failing",
    )


def _models() -> Builder[Panel]:
    present = per_device("oxidized:device_status:last_10m")
    took = per_device("oxidized_device_last_backup_time", over="2h")
    return listing(
        About(
            title="Models",
            text="Devices by model, how many of them failed last, and how long the last job took on average.",
            width=12,
            height=9,
            runbooks=("OxidizedBackupFailed",),
        ),
        Column(title="Model", label="model"),
        Column(title="Devices", expr=f"count by (model) ({present})", width=100),
        Column(title="Failing", expr=f"count by (model) ({FAILING})", steps=NONE_IS_GOOD, width=100),
        Column(title="Job takes", expr=f"avg by (model) ({took})", unit="s", width=140),
        sort="Failing",
    )


def _failing_by_group() -> Builder[Panel]:
    failing = _of_groups("oxidized:group_devices_failing:count")
    last = _of_groups("oxidized:group_devices_failing:count", at="@ end()")
    return graph(
        About(
            title="Failing devices by group",
            text=f"Devices whose last job failed, of all models, of the {_LINES} groups that have most of them at the "
            "end of the time range.",
            width=12,
            height=8,
            runbooks=("OxidizedBackupFailed",),
        ),
        Query(expr=f"{failing} and on (group) topk({_LINES}, {last})", legend="{{group}}"),
    )


def _newest_job() -> Builder[Panel]:
    return graph(
        About(
            title="Time since the newest job ended",
            text=f"Of the {_LINES} instances where it is longest at the end of the time range. From two hours on an "
            "instance counts as stalled.",
            width=6,
            height=8,
            runbooks=("OxidizedJobsStalled", "OxidizedRestarted", "OxidizedResultsMissing"),
        ),
        Query(expr=top_targets("oxidized:newest_job_age:seconds", count=_LINES), legend="{{instance}} {{target}}"),
        unit="s",
        limit=STALLED,
    )


def _probe_duration() -> Builder[Panel]:
    return graph(
        About(
            title="Probe duration",
            text=f"Of the {_LINES} instances where probes take longest at the end of the time range.",
            width=6,
            height=8,
        ),
        Query(expr=top_targets("probe_duration_seconds", count=_LINES), legend="{{instance}} {{target}}"),
        unit="s",
    )


def _slowest() -> Builder[Panel]:
    took = per_device("oxidized_device_last_backup_time", over="2h")
    return listing(
        About(
            title="Slowest jobs",
            text=f"How long the last job of a device took: at most {_SLOWEST}, of the chosen groups and models.",
            width=12,
            height=9,
        ),
        *DEVICE_COLUMNS,
        Column(title="Took", expr=f"topk({_SLOWEST}, {took})", unit="s", width=130),
        sort="Took",
    )


def _collectors() -> Builder[Panel]:
    success = per_target("oxidized_collector_success", by="collector")
    took = per_target("oxidized_collector_duration_seconds", by="collector")
    return listing(
        About(
            title="Collectors",
            text="On how many of the chosen instances each collector runs, on how many it has not done all its work, "
            "and how long the slowest took.",
            width=6,
            height=9,
            runbooks=("OxidizedCollectorFailing",),
        ),
        Column(title="Collector", label="collector"),
        Column(title="Instances", expr=f"count by (collector) ({success})", width=90),
        Column(
            title="Failing",
            expr=f"count by (collector) ({success}) - sum by (collector) ({success})",
            steps=NONE_IS_GOOD,
            width=80,
        ),
        Column(title="Slowest", expr=f"max by (collector) ({took})", unit="s", width=90),
        sort="Failing",
    )


def _configurations() -> Builder[Panel]:
    known = f"count({per_device('oxidized_device_config_size')})"
    tiny = f"count({per_device('oxidized_device_config_size')} < {TINY})"
    skipped = f"sum by (reason) ({per_target('oxidized_configs_skipped', by='reason')}) > 0"
    return bars(
        About(
            title="Stored configurations",
            text=f"Only with the collector `configs`: how many are known, how many of those have less than {TINY} "
            "bytes, how many are still to be asked for, and how many are not asked for, by reason.",
            width=6,
            height=9,
            runbooks=("OxidizedConfigTiny", "OxidizedConfigShrank"),
        ),
        Query(expr=known, legend="known"),
        Query(expr=or_zero(tiny), legend="tiny"),
        Query(expr=f"sum({per_target('oxidized_configs_pending')})", legend="pending"),
        Query(expr=skipped, legend="skipped: {{reason}}"),
        colours={"known": GREEN, "tiny": RED, "pending": GREY},
    )


def _checks() -> Builder[Panel]:
    check = per_device("oxidized_device_config_check", by="check", over="10m")
    return listing(
        About(
            title="Configuration checks",
            text="Only with the collector `configs` and checks: how many configurations of the chosen groups and "
            "models are looked at, and how many are not as the check wants them.",
            width=12,
            height=8,
            runbooks=("OxidizedConfigCheckFailed",),
        ),
        Column(title="Check", label="check"),
        Column(title="Configurations", expr=f"count by (check) ({check})", width=130),
        Column(
            title="Failing",
            expr=f"count by (check) ({check}) - sum by (check) ({check})",
            steps=NONE_IS_GOOD,
            width=100,
        ),
        sort="Failing",
    )


def _versions() -> Builder[Panel]:
    info = per_target("oxidized_web_info", by="oxidized_version, web_version")
    return listing(
        About(
            title="Versions of Oxidized",
            text="Only with the collector `stats`: how many of the chosen instances have which.",
            width=12,
            height=8,
        ),
        Column(title="Oxidized", label="oxidized_version"),
        Column(title="oxidized-web", label="web_version"),
        Column(title="Instances", expr=f"count by (oxidized_version, web_version) ({info})", width=130),
        sort="Instances",
    )
