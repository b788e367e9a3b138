"""The row of one device, on whichever of the chosen instances has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from deploy.grafana.lists import AGE_STEPS, TARGET_COLUMNS
from deploy.grafana.panels import graph, number, states
from deploy.grafana.parts import GREEN, GREY, RED, About
from deploy.grafana.queries import OF_DEVICE, Query, per_device
from deploy.grafana.tables import Column, listing

if TYPE_CHECKING:
    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.models.dashboard import Panel

_RESULTS: Final = {"2": ("success", GREEN), "1": ("error", RED)}
_STATUSES: Final = {"2": ("success", GREEN), "1": ("never", GREY), "0": ("error", RED)}
_CHECKS: Final = {"1": ("holds", GREEN), "0": ("does not hold", RED)}
_MINUTES: Final = "10m"  # a lost scrape hides nothing


def panels() -> list[Builder[Panel]]:
    """Return the panels of the row."""
    return [*_numbers(), _where(), _checks(), _status(), _jobs(), _took(), _configuration()]


def _of(metric: str, *, over: str = "", by: str = "") -> str:
    return per_device(metric, over=over, by=by, of=OF_DEVICE)


def _numbers() -> list[Builder[Panel]]:
    return [
        number(
            About(
                title="Status",
                text="Present status; `never` stands for no job since Oxidized's start, or since the last attempt.",
                width=4,
                height=4,
                runbooks=("OxidizedDeviceNoConnection", "OxidizedDeviceNeverBackedUp"),
            ),
            Query(expr=_of("oxidized_device_status_info", by="status"), legend="{{status}}"),
            names=True,
        ),
        number(
            About(
                title="Last result",
                text="Result of the last job, retries bridged.",
                width=4,
                height=4,
                runbooks=("OxidizedBackupFailed",),
            ),
            Query(expr=_of("oxidized:device_last_backup_status:last_2h")),
            words=_RESULTS,
        ),
        number(
            About(
                title="Without success for",
                text="Time since the last success that has been seen, else since the device was first listed.",
                width=4,
                height=4,
                runbooks=("OxidizedBackupVeryOld",),
            ),
            Query(expr=_of("oxidized:device_backup_age:seconds")),
            unit="s",
            steps=AGE_STEPS,
        ),
        number(
            About(
                title="Times",
                text="When the last job ended; when the last success and the last failure to connect were seen (the "
                "latter only with the collector `stats`); and when the stored configuration last changed.",
                width=12,
                height=4,
            ),
            Query(expr=f"1000 * ({_of('oxidized_device_last_backup_end')} > 0)", legend="last job"),
            Query(expr=f"1000 * {_of('oxidized:device_last_success:timestamp_seconds')}", legend="last success"),
            Query(expr=f"1000 * {_of('oxidized_device_last_failure_timestamp_seconds')}", legend="last failure"),
            Query(expr=f"1000 * {_of('oxidized_device_modified_timestamp_seconds')}", legend="changed"),
            unit="dateTimeFromNow",
        ),
    ]


def _where() -> Builder[Panel]:
    return listing(
        About(title="Device", text="Where it is listed, and as what.", width=16, height=5),
        *TARGET_COLUMNS,
        Column(title="Group", label="group"),
        Column(title="Model", label="model"),
        Column(title="Address", label="ip"),
        Column(title="Listed", expr=_of("oxidized_device_info", by="ip"), hidden=True),
        sort="Instance",
        descending=False,
    )


def _checks() -> Builder[Panel]:
    return listing(
        About(
            title="Checks of its configuration",
            text="Only with the collector `configs` and checks that are for this device.",
            width=8,
            height=5,
            runbooks=("OxidizedConfigCheckFailed",),
        ),
        Column(title="Check", label="check"),
        Column(title="Result", expr=_of("oxidized_device_config_check", by="check", over=_MINUTES), words=_CHECKS),
        sort="Result",
        descending=False,
    )


def _status() -> Builder[Panel]:
    return states(
        About(
            title="Status over time",
            text="`never` between two retries is an attempt that failed.",
            width=24,
            height=4,
            runbooks=("OxidizedDeviceNoConnection",),
        ),
        Query(expr=_of("oxidized_device_status"), legend="{{instance}} {{target}}"),
        words=_STATUSES,
    )


def _jobs() -> Builder[Panel]:
    def counted(metric: str) -> str:
        return f"max by (job, instance, target) (increase({metric}{{{OF_DEVICE}}}[$__rate_interval]))"

    return graph(
        About(
            title="Jobs",
            text="Only with the collector `stats`: jobs in each interval, retries included, and those that failed.",
            width=8,
            height=8,
        ),
        Query(expr=counted("oxidized_device_backups_total"), legend="jobs {{target}}"),
        Query(expr=counted("oxidized_device_backup_failures_total"), legend="failed {{target}}"),
    )


def _took() -> Builder[Panel]:
    return graph(
        About(title="Duration of the last job", text="As Oxidized tells it.", width=8, height=8),
        Query(expr=_of("oxidized_device_last_backup_time"), legend="{{instance}} {{target}}"),
        unit="s",
    )


def _configuration() -> Builder[Panel]:
    return graph(
        About(
            title="Stored configuration",
            text="Only with the collector `configs`: its size in bytes, and its lines.",
            width=8,
            height=8,
            runbooks=("OxidizedConfigShrank", "OxidizedConfigTiny"),
        ),
        Query(expr=_of("oxidized_device_config_size", over=_MINUTES), legend="bytes {{target}}"),
        Query(expr=_of("oxidized_device_config_lines", over=_MINUTES), legend="lines {{target}}"),
    )
