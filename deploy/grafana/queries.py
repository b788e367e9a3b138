"""The parts that queries of the dashboard are made of.

Every selector takes the dashboard's variables. Series that a pair of Prometheus servers has twice, told apart by a
label of their own, are counted once: `max by` the labels that name an instance or a device comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TARGET_LABELS: Final = "job, instance, target"
"""What names one Oxidized; only jobs that scrape several at once have `target`."""
DEVICE_LABELS: Final = f"{TARGET_LABELS}, full_name, name, group, model"

OF_TARGETS: Final = 'job=~"$job", instance=~"$instance", target=~"$target"'
OF_GROUPS: Final = f'{OF_TARGETS}, group=~"$group"'
OF_DEVICES: Final = f'{OF_GROUPS}, model=~"$model"'
OF_DEVICE: Final = f'{OF_TARGETS}, full_name="$device"'

# The thresholds of the alerts, in seconds and in bytes.
STALLED: Final = 7200
OLD: Final = 2 * 86400
VERY_OLD: Final = 7 * 86400
EXPIRES_SOON: Final = 14 * 86400
TINY: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query of a panel.

    Attributes:
        expr: with the dashboard's variables.
        legend: what its series are called; labels in `{{ }}`.
    """

    expr: str
    legend: str = ""


def per_target(metric: str, *matchers: str, by: str = "", at: str = "") -> str:
    """Return a metric of the chosen instances, one series for each and for each value of the further labels ``by``.

    Args:
        metric: its name.
        matchers: further ones.
        by: labels that tell its series apart beside those of the instance.
        at: a modifier behind the selector, such as `@ end()`.
    """
    labels = ", ".join(filter(None, (TARGET_LABELS, by)))
    return f"max by ({labels}) ({metric}{{{', '.join((OF_TARGETS, *matchers))}}}{at and ' ' + at})"


def per_device(metric: str, *matchers: str, by: str = "", over: str = "", of: str = OF_DEVICES) -> str:
    """Return a metric of the chosen devices, one series for each and for each value of the further labels ``by``.

    Args:
        metric: its name.
        matchers: further ones.
        by: labels that tell its series apart beside those of the device.
        over: how far to look back for the last value, where a lost scrape must not hide the device.
        of: what chooses the devices.
    """
    labels = ", ".join(filter(None, (DEVICE_LABELS, by)))
    selector = f"{metric}{{{', '.join((of, *matchers))}}}"
    return f"max by ({labels}) ({f'last_over_time({selector}[{over}])' if over else selector})"


def or_zero(expr: str) -> str:
    """Return a number that is 0 where there is nothing to count."""
    return f"{expr} or vector(0)"


def top_targets(metric: str, *, count: int = 10) -> str:
    """Return the series of the instances that are highest at the end of the time range: no more in the whole graph."""
    return f"{per_target(metric)} and on ({TARGET_LABELS}) topk({count}, {per_target(metric, at='@ end()')})"


DEVICES: Final = per_target("oxidized_devices", by="status")
SUCCEEDED: Final = per_target("oxidized_devices", 'status="success"')
WITH_RESULT: Final = (
    f"sum by ({TARGET_LABELS}) (" + per_target("oxidized_devices", 'status!="never"', by="status") + ")"
)
"""Devices that have had a job: `never` is what Oxidized says after a restart and between retries, and is no result."""
RATE: Final = f"sum({SUCCEEDED}) / (sum({WITH_RESULT}) > 0)"
RATE_OF_TARGETS: Final = f"{SUCCEEDED} / on ({TARGET_LABELS}) ({WITH_RESULT} > 0)"
"""Success rate; there is none where no device has had a job."""

ANSWERING: Final = per_target("oxidized_status")
NOT_SCRAPED: Final = (
    f"{per_target('oxidized:target_known:bool')} unless on ({TARGET_LABELS}) oxidized_status{{{OF_TARGETS}}}"
)
NEWEST_JOB_AGE: Final = per_target("oxidized:newest_job_age:seconds")

# Present: an instance that does not answer keeps what is remembered of its devices, but not these.
PRESENT: Final = f"and on ({DEVICE_LABELS}) oxidized:device_status:last_10m{{{OF_DEVICES}}}"
BACKUP_AGE: Final = f"{per_device('oxidized:device_backup_age:seconds')} {PRESENT}"
SUCCESS_AGE: Final = f"time() - {per_device('oxidized:device_last_success:timestamp_seconds')}"
FAILING: Final = f"{per_device('oxidized:device_last_backup_status:last_2h')} == 1"
NEVER_BACKED_UP: Final = (
    f"{per_device('oxidized:device_first_seen:timestamp_seconds')} {PRESENT}"
    f" unless on ({DEVICE_LABELS}) oxidized:device_last_success:timestamp_seconds{{{OF_DEVICES}}}"
    f" unless on ({DEVICE_LABELS}) oxidized_device_modified_timestamp_seconds{{{OF_DEVICES}}}"
)
