"""The row of all instances: how many answer, how their devices fare, and which need somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from deploy.grafana.lists import RATE_STEPS, alerts, devices, instances
from deploy.grafana.panels import bars, graph, number
from deploy.grafana.parts import GREEN, GREY, NO_COLOUR, NONE_IS_GOOD, ORANGE, RED, YELLOW, About, Steps
from deploy.grafana.queries import (
    ANSWERING,
    BACKUP_AGE,
    DEVICE_LABELS,
    DEVICES,
    NEVER_BACKED_UP,
    NEWEST_JOB_AGE,
    NOT_SCRAPED,
    OF_TARGETS,
    OLD,
    RATE,
    RATE_OF_TARGETS,
    STALLED,
    SUCCESS_AGE,
    TARGET_LABELS,
    VERY_OLD,
    Query,
    or_zero,
    per_device,
    per_target,
)

if TYPE_CHECKING:
    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.models.dashboard import Panel

STATUS_COLOURS: Final = {
    "success": GREEN,
    "never": GREY,
    "no_connection": RED,
    "fail": "dark-red",
    "timelimit": ORANGE,
    "other": "purple",
}
_HOUR: Final = 3600
_AGES: Final = (
    ("under 2 h", None, 2 * _HOUR, GREEN),
    ("2 to 6 h", 2 * _HOUR, 6 * _HOUR, GREEN),
    ("6 to 24 h", 6 * _HOUR, 24 * _HOUR, "light-green"),
    ("1 to 2 days", 24 * _HOUR, OLD, YELLOW),
    ("2 to 7 days", OLD, VERY_OLD, ORANGE),
    ("over 7 days", VERY_OLD, None, RED),
)
_NO_SUCCESS: Final = "none seen"


def panels() -> list[Builder[Panel]]:
    """Return the panels of the row."""
    return [*_numbers(), *_graphs(), instances(), alerts(), *devices(), _ages(), _remarks()]


def _numbers() -> list[Builder[Panel]]:
    return [
        _number("Answering", "Instances that answer with a valid node list.", f"sum({ANSWERING})"),
        _troubled(
            "Not answering",
            "Instances whose probes fail. The table of instances says why.",
            f"{ANSWERING} == 0",
            "OxidizedConnectionDown",
        ),
        _troubled(
            "Not scraped",
            "Instances that were watched, and whose scrapes now fail: nothing is known of them.",
            NOT_SCRAPED,
            "OxidizedExporterDown",
        ),
        _troubled(
            "Stalled",
            "Instances that answer, but of which no job has ended for two hours, whatever its result.",
            f"{NEWEST_JOB_AGE} > {STALLED} and on ({TARGET_LABELS}) oxidized:target_answering:bool{{{OF_TARGETS}}}",
            "OxidizedJobsStalled",
        ),
        _number("Devices", "Devices of the instances that answer, of all groups and models.", f"sum({DEVICES})"),
        _number(
            "Success rate",
            "Share of the devices whose last job succeeded, of those that have had one. Devices that are `never` are "
            "left out: that is what Oxidized says after a restart, and between two retries.",
            RATE,
            "OxidizedBackupFailed",
            unit="percentunit",
            steps=RATE_STEPS,
        ),
        _troubled(
            "Old backups",
            "Devices without a success for two days, of the chosen groups and models.",
            f"({BACKUP_AGE}) > {OLD}",
            "OxidizedBackupVeryOld",
        ),
        _troubled(
            "Never backed up",
            "Devices of which neither a success has been seen nor anything is stored, of the chosen groups and models. "
            "One that was just added belongs to them until its first job.",
            NEVER_BACKED_UP,
            "OxidizedDeviceNeverBackedUp",
        ),
    ]


def _number(
    title: str, text: str, expr: str, *runbooks: str, unit: str = "short", steps: Steps = NO_COLOUR
) -> Builder[Panel]:
    about = About(title=title, text=text, width=3, height=4, runbooks=runbooks)
    return number(about, Query(expr=expr), unit=unit, steps=steps)


def _troubled(title: str, text: str, those: str, runbook: str) -> Builder[Panel]:
    """Return how many series an expression has, in red from one on."""
    return _number(title, text, or_zero(f"count({those})"), runbook, steps=NONE_IS_GOOD)


def _graphs() -> list[Builder[Panel]]:
    return [
        graph(
            About(
                title="Devices by status",
                text="Present status, of all groups and models. A failing device is `never` between two retries.",
                width=12,
                height=8,
                runbooks=("OxidizedBackupFailed", "OxidizedDeviceNoConnection"),
            ),
            Query(expr=f"sum by (status) ({DEVICES})", legend="{{status}}"),
            stacked=True,
            colours=STATUS_COLOURS,
        ),
        graph(
            About(
                title="Success rate over time",
                text="Share of the devices whose last job succeeded, of those that have had one.",
                width=6,
                height=8,
            ),
            Query(expr=RATE, legend="all instances"),
            Query(expr=f"min({RATE_OF_TARGETS})", legend="the worst instance"),
            share=True,
            colours={"all instances": GREEN, "the worst instance": ORANGE},
        ),
        graph(
            About(title="Instances over time", text="How many answer, and how many do not.", width=6, height=8),
            Query(expr=f"sum({ANSWERING})", legend="answering"),
            Query(expr=or_zero(f"count({ANSWERING} == 0)"), legend="not answering"),
            Query(expr=or_zero(f"count({NOT_SCRAPED})"), legend="not scraped"),
            stacked=True,
            colours={"answering": GREEN, "not answering": RED, "not scraped": GREY},
        ),
    ]


def _ages() -> Builder[Panel]:
    def between(least: float | None, most: float | None) -> str:
        compared = (f" > {least}" if least is not None else "") + (f" <= {most}" if most is not None else "")
        return or_zero(f"count(({SUCCESS_AGE}){compared})")

    none_seen = (
        f"count({per_device('oxidized:device_first_seen:timestamp_seconds')} unless on ({DEVICE_LABELS})"
        f" {per_device('oxidized:device_last_success:timestamp_seconds')})"
    )
    return bars(
        About(
            title="Age of the last success",
            text="Devices by the time since their last success, of the chosen groups and models; those of instances "
            "that do not answer included, as they were last known.",
            width=12,
            height=8,
            runbooks=("OxidizedBackupVeryOld", "OxidizedBackupVeryOldCritical"),
        ),
        *(Query(expr=between(least, most), legend=name) for name, least, most, _ in _AGES),
        Query(expr=or_zero(none_seen), legend=_NO_SUCCESS),
        colours={name: colour for name, _, _, colour in _AGES} | {_NO_SUCCESS: GREY},
    )


def _remarks() -> Builder[Panel]:
    told = (
        ("devices that expose secrets", "oxidized_devices_exposing_secrets", ORANGE),
        ("rows left out as duplicates", "oxidized_duplicate_devices", YELLOW),
        ("rows that cannot be read", "oxidized_invalid_devices", RED),
        ("labels that were cut", "oxidized_cut_labels", YELLOW),
        ("names in several groups, without statistics", "oxidized_stats_ambiguous_devices", GREY),
    )
    return bars(
        About(
            title="What is wrong in node lists",
            text="Of the chosen instances together.",
            width=12,
            height=8,
            runbooks=("OxidizedSecretsExposed", "OxidizedDuplicateDevices", "OxidizedDevicesUnreadable"),
        ),
        *(Query(expr=or_zero(f"sum({per_target(metric)})"), legend=legend) for legend, metric, _ in told),
        colours={legend: colour for legend, _, colour in told},
    )
