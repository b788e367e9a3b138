"""What a scrape is answered with, read back by prometheus_client's own parsers."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from oxidized_exporter.metrics.catalogue import CATALOGUE
from oxidized_exporter.metrics.collector import SnapshotCollector
from oxidized_exporter.metrics.exposition import Format
from oxidized_exporter.scrape.snapshot import CollectorRun, Snapshot, TargetScrape
from oxidized_exporter.targets.url import parse_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oxidized_exporter.scrape.snapshot import NodesSummary, StatsSummary

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]

_TARGET: Final = parse_target("http://oxidized.example:8888")
_PARSERS: Final[Mapping[Any, Any]] = {"text": parse_text, "openmetrics": parse_openmetrics}
_NAMES: Final = {metric.name for metric in CATALOGUE}
MOST_PARSED: Final = 12
"""Devices in an exposition that is read back; the parsers are slow."""
_ONE_OF: Final = 32


def is_sampled(data: bytes) -> bool:
    """Tell whether the exposition of an input is read back: of one in thirty-two, always the same ones."""
    return zlib.crc32(data) % _ONE_OF == 0


def checked_exposition(summary: NodesSummary, stats: StatsSummary | None = None) -> Samples:
    """Encode a scrape in both formats, hold one to the other, and return the samples."""
    runs = ("nodes",) if stats is None else ("nodes", "stats")
    scrape = TargetScrape(
        target=_TARGET,
        duration=0.5,
        summary=summary,
        failure=None,
        collectors=tuple(CollectorRun(name=name, success=True, duration=0.25) for name in runs),
        certificate_expiry=None,
        stats=stats,
    )
    read: dict[str, Samples] = {}
    for kind, parse in _PARSERS.items():
        body = b"".join(Format(kind=kind).encode(SnapshotCollector(Snapshot(scrapes=(scrape,)))))
        samples: Samples = {}
        for family in parse(body.decode()):
            for sample in family.samples:
                series = (sample.name, frozenset(sample.labels.items()))
                assert series not in samples, f"{sample.name} stands twice"
                assert sample.name in _NAMES, f"{sample.name} is in no catalogue"
                samples[series] = sample.value
        read[kind] = samples
    assert read["text"] == read["openmetrics"], "the formats differ"
    return read["text"]
