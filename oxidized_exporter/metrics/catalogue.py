"""Every metric of a probe, once: name, type, labels, help, collector, and how its samples are read off a scrape.

The collector, the HELP lines and docs/metrics.md all come from these tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oxidized_exporter.metrics.configs_metrics import CONFIGS
from oxidized_exporter.metrics.definition import DeviceMetric, ScrapeMetric, Series, one
from oxidized_exporter.metrics.stats_metrics import STATS
from oxidized_exporter.oxidized.models import NEVER, SUCCESS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from oxidized_exporter.metrics.definition import Labelled, MetricDefinition
    from oxidized_exporter.oxidized.models import Devices
    from oxidized_exporter.scrape.snapshot import NodesSummary, TargetScrape

_STATUS_VALUES: Final = {SUCCESS: 2.0, NEVER: 1.0}  # anything else is 0


def _of_summary(read: Callable[[NodesSummary], float | None]) -> Callable[[TargetScrape], Iterable[Labelled]]:
    def samples(scrape: TargetScrape) -> Iterable[Labelled]:
        return () if scrape.summary is None else one(read(scrape.summary))

    return samples


def _up(scrape: TargetScrape) -> Iterable[Labelled]:
    return one(float(scrape.failure is None))


def _failure(scrape: TargetScrape) -> Iterable[Labelled]:
    return () if scrape.failure is None else (((scrape.failure.reason,), 1.0),)


def _by_status(scrape: TargetScrape) -> Iterable[Labelled]:
    if scrape.summary is None:
        return ()
    return (((status,), float(count)) for status, count in scrape.summary.by_status.items())


def _of_devices(read: Callable[[Devices], Sequence[float | None]]) -> Callable[[TargetScrape, Devices], list[Series]]:
    return lambda _scrape, devices: [Series(read(devices))]


def _status_info(_scrape: TargetScrape, devices: Devices) -> list[Series]:
    return [Series([1.0] * len(devices), own={"status": devices.status})]


def _device_info(_scrape: TargetScrape, devices: Devices) -> list[Series]:
    return [Series([1.0] * len(devices), own={"ip": devices.ip})]


def _last_successes(scrape: TargetScrape, _devices: Devices) -> list[Series]:
    return [Series(scrape.last_successes())]


def _statuses(devices: Devices) -> list[float]:
    return [_STATUS_VALUES.get(status, 0.0) for status in devices.status]


def _results(devices: Devices) -> list[float | None]:
    return [None if succeeded is None else 2.0 if succeeded else 1.0 for succeeded in devices.succeeded]


def _ends(devices: Devices) -> list[float | None]:
    return [0.0 if succeeded is None else end for succeeded, end in zip(devices.succeeded, devices.end, strict=True)]


CATALOGUE: Final[tuple[MetricDefinition, ...]] = (
    ScrapeMetric(
        name="oxidized_status",
        help="1: Oxidized answered with a valid node list; 0: it did not (oxidized_probe_failure_info says why).",
        samples=_up,
    ),
    ScrapeMetric(
        name="probe_success",
        help="The same as oxidized_status, under the name that users of blackbox_exporter know.",
        samples=_up,
    ),
    ScrapeMetric(
        name="probe_duration_seconds",
        help="How long the probe took, in seconds.",
        samples=lambda scrape: one(scrape.duration),
    ),
    ScrapeMetric(
        name="oxidized_exporter_collect_duration",
        help="How long the probe took, in MILLISECONDS (an older name; prefer probe_duration_seconds).",
        samples=lambda scrape: one(scrape.duration * 1000),
    ),
    ScrapeMetric(
        name="oxidized_probe_failure_info",
        labels=("reason",),
        help="1, with the reason why oxidized_status is 0; absent while it is 1.",
        samples=_failure,
    ),
    ScrapeMetric(
        name="oxidized_collector_success",
        labels=("collector",),
        help="1: the collector did all that it was asked for; 0: it did not.",
        samples=lambda scrape: (((run.name,), float(run.success)) for run in scrape.collectors),
    ),
    ScrapeMetric(
        name="oxidized_collector_duration_seconds",
        labels=("collector",),
        help="How long the collector took, in seconds.",
        samples=lambda scrape: (((run.name,), run.duration) for run in scrape.collectors),
    ),
    ScrapeMetric(
        name="probe_ssl_earliest_cert_expiry",
        help="Earliest expiry of the certificates that the target sent, Unix time in seconds; https targets only.",
        samples=lambda scrape: one(scrape.certificate_expiry),
    ),
    ScrapeMetric(
        name="oxidized_devices",
        labels=("status",),
        help="Devices by present status, zeros included. Beware: never also counts devices between two retries.",
        collector="nodes",
        samples=_by_status,
    ),
    ScrapeMetric(
        name="oxidized_newest_job_timestamp_seconds",
        help="When the latest job of any device ended, whatever its result, Unix time in seconds; "
        "a hung Oxidized shows as a value that stands still. Absent while no job has ended.",
        collector="nodes",
        samples=_of_summary(lambda summary: summary.newest_end),
    ),
    ScrapeMetric(
        name="oxidized_oldest_job_timestamp_seconds",
        help="When the last job of that device ended that has waited longest, whatever its result, "
        "Unix time in seconds. Absent while no job has ended.",
        collector="nodes",
        samples=_of_summary(lambda summary: summary.oldest_end),
    ),
    ScrapeMetric(
        name="oxidized_duplicate_devices",
        help="Rows left out because another has the same full_name, name, group and model; "
        "the one with the latest job is kept.",
        collector="nodes",
        samples=_of_summary(lambda summary: summary.nodes.duplicates),
    ),
    ScrapeMetric(
        name="oxidized_invalid_devices",
        help="Rows of the node list that could not be read; the others are told.",
        collector="nodes",
        samples=_of_summary(lambda summary: summary.nodes.invalid),
    ),
    ScrapeMetric(
        name="oxidized_cut_labels",
        help="Label values that were cut at 1 KiB.",
        collector="nodes",
        samples=_of_summary(lambda summary: summary.nodes.cut_labels),
    ),
    ScrapeMetric(
        name="oxidized_devices_exposing_secrets",
        help="Devices whose variables in /nodes.json, open to whoever reaches Oxidized, hold a text under a key "
        "like enable, pass, secret, community, token or key.",
        collector="nodes",
        samples=_of_summary(lambda summary: summary.exposing_secrets),
    ),
    DeviceMetric(
        name="oxidized_device_status",
        help="Present status: 2 success, 1 never, 0 anything else. Beware: a failing device is never (1) between "
        "two retries; oxidized_device_status_info spells the status out.",
        series=_of_devices(_statuses),
    ),
    DeviceMetric(
        name="oxidized_device_status_info",
        help="1, with the present status as Oxidized spells it.",
        series=_status_info,
        extra="status",
    ),
    DeviceMetric(
        name="oxidized_device_last_backup_status",
        help="Result of the last job: 2 success, 1 error. Absent while there is none (also between two retries).",
        series=_of_devices(_results),
    ),
    DeviceMetric(
        name="oxidized_device_last_backup_start",
        help="When the last job began, Unix time in seconds. Absent while there is none.",
        series=_of_devices(lambda devices: devices.start),
    ),
    DeviceMetric(
        name="oxidized_device_last_backup_end",
        help="When the last job ended, whatever its result, Unix time in seconds. "
        "0 while there is none (also between two retries).",
        series=_of_devices(_ends),
    ),
    DeviceMetric(
        name="oxidized_device_last_backup_time",
        help="How long the last job took, in seconds (a duration, whatever the name says). Absent while there is none.",
        series=_of_devices(lambda devices: devices.duration),
    ),
    DeviceMetric(
        name="oxidized_device_last_success_timestamp_seconds",
        help="When the last successful backup ended, Unix time in seconds. Absent where the last job does not say "
        "success: bridge retries and restarts with last_over_time. With the collector stats the statistics page "
        "counts, too, which knows it until Oxidized restarts.",
        series=_last_successes,
    ),
    DeviceMetric(
        name="oxidized_device_modified_timestamp_seconds",
        help="When the stored configuration last changed (output git) or was last written (output file), Unix time in "
        "seconds. Absent while Oxidized does not know.",
        series=_of_devices(lambda devices: devices.modified),
    ),
    DeviceMetric(
        name="oxidized_device_info",
        help="1, with the address of the device.",
        series=_device_info,
        extra="ip",
    ),
    *CONFIGS,
    *STATS,
)
