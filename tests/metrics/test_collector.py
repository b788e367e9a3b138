from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from oxidized_exporter.config import Module
from oxidized_exporter.metrics.catalogue import CATALOGUE, DEVICE_LABELS, DeviceMetric
from oxidized_exporter.metrics.collector import SnapshotCollector
from oxidized_exporter.oxidized.journal import Request
from oxidized_exporter.oxidized.models import Device, Devices, NodeList
from oxidized_exporter.scrape.nodes import summarise
from oxidized_exporter.scrape.snapshot import CollectorRun, Failure, Snapshot, TargetScrape
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
        requests=(Request("nodes", "success"),),
        certificate_expiry=9.0,
    )


def failed(target: str = "http://b:1") -> TargetScrape:
    return TargetScrape(
        target=parse_target(target),
        duration=1.5,
        summary=None,
        failure=Failure(reason="timeout", detail="…"),
        collectors=(CollectorRun(name="nodes", success=False, duration=1.5),),
        requests=(),
        certificate_expiry=None,
    )


def exposed(*scrapes: TargetScrape) -> Exposition:
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(Snapshot(scrapes=scrapes)))
    return Exposition.parse(generate_latest(registry).decode())


def test_every_metric_of_the_catalogue_with_its_labels_and_value() -> None:
    answer = exposed(scraped(device()))
    expected = {
        "oxidized_status": [({}, 1)],
        "probe_success": [({}, 1)],
        "probe_duration_seconds": [({}, 0.25)],
        "oxidized_exporter_collect_duration": [({}, 250)],
        "oxidized_collector_success": [({"collector": "nodes"}, 1)],
        "oxidized_collector_duration_seconds": [({"collector": "nodes"}, 0.2)],
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
        "oxidized_device_last_success_timestamp_seconds": [(LABELS, 102.5)],
        "oxidized_device_modified_timestamp_seconds": [(LABELS, 50)],
        "oxidized_device_info": [(LABELS | {"ip": "10.0.0.1"}, 1)],
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
    }


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
    assert [family.name for family in described] == [metric.name for metric in CATALOGUE]
    assert not any(family.samples for family in described)


def test_help_says_what_unit_a_time_has() -> None:
    for metric in CATALOGUE:
        if any(word in metric.name for word in ("seconds", "duration", "_start", "_end", "_time", "expiry")):
            assert "second" in metric.help.lower(), metric.name
