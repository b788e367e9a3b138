"""The prometheus_client collector over one finished scrape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from oxidized_exporter.metrics.catalogue import CATALOGUE
from oxidized_exporter.metrics.definition import PROBE, TARGET_LABEL, DeviceMetric, ScrapeMetric, device_labels
from oxidized_exporter.metrics.family import Block, ColumnFamily, SharedLabels, family_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oxidized_exporter.metrics.definition import MetricDefinition
    from oxidized_exporter.scrape.snapshot import Snapshot, TargetScrape


class SnapshotCollector(Collector):
    """Yields the catalogue's families over a snapshot; families without a sample are left out."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._shared = {
            scrape.target: SharedLabels(device_labels(scrape.summary.shown))
            for scrape in snapshot.scrapes
            if scrape.summary is not None
        }

    def describe(self) -> Iterator[Metric]:
        """Yield every family without samples, so that registering reads nothing."""
        return map(_family, CATALOGUE)

    def collect(self) -> Iterator[Metric]:
        """Yield every family that has a sample."""
        for definition in CATALOGUE:
            if isinstance(definition, DeviceMetric):
                blocks = tuple(self._blocks(definition))
                if any(block.has_samples for block in blocks):
                    yield ColumnFamily(definition.name, definition.help, definition.type, blocks=blocks)
            else:
                family = self._few_samples(definition)
                if family.samples:
                    yield family

    def _blocks(self, definition: DeviceMetric) -> Iterator[Block]:
        for scrape in self._asked(definition):
            if scrape.summary is not None:
                devices = scrape.summary.shown
                for series in definition.series(scrape, devices):
                    yield Block(
                        shared=self._shared[scrape.target],
                        own=series.own,
                        fixed={**series.fixed, **self._target(scrape.target.label)},
                        values=series.values,
                    )

    def _few_samples(self, definition: ScrapeMetric) -> Metric:
        family = _family(definition)
        for scrape in self._asked(definition):
            for values, number in definition.samples(scrape):
                labels = dict(zip(definition.labels, values, strict=True))
                family.add_sample(definition.name, labels | self._target(scrape.target.label), number)
        return family

    def _asked(self, definition: MetricDefinition) -> Iterator[TargetScrape]:
        """Yield the targets of which the metric's collector was asked for; what is of the probe is told in any case."""
        for scrape in self._snapshot.scrapes:
            if definition.collector == PROBE or any(run.name == definition.collector for run in scrape.collectors):
                yield scrape

    def _target(self, label: str) -> dict[str, str]:
        return {TARGET_LABEL: label} if self._snapshot.several else {}


def _family(definition: MetricDefinition) -> Metric:
    return Metric(family_name(definition.name, definition.type), definition.help, definition.type)
