"""The collector stats: from the statistics page to the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxidized_exporter.simulator import FAULTS, Device, Fault, Outcome
from tests.harness import running_exporter
from tests.web.instances import (
    ALL,
    configuring,
    instance,
    sizes,
    successes,
    switches,
)

if TYPE_CHECKING:
    import pytest


async def test_a_page_of_statistics_that_cannot_be_read_is_a_failed_collector_and_no_failed_probe(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with instance(*switches(2)) as oxidized, running_exporter(config=configuring(*ALL)) as exporter:
        oxidized.app[FAULTS].switch_on(Fault.HTML, path="/nodes/stats")
        answer = await exporter.probe(oxidized.url)
    assert answer.value("oxidized_status") == 1
    assert successes(answer) == {"nodes": 1, "configs": 1, "stats": 0}
    [logged] = [line for line in capsys.readouterr().out.splitlines() if "collector failed" in line]
    assert "collector=stats" in logged
    assert "reason=schema" in logged
    assert not answer.all("oxidized_device_backups_total")
    assert not answer.all("oxidized_stats_ambiguous_devices")
    assert len(sizes(answer)) == 2


async def test_rows_that_cannot_be_read_fail_the_collector_and_cost_no_other_row(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with instance(*switches(2)) as oxidized, running_exporter(config=configuring("nodes", "stats")) as exporter:
        original = oxidized.daemon.stats
        oxidized.daemon.stats = lambda: original() | {"": original()["sw0"]}  # type: ignore[method-assign]
        answer = await exporter.probe(oxidized.url)
    assert successes(answer) == {"nodes": 1, "stats": 0}
    assert {labels["name"] for labels, _ in answer.all("oxidized_device_backups_total")} == {"sw0", "sw1"}
    [logged] = [line for line in capsys.readouterr().out.splitlines() if "collector failed" in line]
    assert "1 rows of the statistics page cannot be read" in logged
    assert "collector=stats" in logged
    assert "reason=schema" in logged


async def test_a_page_without_rows_is_no_page_of_statistics_where_there_are_devices() -> None:
    """As one whose rows a script asks for would be."""
    async with instance(*switches(2)) as oxidized, running_exporter(config=configuring("nodes", "stats")) as exporter:
        oxidized.daemon.stats = dict  # type: ignore[method-assign]
        answer = await exporter.probe(oxidized.url)
    assert answer.value("oxidized_collector_success", collector="stats") == 0


async def test_statistics_go_to_the_device_of_the_name_and_to_nobody_where_several_have_it() -> None:
    devices = (
        Device(name="sw1", group="a"),
        Device(name="down", group="a", outcome=Outcome.NO_CONNECTION),
        Device(name="twice", group="a"),
        Device(name="twice", group="b"),
    )
    async with instance(*devices) as oxidized, running_exporter(config=configuring("nodes", "stats")) as exporter:
        oxidized.run_all()
        answer = await exporter.probe(oxidized.url)
        runs = {s.device.full_name: s for s in oxidized.daemon.nodes()}
    told = {labels["name"]: value for labels, value in answer.all("oxidized_device_backups_total")}
    failed = {labels["name"]: value for labels, value in answer.all("oxidized_device_backup_failures_total")}
    assert set(told) == set(failed) == {"sw1", "down"}
    assert told["sw1"] >= 3
    assert (failed["sw1"], failed["down"]) == (0, told["down"])
    assert answer.value("oxidized_stats_ambiguous_devices") == 1
    down = runs["a/down"].last
    assert down is not None
    assert [value for _, value in answer.all("oxidized_device_last_failure_timestamp_seconds")] == [int(down.end)]
    assert answer.all("oxidized_web_info") == [({"oxidized_version": "0.37.0", "web_version": "0.19-dev"}, 1)]


async def test_the_statistics_know_the_last_success_of_a_device_that_fails_now() -> None:
    async with (
        instance(*switches(1)) as oxidized,
        running_exporter(config=configuring("nodes", "stats")) as exporter,
    ):
        name = "oxidized_device_last_success_timestamp_seconds"
        [(_, before)] = (await exporter.probe(oxidized.url)).all(name)
        oxidized.daemon.set_outcome("access/sw0", Outcome.NO_CONNECTION)
        oxidized.run_all()
        answer = await exporter.probe(oxidized.url)
    assert [value for _, value in answer.all("oxidized_device_last_backup_status")] == [1]
    [(_, after)] = answer.all(name)
    assert before <= after < oxidized.clock()
