"""The collector configs: what is asked for and told of stored configurations, over real sockets."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from oxidized_exporter.config import Limits
from oxidized_exporter.simulator import FAULTS, Device, Fault, Outcome, Output, fleet
from tests.harness import running_exporter
from tests.web.instances import (
    ALL,
    configuring,
    instance,
    own_metrics,
    sizes,
    switches,
)


async def test_size_and_lines_of_each_stored_configuration() -> None:
    devices = (
        Device(name="sw1", group="dc1/core", configuration="hostname sw1\nend\n"),
        Device(name="sw1", group="access", configuration="Zürich\r\nno line end"),
        Device(name="alone", configuration="x\n"),
        Device(name="down", group="access", outcome=Outcome.NO_CONNECTION),
    )
    async with instance(*devices) as oxidized, running_exporter(config=configuring()) as exporter:
        answer = await exporter.probe(oxidized.url)
    assert sizes(answer) == {"dc1/core/sw1": 17, "access/sw1": 20, "alone": 2}
    lines = {labels["full_name"]: value for labels, value in answer.all("oxidized_device_config_lines")}
    assert lines == {"dc1/core/sw1": 2, "access/sw1": 1, "alone": 1}
    assert answer.value("oxidized_collector_success", collector="configs") == 1
    assert answer.value("oxidized_configs_pending") == 0
    assert sum(count for _, count in answer.all("oxidized_configs_skipped")) == 0


@pytest.mark.parametrize("output", Output)
async def test_devices_that_are_not_asked_for_are_counted_by_reason(output: Output) -> None:
    devices = (
        Device(name="sw1", group="access"),
        Device(name="edge.json", group="access"),
        Device(name="edge-01", group=""),
        Device(name="..%2F..%2F..%2Freload", group="g"),
        Device(name="..", group="g"),
        Device(name="twice"),
        Device(name="twice", group="access"),
        Device(name="alone"),
    )
    async with instance(*devices, output=output) as oxidized, running_exporter(config=configuring()) as exporter:
        answer = await exporter.probe(oxidized.url)
        first = oxidized.asked()
        again = await exporter.probe(oxidized.url)
    skipped = {labels["reason"]: count for labels, count in answer.all("oxidized_configs_skipped")}
    assert skipped == {"unsafe_name": 2, "empty_group": 1, "json_name": 1, "namesake": 1, "ungrouped": 0}
    assert set(first) == {"/nodes.json", *(f"/node/fetch/{name}" for name in ("access/sw1", "access/twice", "alone"))}
    assert answer.value("oxidized_collector_success", collector="configs") == 1
    assert again.all("oxidized_configs_skipped") == answer.all("oxidized_configs_skipped")


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_devices_are_called_nothing_but_reads_is_asked_for(seed: int) -> None:
    hostile = [
        "..",
        ".",
        "..%2F..%2Freload",
        "a\\..\\..\\reload",
        "%2e%2e",
        "x/../../reload",
        "reload",
        "next",
        "a?b#c",
    ]
    devices = tuple(
        Device(name=name, group=group)
        for name in hostile[seed::3]
        for group in (None, "", "g", "..", "node/next", "g/..", "a\\b")
    )
    async with instance(*devices, *fleet(3)) as oxidized, running_exporter(config=configuring(*ALL)) as exporter:
        answer = await exporter.probe(oxidized.url)
        asked = oxidized.asked()
    assert answer.value("oxidized_status") == 1
    assert {f"/node/fetch/{device.full_name}" for device in fleet(3)} < set(asked)
    assert all(path in {"/nodes.json", "/nodes/stats"} or path.startswith("/node/fetch/") for path in asked)


async def test_an_ungrouped_device_that_oxidized_answers_with_an_error_is_skipped_and_not_asked_for_again() -> None:
    async with instance(Device(name="alone"), output=Output.FILE) as oxidized:
        oxidized.app[FAULTS].switch_on(Fault.SERVER_ERROR, path="/node/fetch")
        async with running_exporter(config=configuring()) as exporter:
            answer = await exporter.probe(oxidized.url)
            assert oxidized.asked() == ["/nodes.json", "/node/fetch/alone"]
            again = await exporter.probe(oxidized.url)
            assert oxidized.asked() == ["/nodes.json"]
    for one in (answer, again):
        assert one.value("oxidized_configs_skipped", reason="ungrouped") == 1
        assert one.value("oxidized_configs_pending") == 0
        assert one.value("oxidized_collector_success", collector="configs") == 1


async def test_an_error_for_devices_without_a_group_is_a_failure_where_one_was_ever_had() -> None:
    async with (
        instance(Device(name="one"), Device(name="other")) as oxidized,
        running_exporter(config=configuring()) as exporter,
    ):
        assert len(sizes(await exporter.probe(oxidized.url))) == 2
        oxidized.clock.advance(3600)
        oxidized.app[FAULTS].switch_on(Fault.SERVER_ERROR, path="/node/fetch")
        answer = await exporter.probe(oxidized.url)
        assert answer.value("oxidized_collector_success", collector="configs") == 0
        assert answer.value("oxidized_configs_pending") == 2
        oxidized.app[FAULTS].switch_off()
        assert len(sizes(await exporter.probe(oxidized.url))) == 2


async def test_as_many_at_once_as_the_module_says_though_the_limit_of_connections_is_lower() -> None:
    config = replace(configuring(concurrency=3), limits=Limits(connections=1))
    async with instance(*switches(5)) as oxidized, running_exporter(config=config) as exporter:
        oxidized.gate.shut("/node/fetch")
        probe = asyncio.create_task(exporter.probe(oxidized.url))
        await oxidized.held(3)
        oxidized.gate.open()
        assert len(sizes(await probe)) == 5


async def test_a_configuration_above_the_limit_costs_no_other() -> None:
    """The limit is far above every node list's size here."""
    devices = (*switches(8), Device(name="huge", group="access", configuration="x" * 20_001))
    config = replace(configuring(concurrency=1), limits=Limits(body_bytes=20_000))
    async with instance(*devices) as oxidized, running_exporter(config=config) as exporter:
        answer = await exporter.probe(oxidized.url)
    assert set(sizes(answer)) == {f"access/sw{number}" for number in range(8)}
    assert answer.value("oxidized_configs_pending") == 1
    assert answer.value("oxidized_collector_success", collector="configs") == 0


async def test_at_the_deadline_what_is_known_is_told_and_the_next_scrapes_go_on_from_there() -> None:
    async with instance(*switches(6)) as oxidized, running_exporter(config=configuring()) as exporter:
        oxidized.app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS, path="/node/fetch/access/sw0")
        answer = await exporter.probe(oxidized.url, timeout_seconds=0.5)
        assert answer.value("oxidized_status") == 1
        assert answer.value("oxidized_collector_success", collector="nodes") == 1
        assert answer.value("oxidized_collector_success", collector="configs") == 0
        assert answer.value("oxidized_configs_pending") == 1
        assert len(sizes(answer)) == 5
        await oxidized.held(0)
        oxidized.app[FAULTS].switch_off()
        oxidized.asked()
        answer = await exporter.probe(oxidized.url)
        assert oxidized.asked() == ["/nodes.json", "/node/fetch/access/sw0"]
        assert answer.value("oxidized_configs_pending") == 0
        assert answer.value("oxidized_collector_success", collector="configs") == 1
        own = await own_metrics(exporter)
    assert own.value("oxidized_exporter_upstream_requests_total", route="fetch", result="timeout") == 1


async def test_what_hangs_or_fails_is_asked_for_last_the_next_time() -> None:
    async with instance(*switches(8)) as oxidized, running_exporter(config=configuring(concurrency=1)) as exporter:
        oxidized.gate.shut("/node/fetch/access/sw5")
        for attempt in range(4):
            probe = asyncio.create_task(exporter.probe(oxidized.url))
            await oxidized.held(1)
            probe.cancel()
            await oxidized.held(0)
            asked = oxidized.asked()
            if attempt:
                assert (len(asked), asked[-1]) == (9, "/node/fetch/access/sw5")
            oxidized.clock.advance(3600)  # every device has another job
        oxidized.gate.open()
        assert len(sizes(await exporter.probe(oxidized.url))) == 8


@pytest.mark.parametrize(
    "fault,most,result",
    [
        (Fault.UNAUTHORIZED, 2, "auth"),
        (Fault.NOT_FOUND, 40, "http_status"),
        (Fault.HTML, 40, "schema"),
        (Fault.TRUNCATED, 2, "protocol"),
    ],
)
async def test_what_fails_for_one_device_costs_no_other_and_what_fails_for_all_ends_the_collector(
    fault: Fault, most: int, result: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with instance(*switches(50)) as oxidized, running_exporter(config=configuring()) as exporter:
        oxidized.app[FAULTS].switch_on(fault, path="/node/fetch/access/sw7")
        answer = await exporter.probe(oxidized.url)
        if most > 2:
            assert (len(sizes(answer)), answer.value("oxidized_configs_pending")) == (49, 1)
        assert answer.value("oxidized_collector_success", collector="configs") == 0
        oxidized.daemon.restart()
        oxidized.run_all()
        oxidized.app[FAULTS].switch_on(fault, path="/node/fetch")
        oxidized.asked()
        answer = await exporter.probe(oxidized.url)
        assert answer.value("oxidized_status") == 1
        assert len(oxidized.asked()) - 1 <= min(most, 21)
        assert answer.value("oxidized_configs_pending") == 50
    logged = capsys.readouterr().out
    assert "collector=configs" in logged
    assert f"reason={result}" in logged
