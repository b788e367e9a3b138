"""The dashboard as it is checked in: current, complete, and made of metrics, labels and runbooks that there are."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Final

import promql_parser as promql
import pytest
from grafana_foundation_sdk.models.dashboard import RowPanel, VariableRefresh
from PIL import Image

from deploy.grafana import queries as parts
from deploy.grafana.dashboard import FILE, build, decode, encode
from deploy.grafana.links import RUNBOOKS, UID
from oxidized_exporter.metrics.catalogue import CATALOGUE
from oxidized_exporter.metrics.definition import TARGET_LABEL
from oxidized_exporter.metrics.exporter import EXPORTER_CATALOGUE
from tests.deploy import grafana, picture
from tests.deploy.grafana import ALL, Names
from tests.rule_files import ALERTS, METRICS, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grafana_foundation_sdk.models.dashboard import Dashboard

DASHBOARD: Final = grafana.dashboard()
VALUES: Final = dict.fromkeys(("job", "instance", "target", "group", "model"), ALL) | {"device": "dc1/core/rtr-1"}

# Of Prometheus, and of prometheus_client beside the catalogue.
_OTHERS: Final = {"ALERTS", "process_resident_memory_bytes"}
_OF_PROMETHEUS: Final = {"__name__", "job", "instance", "le", "alertname", "alertstate", "severity"}
_EXPORTER: Final = "Exporter"  # the row that heeds no variable


def known_metrics() -> set[str]:
    buckets = {f"{metric.name}_bucket" for metric in EXPORTER_CATALOGUE if metric.type == "histogram"}
    return METRICS | _OTHERS | buckets


def known_labels() -> set[str]:
    labels = {label for metric in (*CATALOGUE, *EXPORTER_CATALOGUE) for label in metric.labels}
    return _OF_PROMETHEUS | labels | {TARGET_LABEL}


def expressions(of: Dashboard) -> Iterator[tuple[str, str]]:
    """Yield row and expression of every query: of the panels, and the series that the variables ask for."""
    for row in grafana.rows(of):
        for panel in row.panels:
            yield from ((row.title, grafana.substituted(asked.expr, VALUES)) for asked in grafana.queries(panel))
    for variable in grafana.variables(of):
        series, _ = grafana.label_values(variable)
        yield "variables", grafana.substituted(series, VALUES)


def unknown(of: Dashboard) -> set[str]:
    """Return the metrics and labels that queries name and nobody has."""
    names = [Names.of(expr) for _, expr in expressions(of)]
    metrics = {metric for each in names for metric in each.metrics}
    labels = {label for each in names for label in each.labels}
    return (metrics - known_metrics()) | (labels - known_labels())


def test_the_json_is_current() -> None:
    assert FILE.read_text() == encode(build()), "run `make manifests`"


def test_the_sdk_s_types_know_all_that_is_in_the_json() -> None:
    text = FILE.read_text()
    assert encode(decode(text)) == text
    document = json.loads(text)
    document["panels"][1]["options"]["nobodyKnows"] = 1
    assert encode(decode(json.dumps(document))) == text, "what they do not know they lose, which the line above sees"


def test_queries_name_metrics_and_labels_that_there_are() -> None:
    assert unknown(DASHBOARD) == set()


@pytest.mark.parametrize("good, bad", [("oxidized_devices{", "oxidised_devices{"), ("by (status)", "by (state)")])
def test_a_metric_or_a_label_that_nobody_has_is_noticed(good: str, bad: str) -> None:
    text = FILE.read_text()
    assert good in text
    assert unknown(decode(text.replace(good, bad))) == {re.sub(r"by \(|\)|\{", "", bad)}


def test_every_query_heeds_the_choice_of_instances() -> None:
    chosen = {"job", "instance", TARGET_LABEL}
    careless = []

    def visit(node: object) -> None:
        if isinstance(node, promql.VectorSelector):
            names = {matcher.name for matcher in node.matchers.matchers}
            careless.extend([node.prettify()] if not chosen <= names else [])

    for row, expr in expressions(DASHBOARD):
        if row not in {_EXPORTER, "variables"}:
            promql.walk(promql.parse(expr), visit)
    assert careless == []


def test_a_choice_depends_on_those_before_it_alone() -> None:
    targets = ["job", "instance", "target"]
    assert {
        variable.name: re.findall(r"\$(\w+)", str(variable.query)) for variable in grafana.variables(DASHBOARD)
    } == {
        "job": [],
        "instance": targets[:1],
        "target": targets[:2],
        "group": targets,
        "model": targets,
        "device": [*targets, "group", "model"],
    }


def test_a_choice_is_of_several_or_all_and_is_offered_anew() -> None:
    """A series without the label, as that of a device without a group has none, is one of all."""
    for variable in grafana.variables(DASHBOARD):
        many = variable.name != "device"
        assert (bool(variable.multi), bool(variable.include_all)) == (many, many), variable.name
        assert variable.all_value == (ALL if many else None), variable.name
        assert variable.refresh == VariableRefresh.ON_TIME_RANGE_CHANGED, variable.name


def data_sources(of: object) -> Iterator[object]:
    """Yield whom a part of the JSON, or one in it, asks."""
    if isinstance(of, dict) and "datasource" in of:
        yield of["datasource"]
    for part in of.values() if isinstance(of, dict) else of if isinstance(of, list) else ():
        yield from data_sources(part)


def test_everything_asks_the_chosen_data_source() -> None:
    found = [*data_sources(json.loads(FILE.read_text()))]
    asking = grafana.panels(DASHBOARD)
    queries = [asked for panel in asking for asked in grafana.queries(panel)]
    assert len(found) == len(asking) + len(queries) + len(grafana.variables(DASHBOARD))
    assert all(one == {"type": "prometheus", "uid": "${datasource}"} for one in found)


def urls(of: object) -> Iterator[str]:
    """Yield what is linked to, wherever it stands in the JSON."""
    match of:
        case {"url": str(url), **others}:
            yield url
            yield from urls(others)
        case dict():
            for part in of.values():
                yield from urls(part)
        case list():
            for part in of:
                yield from urls(part)


def test_links_lead_to_runbooks_or_to_this_dashboard() -> None:
    found = set(urls(json.loads(FILE.read_text())))
    repository = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]
    assert f"{repository}/blob/main/docs/runbooks" == RUNBOOKS
    runbooks = {url.removeprefix(f"{RUNBOOKS}/") for url in found if url.startswith(RUNBOOKS)}
    linked = {page.removesuffix(".md") for page in runbooks} - {"README", "${__value.text}"}
    assert {page for page in runbooks if "$" not in page} <= {
        path.name for path in (ROOT / "docs" / "runbooks").iterdir()
    }
    assert linked == set(ALERTS), "each alert has a panel that shows more of it"
    inside = {url for url in found if not url.startswith(RUNBOOKS)}
    names = {variable.name for variable in grafana.variables(DASHBOARD)} | {"datasource"}
    assert inside
    for url in inside:
        assert url.startswith(f"/d/{UID}?")
        assert set(re.findall(r"var-(\w+)=|\$\{(\w+):queryparam\}", url)) <= {
            pair for name in names for pair in ((name, ""), ("", name))
        }


def test_thresholds_are_those_of_the_alerts() -> None:
    assert f"> {parts.STALLED})" in ALERTS["OxidizedJobsStalled"].expression
    assert f"> {parts.OLD // 86400} * 86400)" in ALERTS["OxidizedBackupVeryOld"].expression
    assert f"> {parts.VERY_OLD // 86400} * 86400)" in ALERTS["OxidizedBackupVeryOldCritical"].expression
    assert f"< {parts.EXPIRES_SOON // 86400} * 86400\n" in ALERTS["OxidizedCertificateExpiry"].expression
    assert ALERTS["OxidizedConfigTiny"].expression.endswith(f"< {parts.TINY}")


def test_panels_stand_side_by_side_and_have_numbers_and_words_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    numbers = []
    for panel in DASHBOARD.panels or []:
        inside = panel.panels if isinstance(panel, RowPanel) else []
        for each in (panel, *inside):
            assert each.grid_pos is not None
            at, size = (each.grid_pos.x, each.grid_pos.y), (each.grid_pos.w, each.grid_pos.h)
            cells = {(at[0] + right, at[1] + down) for right in range(size[0]) for down in range(size[1])}
            assert not cells & taken, each.title
            assert at[0] + size[0] <= 24, each.title
            taken |= cells
            numbers.append(each.id_val)
    assert len(set(numbers)) == len(numbers)
    assert all(panel.title and panel.description for panel in grafana.panels(DASHBOARD))


def test_the_picture_is_of_these_panels_and_small() -> None:
    with Image.open(picture.PICTURE) as shown:
        assert shown.info[picture.DESCRIPTION] == picture.fingerprint(), "run `make picture`"
    assert picture.PICTURE.stat().st_size < 150_000
