"""The prometheus_client collector over one finished scrape."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from oxidized_exporter.metrics.catalogue import CATALOGUE, TARGET_LABEL, MetricDefinition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oxidized_exporter.scrape.snapshot import Snapshot


class SnapshotCollector(Collector):
    """Yields the catalogue's families over a snapshot; families without a sample are left out."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def describe(self) -> Iterator[Metric]:
        """Yield every family without samples, so that registering reads nothing."""
        return map(_family, CATALOGUE)

    def collect(self) -> Iterator[Metric]:
        """Yield every family that has a sample."""
        for definition in CATALOGUE:
            family = _family(definition)
            for scrape in self._snapshot.scrapes:
                target = {TARGET_LABEL: scrape.target.label} if self._snapshot.several else {}
                for values, number in definition.samples(scrape):
                    labels = dict(zip(definition.labels, values, strict=True))
                    family.add_sample(definition.name, labels | target, number)
            if family.samples:
                yield family


def _family(definition: MetricDefinition) -> Metric:
    name = definition.name.removesuffix("_total") if definition.type == "counter" else definition.name
    return Metric(name, definition.help, definition.type)
