"""Rules: sound, made of metrics that exist, each with a unit test that fires and one that must not."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.rule_files import ALERTS, METRICS, RECORDS, ROOT, RULE_FILES, RULES, Document, Rule, promtool, read

_UNIT_TESTS: Final = Path(__file__).parent / "rule_tests"
_SEVERITIES: Final = ("critical", "warning", "info")

# For each alert, changes to its expression that one of its unit tests must notice.
_CHANGES: Final = {
    "OxidizedConnectionDown": [("== 0", "<= 1")],
    "OxidizedExporterDown": [
        ('up{job=~".*oxidized.*"} or up and on (job, instance) oxidized:target_known:bool', "up"),
        ('up{job=~".*oxidized.*"} or ', ""),
        (" or up and on (job, instance) oxidized:target_known:bool", ""),
        ("max_over_time(up[5m])", "up"),
    ],
    "OxidizedRestarted": [("> 0.1", "> 0.05"), ("> 0.1", "> 0.2")],
    "OxidizedResultsMissing": [("> 0.1", ">= 0")],
    "OxidizedJobsStalled": [("> 7200", "> 7000"), ("oxidized:target_answering:bool", "(oxidized_status >= bool 0)")],
    "OxidizedDevicesVanished": [
        ("> 0", "!= 0"),
        ("offset 1d", "offset 2d"),
        ("count[1h]", "count[5m]"),
        ("oxidized:target_lists_all:bool == 1", "oxidized:target_answering:bool"),
    ],
    "OxidizedCollectorFailing": [
        ("oxidized_collector_success[10m]", "oxidized_collector_success[30s]"),
        ("oxidized:target_answering:bool", "oxidized_status"),
    ],
    "OxidizedCertificateExpiry": [
        ("14 * 86400", "16 * 86400"),
        ("and on (job, instance, target)\n    last_over_time(oxidized_status[10m])", ""),
        ("oxidized_status[10m]", "oxidized_status[30s]"),
        ("expiry[10m]", "expiry[30s]"),
    ],
    "OxidizedDuplicateDevices": [("> 0", ">= 0"), ("[10m]", "[30s]")],
    "OxidizedDevicesUnreadable": [("> 0", ">= 0"), ("[10m]", "[30s]")],
    "OxidizedExporterConfigNotReloaded": [
        ("config_last_reload_successful == 0\n", "config_last_reload_successful >= 0\n"),
        ("or oxidized_exporter_web_config_last_reload_successful == 0", ""),
    ],
    "OxidizedBackupFailed": [("== 1", ">= 1")],
    "OxidizedDeviceNoConnection": [
        ("(oxidized:device_last_backup_status:last_2h == 1)", "oxidized:device_last_backup_status:last_2h"),
        ('last_over_time(oxidized_device_status_info{status="no_connection"}[2h])', "oxidized_device_status"),
        ('oxidized_device_status_info{status="no_connection"}[2h]', "oxidized_device_status_info[2h]"),
        ('{status="no_connection"}[2h]', '{status="no_connection"}[12h]'),
        ('oxidized_device_status_info{status!~"no_connection|never"}', "nothing"),
    ],
    "OxidizedDeviceNeverBackedUp": [
        ("> 7200", "> 3600"),
        ("(oxidized:device_status:last_10m >= bool 0)", "oxidized:device_status:last_10m"),
        ("oxidized:device_last_success:timestamp_seconds", "nothing"),
        ("oxidized_device_modified_timestamp_seconds", "nothing"),
        ("oxidized:target_lists_all:bool == 1", "oxidized:target_answering:bool"),
    ],
    "OxidizedBackupVeryOld": [
        ("2 * 86400", "1 * 86400"),
        ("2 * 86400", "3 * 86400"),
        ("oxidized:device_status:last_10m >= bool 0", "oxidized:device_first_seen:timestamp_seconds >= bool 0"),
        ("oxidized:device_status:last_10m", "oxidized_device_status"),
    ],
    "OxidizedBackupVeryOldCritical": [
        ("7 * 86400", "6 * 86400"),
        ("7 * 86400", "8 * 86400"),
        ("oxidized:device_status:last_10m >= bool 0", "oxidized:device_first_seen:timestamp_seconds >= bool 0"),
    ],
    "OxidizedConfigShrank": [
        ("< 0.5", "<= 0.5"),
        ("< 0.5", "< 0.4"),
        ("[10m]", "[30s]"),
        ("[1d]", "[10m]"),
        ("[1d]", "[2d]"),
    ],
    "OxidizedConfigTiny": [("< 100", "<= 100"), ("< 100", "< 90"), ("[10m]", "[30s]")],
    "OxidizedConfigCheckFailed": [
        ("== 0", ">= 0"),
        ("[10m]", "[30s]"),
        ("last_over_time", "min_over_time"),
        ("last_over_time", "max_over_time"),
    ],
    "OxidizedSecretsExposed": [("> 0", ">= 0"), ("[10m]", "[30s]")],
}

# The same for what is recorded, with the unit tests that notice it: of an alert, or of the records themselves.
_CHANGED_RECORDS: Final = [
    ("oxidized:target_answering:bool", "oxidized_status[10m]", "oxidized_status[30s]", "OxidizedJobsStalled"),
    ("oxidized:device_status:last_10m", "[10m]", "[30s]", "OxidizedBackupVeryOld"),
    ("oxidized:target_known:bool", "[6h]", "[10m]", "OxidizedExporterDown"),
    ("oxidized:device_first_seen:timestamp_seconds", "[6h]", "[10m]", "OxidizedDeviceNeverBackedUp"),
    ("oxidized:device_first_seen:timestamp_seconds", "oxidized:target_known:bool", "up", "recording"),
    ("oxidized:target_known:bool", "(up == 0)", "up", "recording"),
    ("oxidized:group_devices_failing:count", "== 1", "== 2", "recording"),
    ("oxidized:group_devices_failing:count", "0 *", "1 *", "recording"),
    ("oxidized:group_devices:count", "target, group", "group", "recording"),
    ("oxidized:device_last_success:timestamp_seconds", "[6h]", "[10m]", "OxidizedBackupVeryOld"),
    (
        "oxidized:device_last_success:timestamp_seconds",
        "oxidized_device_last_success_timestamp_seconds\n",
        "oxidized_device_last_success_timestamp_seconds and oxidized_device_status == 2\n",
        "OxidizedBackupVeryOld",  # with the collector stats a failing device has one, too
    ),
    ("oxidized:device_last_backup_status:last_2h", "[2h]", "[30m]", "OxidizedBackupFailed"),
    ("oxidized:device_last_backup_status:last_2h", "[2h]", "[12h]", "OxidizedBackupFailed"),
    (
        "oxidized:device_last_backup_status:last_2h",
        "oxidized:device_status:last_10m",
        "vector(1)",
        "OxidizedBackupFailed",
    ),
    ("oxidized:target_lists_all:bool", "== bool", ">= bool", "OxidizedDevicesVanished"),
    ("oxidized:newest_job:timestamp_seconds", "[6h]", "[1m]", "OxidizedJobsStalled"),
    ("oxidized:newest_job:timestamp_seconds", "[1d]", "[1m]", "OxidizedJobsStalled"),
]


def unit_test_files(alert: str) -> list[Path]:
    """Return the files of an alert: its tests by the minute, and those of days, which look every five minutes."""
    return [file for name in (alert, f"{alert}.days") if (file := _UNIT_TESTS / f"{name}.yml").exists()]


def unit_tests(alert: str) -> list[Document]:
    return [test for file in unit_test_files(alert) for test in read(file)["tests"]]


def expected(test: Document) -> list[Document]:
    return [alert for rule_test in test["alert_rule_test"] for alert in rule_test["exp_alerts"]]


def changed(rule: Rule, part: str, replacement: str) -> Document:
    assert part in rule.expression, f"{part!r} is not in {rule.expression!r}"
    return rule.fields | {"expr": rule.expression.replace(part, replacement)}


def mutants(alert: str) -> dict[str, Document]:
    """Return the alert with one thing changed, for each thing that its tests have to notice."""
    rule = ALERTS[alert]
    number, unit = rule.fields["for"][:-1], rule.fields["for"][-1]
    found = {
        "fires never": rule.fields | {"expr": f"({rule.expression}) != ({rule.expression})"},
        "waits for nothing": rule.fields | {"for": "0m"},
        "waits twice as long": rule.fields | {"for": f"{2 * int(number) + 1}{unit}"},
    }
    for part, replacement in _CHANGES[alert]:
        found[f"{part!r} is {replacement!r}"] = changed(rule, part, replacement)
    return found


def without_label(alert: str, label: str) -> Document | None:
    """Return the alert with its joins without a label; None where no join has it."""
    rule = ALERTS[alert]
    expression = re.sub(rf"(on \([^)]*?)\b{label}\b,? ?", r"\1", rule.expression)
    return None if expression == rule.expression else rule.fields | {"expr": expression}


def run_with(directory: Path, file: Path, others: list[Document]) -> str:
    """Run a file of unit tests with other alerts in place of its own, called 0, 1, 2…; return what promtool says."""
    document = read(file)
    (_, alerts) = document["rule_files"]
    rules = [other | {"alert": str(place)} for place, other in enumerate(others)]
    groups = [
        {"name": group["name"], "rules": rules if place == 0 else []}
        for place, group in enumerate(read(_UNIT_TESTS / alerts)["groups"])
    ]
    (directory / "alerts.yml").write_text(yaml.safe_dump({"groups": groups}))
    document["rule_files"] = [str(RULES / "oxidized-recording.yml"), "alerts.yml"]
    for test in document["tests"]:
        test["alert_rule_test"] = [
            rule_test | {"alertname": str(place)}
            for rule_test in test["alert_rule_test"]
            for place in range(len(others))
        ]
    (directory / "tests.yml").write_text(yaml.safe_dump(document))
    ran = promtool("test", "rules", directory / "tests.yml")
    return ran.stdout + ran.stderr


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
    used = metrics_in((ALERTS | RECORDS)[name].expression)
    assert used <= METRICS
    assert used, "a rule without a metric says nothing"


@pytest.mark.parametrize("alert", ALERTS)
def test_the_unit_tests_of_an_alert_hold(alert: str) -> None:
    ran = promtool("test", "rules", *unit_test_files(alert))
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_tests_that_fire_and_tests_that_must_not(alert: str) -> None:
    for test in unit_tests(alert):
        kind = "fires" if expected(test) else "silent"
        assert test["name"].startswith(f"{alert} {kind} ")
        names = {rule_test["alertname"] for rule_test in test["alert_rule_test"]}
        assert names == {alert}, "a test of another alert would always be silent"
    assert {bool(expected(test)) for test in unit_tests(alert)} == {True, False}


def test_what_is_recorded_is_as_its_unit_tests_say() -> None:
    ran = promtool("test", "rules", _UNIT_TESTS / "recording.yml")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_unit_test_is_of_an_alert_that_there_is() -> None:
    known = [file for name in (*ALERTS, "recording") for file in unit_test_files(name)]
    assert sorted(_UNIT_TESTS.iterdir()) == sorted(known)


@pytest.mark.parametrize("alert", ALERTS)
def test_the_unit_tests_of_an_alert_notice_each_change_of_it(alert: str, tmp_path: Path) -> None:
    changes = mutants(alert)
    told = "".join(run_with(tmp_path, file, list(changes.values())) for file in unit_test_files(alert))
    survivors = [change for place, change in enumerate(changes) if f"alertname: {place}," not in told]
    assert survivors == []


@pytest.mark.parametrize("alert", ALERTS)
@pytest.mark.parametrize("label", ["job", "instance", "target"])
def test_the_unit_tests_of_an_alert_notice_a_label_left_out_of_its_joins(
    alert: str, label: str, tmp_path: Path
) -> None:
    if (changes := without_label(alert, label)) is not None:
        told = "".join(run_with(tmp_path, file, [changes]) for file in unit_test_files(alert))
        assert "FAILED" in told  # also where Prometheus finds several series that match


@pytest.mark.parametrize("record, part, replacement, tests", _CHANGED_RECORDS)
def test_unit_tests_notice_a_change_of_what_is_recorded(
    record: str, part: str, replacement: str, tests: str, tmp_path: Path
) -> None:
    recording = read(RULES / "oxidized-recording.yml")
    for group in recording["groups"]:
        group["rules"] = [
            changed(RECORDS[record], part, replacement) if rule["record"] == record else rule for rule in group["rules"]
        ]
    (tmp_path / "recording.yml").write_text(yaml.safe_dump(recording))
    told = ""
    for file in unit_test_files(tests):
        document = read(file)
        others = [str((_UNIT_TESTS / name).resolve()) for name in document["rule_files"][1:]]
        (tmp_path / "tests.yml").write_text(yaml.safe_dump(document | {"rule_files": ["recording.yml", *others]}))
        told += promtool("test", "rules", tmp_path / "tests.yml").stderr
    assert "got:" in told, told


def test_changes_are_listed_for_each_alert() -> None:
    assert sorted(_CHANGES) == sorted(ALERTS)
