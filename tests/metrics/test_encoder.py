"""The encoder writes what prometheus_client does, for families built independently with the library's own classes."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from oxidized_exporter.metrics.encoder import encode
from oxidized_exporter.metrics.family import Block, ColumnFamily, SharedLabels

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from prometheus_client.metrics_core import Metric

Row = tuple[tuple[str, ...], float | None]

_LIBRARY: Final[dict[str, Callable[[Collector], bytes]]] = {
    "text": generate_latest,
    "openmetrics": generate_openmetrics,
}
_LABELS: Final = ("full_name", "name", "group", "model", "ip")

texts = st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from('\\"\n{},= %')), max_size=8)
numbers = st.one_of(
    st.floats(),
    st.sampled_from(
        [0.0, -0.0, 1.0, 2.0, math.inf, -math.inf, math.nan, 1e6, 999999.9, 1e16, 5e-324, 1.7976931348623157e308]
    ),
    st.integers(min_value=10**9 - 2, max_value=10**10 + 2).map(float),
)


class Families(Collector):
    def __init__(self, *families: Metric) -> None:
        self._families = families

    def collect(self) -> tuple[Metric, ...]:
        return self._families


def column_family(
    name: str, kind: str, rows: list[Row], *, fixed: dict[str, str], split: int, owned: Collection[str] = ()
) -> ColumnFamily:
    blocks = []
    for part in (rows[:split], rows[split:]):
        columns = {label: [labels[place] for labels, _ in part] for place, label in enumerate(_LABELS)}
        own = {label: columns.pop(label) for label in owned}
        blocks.append(Block(shared=SharedLabels(columns), own=own, fixed=fixed, values=[value for _, value in part]))
    return ColumnFamily(name, 'What it is: "x" \\ y\nand z.', kind, blocks=blocks)


def library_family(name: str, kind: str, rows: list[Row], *, fixed: dict[str, str]) -> Metric:
    made = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
    family = made(name, 'What it is: "x" \\ y\nand z.', labels=[*_LABELS, *fixed])
    for labels, value in rows:
        if value is not None:
            family.add_metric([*labels, *fixed.values()], value)
    return family


rows_of = st.lists(st.tuples(st.tuples(*[texts] * len(_LABELS)), st.none() | numbers), max_size=8)


@pytest.mark.parametrize("form", _LIBRARY)
@given(
    rows=rows_of,
    kind=st.sampled_from([("a_gauge", "gauge"), ("a_total", "counter")]),
    fixed=st.dictionaries(st.sampled_from(["target", "status", "a"]), texts),
    split=st.integers(min_value=0, max_value=8),
    owned=st.sets(st.sampled_from(_LABELS)),
)
@example(rows=[(("a\nb", "c", "d", "e", "f"), 1.0)], kind=("a", "gauge"), fixed={}, split=9, owned=set())
@example(rows=[(("a\\b", "c", "d", "e", "f"), 1.0)], kind=("a", "gauge"), fixed={}, split=9, owned=set())
@example(rows=[(('a"b', "c", "d", "e", "f"), 1.0)], kind=("a", "gauge"), fixed={}, split=9, owned=set())
@example(
    rows=[((r"\"", '"', "\n", "\\", ""), -0.0), (("", "", "", "", ""), 0.0)] * 3,
    kind=("a", "gauge"),
    fixed={},
    split=0,
    owned=set(),
)
def test_the_bytes_are_the_library_s(  # noqa: PLR0917 - hypothesis passes by keyword
    form: str, rows: list[Row], kind: tuple[str, str], fixed: dict[str, str], split: int, owned: set[str]
) -> None:
    library = _LIBRARY[form]
    fast = Families(column_family(*kind, rows, fixed=fixed, split=split, owned=owned))
    slow = Families(library_family(*kind, rows, fixed=fixed))
    assert b"".join(encode(fast, library=library)) == library(slow)


@pytest.mark.parametrize("form", _LIBRARY)
@given(values=st.lists(numbers, min_size=1, max_size=40))
def test_numbers_are_written_as_the_library_does_however_often_they_stand(form: str, values: list[float]) -> None:
    rows: list[Row] = [(("f", str(place), "g", "m", "i"), value) for place, value in enumerate(values * 3)]
    library = _LIBRARY[form]
    fast = Families(
        column_family("first", "gauge", rows, fixed={}, split=99),
        column_family("second", "gauge", rows, fixed={}, split=0),
    )
    slow = Families(library_family("first", "gauge", rows, fixed={}), library_family("second", "gauge", rows, fixed={}))
    assert b"".join(encode(fast, library=library)) == library(slow)


@pytest.mark.parametrize("form", _LIBRARY)
def test_all_other_families_are_left_to_the_library(form: str) -> None:
    registry = CollectorRegistry()
    Counter("c", "c", ["l"], registry=registry).labels('"\n\\').inc()
    Gauge("g", "g", registry=registry).set(math.nan)
    Histogram("h", "h", registry=registry).observe(0.3)
    library = _LIBRARY[form]
    assert b"".join(encode(registry, library=library)) == library(registry)


def test_samples_are_made_when_they_are_asked_for_and_serve_any_registry() -> None:
    rows: list[Row] = [(("f", "n", "g", "m", "i"), 1.0), (("f", "o", "g", "m", "i"), None)]
    family = column_family("a_total", "counter", rows, fixed={"target": "t"}, split=1)
    expected = library_family("a_total", "counter", rows, fixed={"target": "t"})
    assert family == expected
    registry = CollectorRegistry(auto_describe=True)
    registry.register(Families(family))
    assert registry.get_sample_value("a_total", {**dict(zip(_LABELS, "fngmi", strict=True)), "target": "t"}) == 1.0
    assert generate_latest(registry.restricted_registry(["a_total"])) == generate_latest(Families(expected))


@given(st.binary(min_size=8, max_size=8))
def test_every_float_there_is_can_be_written(bits: bytes) -> None:
    (value,) = struct.unpack("<d", bits)
    rows: list[Row] = [(("f", "n", "g", "m", "i"), value)]
    arguments: dict[str, Any] = {"fixed": {}}
    fast = Families(column_family("a", "gauge", rows, split=0, **arguments))
    assert b"".join(encode(fast, library=generate_latest)) == generate_latest(
        Families(library_family("a", "gauge", rows, **arguments))
    )


@pytest.mark.parametrize("form", sorted(_LIBRARY))
@given(rows=st.lists(st.tuples(st.tuples(texts, texts, texts), numbers), min_size=1, max_size=4))
@example(rows=[(("a", "b", "c"), 1.0)])
def test_families_that_share_their_labels_are_written_as_by_themselves(
    form: str, rows: list[tuple[tuple[str, str, str], float]]
) -> None:
    one, other, ips = (list(column) for column in zip(*(labels for labels, _ in rows), strict=True))
    values = [value for _, value in rows]
    shared, swapped = SharedLabels({"group": one, "name": other}), SharedLabels({"group": other, "name": one})
    longer = SharedLabels({"group": one, "model": other})
    layouts: list[tuple[SharedLabels, dict[str, list[str]], dict[str, str]]] = [
        (shared, {}, {}),
        (shared, {"ip": ips}, {}),
        (shared, {"status": ips}, {}),
        (shared, {}, {"target": "http://a"}),
        (swapped, {}, {}),
        (longer, {}, {}),
    ]
    fast, plain = [], []
    for number, (labels, own, fixed) in enumerate(layouts):
        block = Block(shared=labels, own=own, fixed=fixed, values=values)
        fast.append(ColumnFamily(f"family_{number}", "help", "gauge", blocks=[block]))
        columns = {**labels.columns, **own}
        family = GaugeMetricFamily(f"family_{number}", "help", labels=[*columns, *fixed])
        for place, value in enumerate(values):
            family.add_metric([*(column[place] for column in columns.values()), *fixed.values()], value)
        plain.append(family)
    library = _LIBRARY[form]
    assert b"".join(encode(Families(*fast), library=library)) == library(Families(*plain))


@pytest.mark.parametrize("values", [[1, 2, 3], [True, False, True]])
def test_whole_numbers_are_written_as_the_library_does(values: list[float]) -> None:
    rows: list[Row] = [(("f", str(place), "g", "m", "i"), value) for place, value in enumerate(values)]
    fast = Families(column_family("a", "gauge", rows, fixed={}, split=9))
    slow = Families(library_family("a", "gauge", rows, fixed={}))
    assert b"".join(encode(fast, library=generate_latest)) == generate_latest(slow)
