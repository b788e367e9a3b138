"""Writes docs/metrics.md from the catalogues: ``python -m tests.metrics_page``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from oxidized_exporter.errors import FAILURE_REASONS, ProbeError
from oxidized_exporter.metrics.catalogue import CATALOGUE
from oxidized_exporter.metrics.definition import DEVICE_LABELS, DeviceMetric, MetricDefinition
from oxidized_exporter.metrics.exporter import EXPORTER_CATALOGUE, ExporterMetric
from oxidized_exporter.scrape.nodes import STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PAGE: Final = Path(__file__).parent.parent / "docs" / "metrics.md"


def page() -> str:
    """Return the page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Metrics"
    yield ""
    yield "<!-- Written by `make docs` from the catalogues in oxidized_exporter/metrics/; do not edit. -->"
    yield ""
    yield "## Of a probe"
    yield ""
    yield "`GET /probe` answers with these. Where one scrape has several targets, every sample carries the label"
    yield "`target` as well, with the target as it was written in the request. *Device* stands for the labels"
    yield ", ".join(f"`{label}`" for label in DEVICE_LABELS) + ", in that order."
    for collector in dict.fromkeys(metric.collector for metric in CATALOGUE):
        yield ""
        yield "### In every answer" if collector == "probe" else f"### Collector `{collector}`"
        yield ""
        yield from _table([metric for metric in CATALOGUE if metric.collector == collector])
    yield ""
    yield "Values of `status` in `oxidized_devices`: " + ", ".join(f"`{status}`" for status in STATUSES) + "."
    yield ""
    yield "Values of `reason` in `oxidized_probe_failure_info`:"
    yield ""
    yield "| reason | what happened |"
    yield "| --- | --- |"
    for kind in ProbeError.__subclasses__():
        yield f"| `{kind.reason}` | {(kind.__doc__ or '').replace('``', '`')} |"
    assert {kind.reason for kind in ProbeError.__subclasses__()} == set(FAILURE_REASONS)
    yield ""
    yield "## Of the exporter itself"
    yield ""
    yield "`GET /metrics` answers with these. No label holds a target: how many series there are is not the caller's to"
    yield "choose."
    yield ""
    yield from _table(EXPORTER_CATALOGUE)
    yield ""
    yield "### Of its process and of Python"
    yield ""
    yield "They stand beside them on `/metrics`, and are prometheus_client's. Those of the process need `/proc`."
    yield ""
    yield from _head()
    yield from _of_the_library()
    yield ""
    yield "## What `promtool check metrics` remarks"
    yield ""
    yield "Nothing: neither on a probe nor on `/metrics` (version 2.42, Debian's; `tests/system/test_promtool.py`)."


def _of_the_library() -> Iterator[str]:
    """Yield a row for each metric of prometheus_client's own collectors."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    for family in registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = ", ".join(f"`{label}`" for label in family.samples[0].labels)
        yield f"| `{name}` | {family.type} | {labels} | {family.documentation.removesuffix('.')}. |"


def _table(metrics: Sequence[MetricDefinition | ExporterMetric]) -> Iterator[str]:
    yield from _head()
    for metric in metrics:
        if isinstance(metric, DeviceMetric):
            labels = "*device*" + ("" if metric.extra is None else f", `{metric.extra[0]}`")
        else:
            labels = ", ".join(f"`{label}`" for label in metric.labels)
        yield f"| `{metric.name}` | {metric.type} | {labels} | {metric.help} |"


def _head() -> Iterator[str]:
    yield "| metric | type | labels | help |"
    yield "| --- | --- | --- | --- |"


if __name__ == "__main__":
    PAGE.write_text(page())
