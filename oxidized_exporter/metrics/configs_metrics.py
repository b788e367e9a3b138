"""The metrics of the collector ``configs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oxidized_exporter.metrics.definition import DeviceMetric, ScrapeMetric, Series, one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from oxidized_exporter.metrics.definition import Labelled, MetricDefinition
    from oxidized_exporter.oxidized.models import Devices
    from oxidized_exporter.scrape.snapshot import ConfigsSummary, TargetScrape


def _of_configs(
    read: Callable[[ConfigsSummary], Sequence[float | None]],
) -> Callable[[TargetScrape, Devices], list[Series]]:
    return lambda scrape, _devices: [] if scrape.configs is None else [Series(read(scrape.configs))]


def _checks(scrape: TargetScrape, _devices: Devices) -> list[Series]:
    checks = {} if scrape.configs is None else scrape.configs.checks
    return [Series(column, fixed={"check": name}) for name, column in checks.items()]


def _skipped(scrape: TargetScrape) -> Iterable[Labelled]:
    skipped = {} if scrape.configs is None else scrape.configs.skipped
    return (((reason,), float(count)) for reason, count in skipped.items())


CONFIGS: Final[tuple[MetricDefinition, ...]] = (
    DeviceMetric(
        name="oxidized_device_config_size",
        help="Size of the stored configuration in bytes. Absent where there is none, and while none was had.",
        collector="configs",
        series=_of_configs(lambda configs: configs.size),
    ),
    DeviceMetric(
        name="oxidized_device_config_lines",
        help="Lines of the stored configuration, as wc -l counts them. Absent where there is none, and while none was "
        "had.",
        collector="configs",
        series=_of_configs(lambda configs: configs.lines),
    ),
    DeviceMetric(
        name="oxidized_device_config_check",
        help="1: the stored configuration is as the check wants it; 0: it is not. Absent where the check is for other "
        "devices, where there is no configuration, and where it is larger than 16 MiB.",
        collector="configs",
        series=_checks,
        extra="check",
    ),
    ScrapeMetric(
        name="oxidized_configs_pending",
        help="Devices whose stored configuration was to be asked for and was not had: the deadline came first, or "
        "Oxidized answered with an error. The next scrape asks for them.",
        collector="configs",
        samples=lambda scrape: one(None if scrape.configs is None else scrape.configs.pending),
    ),
    ScrapeMetric(
        name="oxidized_configs_skipped",
        labels=("reason",),
        help="Devices whose stored configuration is not asked for, zeros included: unsafe_name, the path could lead to "
        "another route or was cut; empty_group and json_name, no path leads there; namesake and ungrouped, the device "
        "has no group, and Oxidized may answer with another's or with an error.",
        collector="configs",
        samples=_skipped,
    ),
)
