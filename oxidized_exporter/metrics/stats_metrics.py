"""The metrics of the collector ``stats``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oxidized_exporter.metrics.definition import DeviceMetric, ScrapeMetric, Series, one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from oxidized_exporter.metrics.definition import Labelled, MetricDefinition
    from oxidized_exporter.oxidized.models import Devices
    from oxidized_exporter.scrape.snapshot import StatsSummary, TargetScrape


def _of_stats(
    read: Callable[[StatsSummary], Sequence[float | None]],
) -> Callable[[TargetScrape, Devices], list[Series]]:
    return lambda scrape, _devices: [] if scrape.stats is None else [Series(read(scrape.stats))]


def _web_info(scrape: TargetScrape) -> Iterable[Labelled]:
    stats = scrape.stats
    if stats is None or (stats.oxidized_version, stats.web_version) == (None, None):
        return ()
    return (((stats.oxidized_version or "", stats.web_version or ""), 1.0),)


STATS: Final[tuple[MetricDefinition, ...]] = (
    DeviceMetric(
        name="oxidized_device_backups_total",
        help="Jobs of the device since Oxidized's start, retries included. Absent where its name stands in several "
        "groups.",
        collector="stats",
        type="counter",
        series=_of_stats(lambda stats: stats.runs),
    ),
    DeviceMetric(
        name="oxidized_device_backup_failures_total",
        help="Jobs of the device that failed, likewise.",
        collector="stats",
        type="counter",
        series=_of_stats(lambda stats: stats.failures),
    ),
    DeviceMetric(
        name="oxidized_device_last_failure_timestamp_seconds",
        help="When the last job of the device ended that could not connect, Unix time in seconds; Oxidized does not "
        "note when one failed otherwise. Absent where there was none since Oxidized's start.",
        collector="stats",
        series=_of_stats(lambda stats: stats.last_failure),
    ),
    ScrapeMetric(
        name="oxidized_stats_ambiguous_devices",
        help="Names that stand in several groups: the statistics page does not say whom it means, so its row is "
        "given to nobody.",
        collector="stats",
        samples=lambda scrape: one(None if scrape.stats is None else scrape.stats.ambiguous),
    ),
    ScrapeMetric(
        name="oxidized_web_info",
        labels=("oxidized_version", "web_version"),
        help="1, with the versions of Oxidized and of oxidized-web, as the pages' footer tells them.",
        collector="stats",
        samples=_web_info,
    ),
)
