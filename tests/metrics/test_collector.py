from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from oxidized_exporter.config import Module
from oxidized_exporter.metrics.catalogue import CATALOGUE
from oxidized_exporter.metrics.collector import SnapshotCollector
from oxidized_exporter.metrics.definition import DEVICE_LABELS, DeviceMetric
from oxidized_exporter.oxidized.models import Device, Devices, NodeList
from oxidized_exporter.scrape.nodes import summarise
from oxidized_exporter.scrape.snapshot import (
    CollectorRun,
    ConfigsSummary,
    Failure,
    Snapshot,
    StatsSummary,
    TargetScrape,
)
from oxidized_exporter.targets.url import parse_target
from tests.harness import Exposition

LABELS = {"full_name": "access/sw1", "name": "sw1", "group": "access", "model": "IOS"}

NO_JOB: dict[str, Any] = {"succeeded": None, "start": None, "end": None, "duration": None}


def device(**changes: Any) -> Device:
    settings: dict[str, Any] = {
        "full_name": "access/sw1",
        "name": "sw1",
        "group": "access",
        "model": "IOS",
        "ip": "10.0.0.1",
        "status": "success",
        "succeeded": True,
        "start": 100.0,
        "end": 102.5,
        "duration": 2.5,
        "modified": 50.0,
        "exposes_secrets": False,
    }
    return Device(**settings | changes)


def scraped(*devices: Device, target: str = "http://a:1", module: Module | None = None) -> TargetScrape:
    return TargetScrape(
        target=parse_target(target),
        duration=0.25,
        summary=summarise(
            NodeList(devices=Devices.of(devices), duplicates=2, invalid=3, cut_labels=4),
            module=module or Module(name="default"),
        ),
        failure=None,
        collectors=(CollectorRun(name="nodes", success=True, duration=0.2),),
        certificate_expiry=9.0,
    )


def with_all_collectors(scrape: TargetScrape) -> TargetScrape:
    return replace(
        scrape,
        collectors=(
            *scrape.collectors,
            CollectorRun(name="configs", success=False, duration=0.3),
            CollectorRun(name="stats", success=True, duration=0.4),
        ),
        configs=ConfigsSummary(
            size=[5000],
            lines=[120],
            checks={"ntp": [True], "telnet": [False], "banner": [None]},
            pending=3,
            skipped={"unsafe_name": 1, "json_name": 0},
        ),
        stats=StatsSummary(
            runs=[9],
            failures=[2],
            last_success=[103],
            last_failure=[60],
            unreadable=0,
            ambiguous=4,
            oxidized_version="0.34.3",
            web_version="0.18.1",
        ),
    )


def failed(target: str = "http://b:1") -> TargetScrape:
    return TargetScrape(
        target=parse_target(target),
        duration=1.5,
        summary=None,
        failure=Failure(reason="timeout", detail="…"),
        collectors=(CollectorRun(name="nodes", success=False, duration=1.5),),
        certificate_expiry=None,
    )


def exposed(*scrapes: TargetScrape) -> Exposition:
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(Snapshot(scrapes=scrapes)))
    return Exposition.parse(generate_latest(registry).decode())


def test_every_metric_of_the_catalogue_with_its_labels_and_value() -> None:
    answer = exposed(with_all_collectors(scraped(device())))
    expected = {
        "oxidized_status": [({}, 1)],
        "probe_success": [({}, 1)],
        "probe_duration_seconds": [({}, 0.25)],
        "oxidized_exporter_collect_duration": [({}, 250)],
        "oxidized_collector_success": [
            ({"collector": "nodes"}, 1),
            ({"collector": "configs"}, 0),
            ({"collector": "stats"}, 1),
        ],
        "oxidized_collector_duration_seconds": [
            ({"collector": "nodes"}, 0.2),
            ({"collector": "configs"}, 0.3),
            ({"collector": "stats"}, 0.4),
        ],
        "probe_ssl_earliest_cert_expiry": [({}, 9)],
        "oxidized_devices": [
            ({"status": "success"}, 1),
            ({"status": "no_connection"}, 0),
            ({"status": "fail"}, 0),
            ({"status": "timelimit"}, 0),
            ({"status": "never"}, 0),
            ({"status": "other"}, 0),
        ],
        "oxidized_newest_job_timestamp_seconds": [({}, 102.5)],
        "oxidized_oldest_job_timestamp_seconds": [({}, 102.5)],
        "oxidized_duplicate_devices": [({}, 2)],
        "oxidized_invalid_devices": [({}, 3)],
        "oxidized_cut_labels": [({}, 4)],
        "oxidized_devices_exposing_secrets": [({}, 0)],
        "oxidized_device_status": [(LABELS, 2)],
        "oxidized_device_status_info": [(LABELS | {"status": "success"}, 1)],
        "oxidized_device_last_backup_status": [(LABELS, 2)],
        "oxidized_device_last_backup_start": [(LABELS, 100)],
        "oxidized_device_last_backup_end": [(LABELS, 102.5)],
        "oxidized_device_last_backup_time": [(LABELS, 2.5)],
        "oxidized_device_last_success_timestamp_seconds": [(LABELS, 103)],
        "oxidized_device_modified_timestamp_seconds": [(LABELS, 50)],
        "oxidized_device_info": [(LABELS | {"ip": "10.0.0.1"}, 1)],
        "oxidized_device_config_size": [(LABELS, 5000)],
        "oxidized_device_config_lines": [(LABELS, 120)],
        "oxidized_device_config_check": [(LABELS | {"check": "ntp"}, 1), (LABELS | {"check": "telnet"}, 0)],
        "oxidized_configs_pending": [({}, 3)],
        "oxidized_configs_skipped": [({"reason": "unsafe_name"}, 1), ({"reason": "json_name"}, 0)],
        "oxidized_device_backups_total": [(LABELS, 9)],
        "oxidized_device_backup_failures_total": [(LABELS, 2)],
        "oxidized_device_last_failure_timestamp_seconds": [(LABELS, 60)],
        "oxidized_stats_ambiguous_devices": [({}, 4)],
        "oxidized_web_info": [({"oxidized_version": "0.34.3", "web_version": "0.18.1"}, 1)],
    }
    assert {name: answer.all(name) for name in expected} == expected
    assert {name for name, _ in answer.samples} == set(expected)
    assert set(expected) | {"oxidized_probe_failure_info"} == {metric.name for metric in CATALOGUE}


def test_device_labels_stand_in_the_promised_order() -> None:
    assert DEVICE_LABELS == ("full_name", "name", "group", "model")
    extras = {metric.name: metric.labels[4:] for metric in CATALOGUE if isinstance(metric, DeviceMetric)}
    assert {name: labels for name, labels in extras.items() if labels} == {
        "oxidized_device_status_info": ("status",),
        "oxidized_device_info": ("ip",),
        "oxidized_device_config_check": ("check",),
    }


@pytest.mark.parametrize("asked", ["nodes", "configs", "stats"])
def test_only_what_was_asked_for_is_told_of(asked: str) -> None:
    scrape = with_all_collectors(scraped(device()))
    runs = tuple(run for run in scrape.collectors if run.name == asked)
    answer = exposed(replace(scrape, collectors=runs))
    told = {name for name, _ in answer.samples}
    of_the_probe = {metric.name for metric in CATALOGUE if metric.collector == "probe"}
    assert told - of_the_probe == {metric.name for metric in CATALOGUE if metric.collector == asked}
    assert of_the_probe - told == {"oxidized_probe_failure_info"}


@pytest.mark.parametrize(
    "end,succeeded,told,expected",
    [
        (100, True, 90, 100),
        (100, True, None, 100),
        (100, False, 90, 90),
        (None, None, None, None),
        (100, False, 0.5, 0.5),
    ],
)
def test_the_last_success_is_the_latest_that_anybody_knows_of(
    end: float | None, *, succeeded: bool | None, told: float | None, expected: float | None
) -> None:
    scrape = with_all_collectors(scraped(device(end=end, succeeded=succeeded)))
    assert scrape.stats is not None
    answer = exposed(replace(scrape, stats=replace(scrape.stats, last_success=[told])))
    samples = answer.all("oxidized_device_last_success_timestamp_seconds")
    assert samples == ([] if expected is None else [(LABELS, expected)])


def test_a_failed_scrape() -> None:
    answer = exposed(failed())
    assert dict(answer.samples) == {
        ("oxidized_status", frozenset()): 0,
        ("probe_success", frozenset()): 0,
        ("probe_duration_seconds", frozenset()): 1.5,
        ("oxidized_exporter_collect_duration", frozenset()): 1500,
        ("oxidized_probe_failure_info", frozenset({("reason", "timeout")})): 1,
        ("oxidized_collector_success", frozenset({("collector", "nodes")})): 0,
        ("oxidized_collector_duration_seconds", frozenset({("collector", "nodes")})): 1.5,
    }


@pytest.mark.parametrize(
    "status,value",
    [("success", 2), ("never", 1), ("no_connection", 0), ("fail", 0), ("timelimit", 0), ("on_fire", 0), ("", 0)],
)
def test_status_values(status: str, value: float) -> None:
    answer = exposed(scraped(device(status=status)))
    assert answer.value("oxidized_device_status", **LABELS) == value
    assert answer.value("oxidized_device_status_info", **LABELS, status=status) == 1


def test_statuses_are_counted_and_unknown_ones_are_other() -> None:
    statuses = ["success", "success", "no_connection", "fail", "timelimit", "never", "on_fire", "other"]
    answer = exposed(scraped(*(device(name=str(n), status=status) for n, status in enumerate(statuses))))
    counted = {labels["status"]: value for labels, value in answer.all("oxidized_devices")}
    assert counted == {"success": 2, "no_connection": 1, "fail": 1, "timelimit": 1, "never": 1, "other": 2}


def test_while_there_is_no_job_the_end_is_zero_and_the_rest_absent() -> None:
    answer = exposed(scraped(device(status="never", modified=None, **NO_JOB)))
    assert answer.value("oxidized_device_last_backup_end", **LABELS) == 0
    present = {name for name, _ in answer.samples}
    assert not present & {
        "oxidized_device_last_backup_status",
        "oxidized_device_last_backup_start",
        "oxidized_device_last_backup_time",
        "oxidized_device_last_success_timestamp_seconds",
        "oxidized_device_modified_timestamp_seconds",
        "oxidized_newest_job_timestamp_seconds",
        "oxidized_oldest_job_timestamp_seconds",
    }


def test_a_failed_job_has_an_end_and_no_success() -> None:
    answer = exposed(scraped(device(status="no_connection", succeeded=False, start=1.0, end=2.0, duration=1.0)))
    assert answer.value("oxidized_device_last_backup_status", **LABELS) == 1
    assert answer.value("oxidized_device_last_backup_end", **LABELS) == 2
    assert answer.all("oxidized_device_last_success_timestamp_seconds") == []


def test_times_that_cannot_be_read_are_absent() -> None:
    answer = exposed(scraped(device(start=None, end=None, duration=None)))
    assert answer.value("oxidized_device_last_backup_status", **LABELS) == 2
    present = {name for name, _ in answer.samples}
    assert not present & {
        "oxidized_device_last_backup_start",
        "oxidized_device_last_backup_end",
        "oxidized_device_last_backup_time",
        "oxidized_device_last_success_timestamp_seconds",
    }


def test_newest_and_oldest_count_every_result() -> None:
    jobs = ({"end": 20.0}, {"succeeded": False, "end": 30.0}, NO_JOB)
    answer = exposed(scraped(*(device(name=str(n), **job) for n, job in enumerate(jobs))))
    assert answer.value("oxidized_newest_job_timestamp_seconds") == 30
    assert answer.value("oxidized_oldest_job_timestamp_seconds") == 20


def test_several_targets_carry_a_label_and_share_their_headers() -> None:
    answer = exposed(scraped(device(), target="http://a:1"), failed("b:1"))
    assert answer.value("oxidized_status", target="http://a:1") == 1
    assert answer.value("oxidized_status", target="b:1") == 0
    assert all("target" in dict(labels) for _, labels in answer.samples)
    headers = [line for line in answer.text.splitlines() if line.startswith("#")]
    assert len(headers) == len(set(headers))


def test_registering_reads_nothing() -> None:
    described = list(SnapshotCollector(Snapshot(scrapes=())).describe())
    assert [family.name for family in described] == [metric.name.removesuffix("_total") for metric in CATALOGUE]
    assert not any(family.samples for family in described)


def test_help_says_what_unit_a_time_has() -> None:
    for metric in CATALOGUE:
        if any(word in metric.name for word in ("seconds", "duration", "_start", "_end", "_time", "expiry")):
            assert "second" in metric.help.lower(), metric.name
