"""What a metric of a probe is: name, type, labels, help, collector, and how its samples are read off a scrape."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from oxidized_exporter.oxidized.models import Devices
    from oxidized_exporter.scrape.snapshot import TargetScrape

Labelled = tuple[tuple[str, ...], float]
"""Label values, in the order of the metric's labels, and the value."""

DEVICE_LABELS: Final = ("full_name", "name", "group", "model")
TARGET_LABEL: Final = "target"
PROBE: Final = "probe"
"""In place of a collector: the metrics of every answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeMetric:
    """A metric about one scrape of one target.

    Attributes:
        name: with its suffix (``_total`` of a counter).
        labels: in their order; ``target`` is added where one scrape has several targets.
        help: what a reader must know: units, when absent.
        collector: which collector yields it, or `PROBE`.
        samples: reads them off a scrape.
        type: as in the exposition formats.
    """

    name: str
    help: str
    samples: Callable[[TargetScrape], Iterable[Labelled]]
    labels: tuple[str, ...] = ()
    collector: str = PROBE
    type: Literal["gauge", "counter"] = "gauge"


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one metric, one for each device that is shown; None where there is no sample.

    Attributes:
        values: a column.
        own: labels behind `DEVICE_LABELS`, a column each.
        fixed: labels that are the same for all devices.
    """

    values: Sequence[float | None]
    own: Mapping[str, Sequence[str]] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMetric:
    """A metric of every device: `DEVICE_LABELS`, then one more where it has one.

    Attributes:
        name: with its suffix (``_total`` of a counter).
        help: what a reader must know: units, when absent.
        series: reads them off a scrape that has a node list.
        extra: label behind `DEVICE_LABELS`, or None.
        collector: which collector yields it.
        type: as in the exposition formats.
    """

    name: str
    help: str
    series: Callable[[TargetScrape, Devices], Iterable[Series]]
    extra: str | None = None
    collector: str = "nodes"
    type: Literal["gauge", "counter"] = "gauge"

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the names of all labels, in their order."""
        return DEVICE_LABELS if self.extra is None else (*DEVICE_LABELS, self.extra)


MetricDefinition = ScrapeMetric | DeviceMetric


def one(value: float | None) -> tuple[Labelled, ...]:
    """Return the one sample of a metric without labels, or none."""
    return () if value is None else (((), value),)


def device_labels(devices: Devices) -> dict[str, Sequence[str]]:
    """Read `DEVICE_LABELS` off the devices, a column each."""
    return {label: getattr(devices, label) for label in DEVICE_LABELS}
