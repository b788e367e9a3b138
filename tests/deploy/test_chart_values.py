"""The values: each is in the schema and set by a case, and what a case sets has an effect."""

from __future__ import annotations

import copy
import json
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from oxidized_exporter.metrics.catalogue import CATALOGUE
from oxidized_exporter.metrics.definition import DEVICE_LABELS, TARGET_LABEL, ScrapeMetric
from tests.deploy.cases import VALUES, rendered
from tests.deploy.chart import CHART, RefusedError, template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.deploy.cases import KeyPath

DEFAULTS: Final = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA: Final = json.loads((CHART / "values.schema.json").read_text())
# Whole parts that a case replaces at once, or that are left as they are.
WHOLE: Final = {"podSecurityContext", "securityContext", "startupProbe", "livenessProbe", "readinessProbe"}
# Of a parent chart.
NOT_USED: Final = {"global", "enabled"}
# What a value of the case `hostile` is where the chart's own has to stay.
TAKEN: Final = "taken"


def leaves(value: object, at: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the path of every value that holds no other, in the entries of lists too."""
    parts: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = list(enumerate(value))
    if not parts:
        yield at
    for key, part in parts:
        yield from leaves(part, (*at, key))


def has(values: object, path: KeyPath) -> bool:
    return not path or (isinstance(values, dict) and path[0] in values and has(values[path[0]], path[1:]))


def test_every_value_is_set_by_a_case() -> None:
    paths = {
        path[:1] if path[0] in WHOLE else tuple(takewhile(lambda key: isinstance(key, str), path))
        for path in leaves(DEFAULTS)
    }
    assert {path for path in paths if not any(has(values, path) for values in VALUES.values())} == set()


@pytest.mark.parametrize("case", [case for case in VALUES if case != "default"])
def test_what_a_case_sets_has_an_effect(case: str) -> None:
    """Without it something else is rendered, or it is missed."""

    def told(path: KeyPath) -> str | None:
        values: Any = copy.deepcopy(VALUES[case])
        part = values
        for key in path[:-1]:
            part = part[key]
        taken = part.pop(path[-1]) == TAKEN
        try:
            same = template(values) == rendered(case).objects
        except RefusedError:
            same = False
        return None if same == taken else f"{'.'.join(map(str, path))} {'has no' if same else 'has an'} effect"

    with ThreadPoolExecutor() as threads:
        assert [fault for fault in threads.map(told, leaves(VALUES[case])) if fault] == []


def test_the_schema_knows_every_value_and_no_other_and_misses_what_is_null() -> None:
    def compare(values: Mapping[str, Any], schema: Mapping[str, Any], at: str) -> Iterator[str]:
        if "$ref" in schema:
            schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]]
        known = schema.get("properties")
        if known is None:
            return
        assert schema["additionalProperties"] is False, at
        yield from (f"{at}.{key}" for key in values.keys() - known.keys())
        if at.rpartition(".")[2] not in {*WHOLE, "resources"}:
            yield from (f"schema: {at}.{key}" for key in known.keys() - values.keys() - NOT_USED)
            yield from (f"null: {at}.{key}" for key in values.keys() ^ set(schema["required"]))
        for key, part in values.items():
            if isinstance(part, dict) and part:
                yield from compare(part, known[key], f"{at}.{key}")

    assert list(compare(DEFAULTS, SCHEMA, "")) == []


LABELS: Final = {"job", "instance", "__scheme__", *DEVICE_LABELS, TARGET_LABEL} | {
    label
    for metric in CATALOGUE
    for label in (metric.labels if isinstance(metric, ScrapeMetric) else metric.labels[len(DEVICE_LABELS) :])
}


@pytest.mark.parametrize("label", sorted(LABELS))
def test_no_label_of_a_target_is_one_that_its_series_have_already(label: str) -> None:
    target = {"name": "eu", "targets": ["http://oxidized.example.net:8888"], "labels": {"region": "eu", label: "a"}}
    with pytest.raises(RefusedError, match=f'probes.targets: the label "{label}" is not yours to set'):
        template({"probes": {"targets": [target]}})


def test_a_label_that_only_begins_or_ends_like_one_of_those_is_free() -> None:
    labels = {"jobs": "a", "my_job": "b", "instances": "c"}
    targets = {"eu": {"url": "http://oxidized.example.net", "labels": labels}}
    assert template({"config": {"data": {"targets": targets}}})


def test_the_values_of_the_readme_are_values() -> None:
    text = (CHART / "README.md").read_text()
    first = re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE)
    named = [name for cell in first for name in re.findall(r"`([\w.]+)`", cell)]
    assert [name for name in named if not has(DEFAULTS, tuple(name.split(".")))] == []
    assert len(named) > 10
