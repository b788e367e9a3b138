"""What each stage of a scrape costs, in one process without a network."""

from __future__ import annotations

import gc
import json
import statistics
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from isal import isal_zlib
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from oxidized_exporter.config import Limits, Module
from oxidized_exporter.metrics.collector import SnapshotCollector
from oxidized_exporter.metrics.exposition import Format, body_of
from oxidized_exporter.scrape.nodes import collect_nodes
from oxidized_exporter.scrape.snapshot import CollectorRun, Snapshot, TargetScrape
from oxidized_exporter.targets.url import parse_target

if TYPE_CHECKING:
    from collections.abc import Callable

_TEXT: Final = Format(kind="text")


@dataclass(frozen=True, slots=True)
class Stages:
    """Medians in milliseconds; all are taken in turn, in the same process and state.

    The library writes families whose samples have been made before, so that making them from columns is not its cost.
    """

    yardstick: float
    decode: float
    encode: float
    compress: float
    library: float
    text_bytes: int


def measure(body: bytes, *, rounds: int) -> Stages:
    """Measure the stages in turn, so many times, each round with the yardstick."""
    snapshot = _decode(body)
    pieces = list(_TEXT.encode(_registry(snapshot)))
    text = b"".join(pieces)
    plain = _Plain(_registry(snapshot))
    taken: dict[str, list[float]] = {}
    beside = ThreadPoolExecutor(max_workers=1)
    for _ in range(rounds):
        for name, work in (
            ("yardstick", lambda: json.loads(body)),
            ("decode", lambda: _decode(body)),
            ("encode", lambda: list(_TEXT.encode(_registry(snapshot)))),
            ("compress", lambda: body_of(pieces, gzip_accepted=True, beside=beside)),
            ("library", lambda: generate_latest(plain)),
        ):
            taken.setdefault(name, []).append(_milliseconds(work))
    beside.shutdown()
    return Stages(
        text_bytes=len(text),
        **{name: statistics.median(values) for name, values in taken.items()},
    )


def levels(body: bytes, *, rounds: int) -> list[tuple[str, float, int]]:
    """Return library and level, median milliseconds and bytes of compressing the text of a list."""
    text = b"".join(_TEXT.encode(_registry(_decode(body))))
    isal = ((f"ISA-L, {level}", partial(isal_zlib.compress, text, level)) for level in range(4))
    standard = ((f"zlib, {level}", partial(zlib.compress, text, level)) for level in (1, 6))
    return [
        (name, statistics.median(_milliseconds(work) for _ in range(rounds)), len(work()))
        for name, work in (*isal, *standard)
    ]


def _milliseconds(work: Callable[[], object]) -> float:
    gc.collect()
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _decode(body: bytes) -> Snapshot:
    summary = collect_nodes(body, module=Module(name="default"), limits=Limits())
    return Snapshot(
        scrapes=(
            TargetScrape(
                target=parse_target("http://oxidized.example.net:8888"),
                duration=0.1,
                summary=summary,
                failure=None,
                collectors=(CollectorRun(name="nodes", success=True, duration=0.1),),
                certificate_expiry=None,
            ),
        )
    )


class _Plain(Collector):
    """The same families as the library's own metrics, with all samples made."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._families = []
        for family in registry.collect():
            plain = Metric(family.name, family.documentation, family.type)
            plain.samples = list(family.samples)
            self._families.append(plain)

    def collect(self) -> list[Metric]:
        return self._families


def _registry(snapshot: Snapshot) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(snapshot))
    return registry
