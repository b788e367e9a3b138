"""Rules: sound, made of metrics that exist, each with a unit test that fires and one that must not."""

from __future__ import annotations

import re
import subprocess
import tomllib
from typing import TYPE_CHECKING, Final

import pytest
import yaml

from oxidized_exporter.metrics.catalogue import CATALOGUE
from oxidized_exporter.metrics.exporter import EXPORTER_CATALOGUE
from tests.deploy.rule_files import ALERTS, RECORDS, ROOT, RULE_FILES, RULES, UNIT_TESTS, Document, Rule, read

if TYPE_CHECKING:
    from pathlib import Path

_SEVERITIES = ("critical", "warning", "info")

# For each alert, what of its rule keeps it silent in its silent tests: without that, one of them must fail.
_WEAKENED: Final = {
    "OxidizedConnectionDown": [("5m", "0m")],
    "OxidizedExporterDown": [("and on (job, instance)\n      oxidized:target_known:bool", "")],
    "OxidizedRestarted": [
        ("oxidized_device_modified_timestamp_seconds", "nothing"),
        ("10m", "0m"),
    ],
    "OxidizedJobsStalled": [
        ("and on (job, instance, target)\n    (oxidized_status == 1)", ""),
        ("oxidized:newest_job_age:seconds", "(time() - oxidized_newest_job_timestamp_seconds)"),
    ],
    "OxidizedDevicesVanished": [("> 0", "!= 0"), ("== (", ">= (")],
    "OxidizedCollectorFailing": [
        ("and on (job, instance, target)\n    (oxidized_status == 1)", ""),
    ],
    "OxidizedCertificateExpiry": [
        ("14 * 86400", "60 * 86400"),
        ("and on (job, instance, target)\n    oxidized_status", ""),
    ],
    "OxidizedDuplicateDevices": [("> 0", ">= 0"), ("15m", "0m")],
    "OxidizedDevicesUnreadable": [("> 0", ">= 0"), ("15m", "0m")],
    "OxidizedExporterConfigNotReloaded": [("== 0", ">= 0"), ("5m", "0m")],
    "OxidizedBackupFailed": [("== 1", ">= 1")],
    "OxidizedDeviceNoConnection": [
        ("(oxidized:device_last_backup_status:last_2h == 1)", "oxidized:device_last_backup_status:last_2h"),
        ('oxidized_device_status_info{status!~"no_connection|never"}', "nothing"),
    ],
    "OxidizedDeviceNeverBackedUp": [
        ("> 7200", "> 3600"),
        ("oxidized:device_last_success:timestamp_seconds", "nothing"),
        ("oxidized_device_modified_timestamp_seconds", "nothing"),
    ],
    "OxidizedBackupVeryOld": [
        ("2 * 86400", "1 * 86400"),
        ("oxidized_device_status", "oxidized:device_backup_age:seconds"),
    ],
    "OxidizedBackupVeryOldCritical": [("7 * 86400", "6 * 86400")],
    "OxidizedSecretsExposed": [("> 0", ">= 0")],
}


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False)  # noqa: S603, S607 - the tests' own arguments, the PATH's promtool


def unit_tests(alert: str) -> list[Document]:
    tests: list[Document] = read(UNIT_TESTS / f"{alert}.yml")["tests"]
    return tests


def expected(test: Document) -> list[Document]:
    (rule_test,) = test["alert_rule_test"]
    alerts: list[Document] = rule_test["exp_alerts"]
    return alerts


def run_with(directory: Path, alert: str, rule: Rule, tests: list[Document]) -> subprocess.CompletedProcess[str]:
    """Run an alert's unit tests with another rule in its place."""
    document = read(rule.file)
    for group in document["groups"]:
        group["rules"] = [rule.fields if known.get("alert") == alert else known for known in group["rules"]]
    (directory / "alerts.yml").write_text(yaml.safe_dump(document))
    file = read(UNIT_TESTS / f"{alert}.yml")
    file["rule_files"] = [str(RULES / "oxidized-recording.yml"), "alerts.yml"]
    file["tests"] = tests
    (directory / "tests.yml").write_text(yaml.safe_dump(file))
    return promtool("test", "rules", directory / "tests.yml")


def metrics_in(expression: str) -> set[str]:
    unquoted = re.sub(r'"[^"]*"', "", expression)
    return set(re.findall(r"\b(?:oxidized|probe)[a-z0-9_:]*", unquoted))


@pytest.mark.parametrize("file", RULE_FILES, ids=lambda file: file.name)
def test_promtool_accepts_the_file(file: Path) -> None:
    checked = promtool("check", "rules", "--lint=all", "--lint-fatal", file)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_how_bad_since_when_and_where_to_read_on(alert: str) -> None:
    fields = ALERTS[alert].fields
    assert fields["labels"]["severity"] in _SEVERITIES
    assert re.fullmatch(r"\d+[mh]", fields["for"])
    annotations = fields["annotations"]
    assert list(annotations) == ["summary", "description", "runbook_url"]
    assert (
        "{{ $labels." in annotations["summary"] or "{{ or $labels.target $labels.instance }}" in annotations["summary"]
    )
    assert "{{ $value" in annotations["description"], "the value, in words"
    repository = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]
    assert annotations["runbook_url"] == f"{repository}/blob/main/docs/runbooks/{alert}.md"


@pytest.mark.parametrize("name", [*ALERTS, *RECORDS])
def test_a_rule_is_made_of_metrics_that_exist(name: str) -> None:
    known = {metric.name for metric in (*CATALOGUE, *EXPORTER_CATALOGUE)} | set(RECORDS)
    used = metrics_in((ALERTS | RECORDS)[name].expression)
    assert used <= known
    assert used, "a rule without a metric says nothing"


@pytest.mark.parametrize("alert", ALERTS)
def test_the_unit_tests_of_an_alert_hold(alert: str) -> None:
    ran = promtool("test", "rules", UNIT_TESTS / f"{alert}.yml")
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_tests_that_fire_and_tests_that_must_not(alert: str) -> None:
    for test in unit_tests(alert):
        kind = "fires" if expected(test) else "silent"
        assert test["name"].startswith(f"{alert} {kind} ")
        assert test["alert_rule_test"][0]["alertname"] == alert, "a test of another alert would always be silent"
    assert {bool(expected(test)) for test in unit_tests(alert)} == {True, False}


def test_every_unit_test_is_of_an_alert_that_there_is() -> None:
    assert sorted(file.stem for file in UNIT_TESTS.iterdir()) == sorted(ALERTS)


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_that_cannot_fire_fails_each_of_its_firing_tests(alert: str, tmp_path: Path) -> None:
    rule = ALERTS[alert]
    dead = Rule(rule.file, rule.fields | {"expr": f"({rule.expression}) != ({rule.expression})"})
    for test in unit_tests(alert):
        if expected(test):
            assert run_with(tmp_path, alert, dead, [test]).returncode == 1, test["name"]


@pytest.mark.parametrize(
    "alert, part, replacement", [(alert, *change) for alert, changes in _WEAKENED.items() for change in changes]
)
def test_an_alert_without_one_of_its_conditions_fails_a_silent_test(
    alert: str, part: str, replacement: str, tmp_path: Path
) -> None:
    rule = ALERTS[alert]
    text = yaml.safe_dump(rule.fields, default_style="'")
    expression = rule.expression.replace(part, replacement)
    pending = str(rule.fields["for"]).replace(part, replacement)
    assert (expression, pending) != (rule.expression, rule.fields["for"]), f"{part!r} is not in {text}"
    weakened = Rule(rule.file, rule.fields | {"expr": expression, "for": pending})
    silent = [test for test in unit_tests(alert) if not expected(test)]
    ran = run_with(tmp_path, alert, weakened, silent)
    assert "FAILED" in ran.stderr + ran.stdout, "the silent tests do not need this condition"
    assert "got:" in ran.stderr + ran.stdout, "refused, not failed: " + ran.stderr


def test_each_alert_has_a_condition_that_its_silent_tests_need() -> None:
    assert sorted(_WEAKENED) == sorted(ALERTS)
