"""The rules in a PrometheusRule: as the files have them, but for what the values change."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from tests.deploy.chart import CHART, NEWEST, RefusedError, template
from tests.deploy.schemas import schema_fault

if TYPE_CHECKING:
    from pathlib import Path

RECORDING: Final = {"record": "instance:oxidized_devices:sum", "expr": "sum by (instance) (oxidized_devices)"}
DOWN: Final = {
    "alert": "Down",
    "expr": "oxidized_status == 0",
    "for": "5m",
    "labels": {"severity": "critical"},
    "annotations": {
        "summary": "{{ $labels.instance }} does not answer: {{ $value | humanizeDuration }}",
        "runbook_url": "https://example.net/blob/main/docs/runbooks/Down.md",
    },
}
OLD: Final = {"alert": "Old", "expr": "oxidized_old > 1", "labels": {"severity": "warning"}}
EXPOSED: Final = {"alert": "Exposed", "expr": "oxidized_devices_exposing_secrets > 0"}
FILES: Final = {
    "oxidized-alerts.yml": [{"name": "alerts", "rules": [DOWN, OLD]}],
    "oxidized-recording.yml": [{"name": "recording", "interval": "1m", "rules": [RECORDING]}],
    "oxidized-secrets.yml": [{"name": "secrets", "rules": [EXPOSED]}],
}


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copied = tmp_path_factory.mktemp("chart") / CHART.name
    shutil.copytree(CHART, copied, ignore=shutil.ignore_patterns("rules"))
    (copied / "files" / "rules").mkdir(parents=True, exist_ok=True)
    for name, groups in FILES.items():
        (copied / "files" / "rules" / name).write_text(yaml.safe_dump({"groups": groups}, width=10_000))
    return copied


def groups_of(chart: Path, **values: object) -> list[dict[str, Any]]:
    (rule,) = [
        found
        for found in template({"prometheusRule": {"enabled": True, **values}}, chart=chart)
        if found["kind"] == "PrometheusRule"
    ]
    assert schema_fault(rule, kube_version=NEWEST) is None
    groups: list[dict[str, Any]] = rule["spec"]["groups"]
    return groups


def alerts_of(chart: Path, **values: object) -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for group in groups_of(chart, **values) for rule in group["rules"] if "alert" in rule}


def test_by_default_the_rules_are_those_of_the_files_less_the_one_of_secrets(chart: Path) -> None:
    empty: dict[str, object] = {"labels": {}, "annotations": {}}
    assert groups_of(chart) == [
        {"name": "alerts", "rules": [DOWN, empty | OLD]},
        {"name": "recording", "interval": "1m", "rules": [RECORDING]},
    ]


def test_the_alert_of_exposed_secrets_is_switched_on_by_a_value(chart: Path) -> None:
    assert "Exposed" not in alerts_of(chart)
    assert alerts_of(chart, secretsExposed=True)["Exposed"]["expr"] == EXPOSED["expr"]


def test_an_alert_is_left_out_and_with_its_last_one_its_group(chart: Path) -> None:
    assert alerts_of(chart, disabled=["Old"]).keys() == {"Down"}
    assert [group["name"] for group in groups_of(chart, disabled=["Old", "Down"])] == ["recording"]


def test_fields_of_an_alert_are_replaced_and_its_labels_and_annotations_added_to(chart: Path) -> None:
    override = {
        "expr": "a > 1",
        "for": "1h",
        "labels": {"severity": "info", "a": "b"},
        "annotations": {"c": "{{ $value }}"},
    }
    changed = alerts_of(chart, overrides={"Down": override}, alertLabels={"team": "network", "severity": "page"})
    assert changed["Down"] == DOWN | {
        "expr": "a > 1",
        "for": "1h",
        "labels": {"severity": "info", "a": "b", "team": "network"},
        "annotations": DOWN["annotations"] | {"c": "{{ $value }}"},  # type: ignore[operator] # a dict
    }
    assert changed["Old"]["labels"] == {"severity": "page", "team": "network"}


@pytest.mark.parametrize("base", ["https://runbooks.example.net/oxidized", "https://runbooks.example.net/oxidized/"])
def test_runbooks_stand_elsewhere_under_the_same_name(chart: Path, base: str) -> None:
    changed = alerts_of(chart, runbookBaseUrl=base)
    assert changed["Down"]["annotations"]["runbook_url"] == "https://runbooks.example.net/oxidized/Down.md"
    assert changed["Old"]["annotations"] == {}


@pytest.mark.parametrize("values", [{"disabled": ["Dwon"]}, {"overrides": {"Dwon": {"for": "1h"}}}])
def test_an_alert_that_is_not_there_is_refused(chart: Path, values: dict[str, object]) -> None:
    with pytest.raises(RefusedError, match='no alert is named "Dwon"; there are Down, Old, Exposed'):
        groups_of(chart, **values)
