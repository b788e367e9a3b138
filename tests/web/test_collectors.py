"""The collectors configs and stats: over real sockets, from the simulator's answers to the metrics."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from oxidized_exporter.config import Check, Config, Configs, Connection, Expression, LineExpression, Module
from oxidized_exporter.simulator import (
    FAULTS,
    HELD,
    REQUESTS,
    Daemon,
    Device,
    Fault,
    ManualClock,
    Outcome,
    Output,
    create_app,
    fleet,
    rack_path,
)
from oxidized_exporter.targets.pattern import TargetPattern
from tests.harness import Exposition, Probing, running, running_exporter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aiohttp import web

_LONG: Final = 6000.0  # after which every device has had two jobs, and none is due for twenty minutes
_ALL: Final = ("nodes", "configs", "stats")


def configuring(*collectors: Any, concurrency: int = 2, remember: int = 1000, **checks: Check) -> Config:
    module = Module(
        name="default",
        collectors=collectors or ("nodes", "configs"),
        configs=Configs(concurrency=concurrency, remember=remember, checks=checks),
    )
    return Config(modules={"default": module})


@dataclass
class Instance:
    """A simulated Oxidized whose time stands still until it is told to go on."""

    daemon: Daemon
    clock: ManualClock
    app: web.Application
    url: str

    def asked(self) -> list[str]:
        """Return what was asked since the last look, as Rack reads it."""
        seen = [rack_path(path) for path in self.app[REQUESTS]]
        self.app[REQUESTS].clear()
        return seen

    def run_all(self) -> None:
        """Let every device have a job."""
        self.clock.advance(_LONG)


@asynccontextmanager
async def instance(*devices: Device, output: Output = Output.GIT, **settings: Any) -> AsyncIterator[Instance]:
    clock = ManualClock()
    daemon = Daemon(devices, clock=clock, output=output, retries=0)
    clock.advance(_LONG)
    app = create_app(daemon, **settings)
    async with running(app) as url:
        yield Instance(daemon, clock, app, url)


def switches(count: int, **settings: Any) -> tuple[Device, ...]:
    return tuple(Device(name=f"sw{number}", group="access", **settings) for number in range(count))


def sizes(answer: Exposition) -> Mapping[str, float]:
    return {labels["full_name"]: value for labels, value in answer.all("oxidized_device_config_size")}


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


async def test_an_unchanged_fleet_costs_one_request_and_a_changed_device_two() -> None:
    async with (
        instance(*switches(5)) as oxidized,
        running_exporter(config=configuring()) as exporter,
    ):
        before = await exporter.probe(oxidized.url)
        assert len(oxidized.asked()) == 6
        unchanged = await exporter.probe(oxidized.url)
        assert oxidized.asked() == ["/nodes.json"]
        assert sizes(unchanged) == sizes(before)

        oxidized.daemon.set_configuration("access/sw3", "much shorter\n")
        oxidized.daemon.next("access/sw3")
        oxidized.clock.advance(60)
        after = await exporter.probe(oxidized.url)
        assert oxidized.asked() == ["/nodes.json", "/node/fetch/access/sw3"]
        assert sizes(after) == {**sizes(before), "access/sw3": 13}
        own = Exposition.parse(await (await exporter.get("/metrics")).text())
    assert own.value("oxidized_exporter_remembered_configs") == 5
    assert own.value("oxidized_exporter_remembered_config_hits_total") == 9
    assert own.value("oxidized_exporter_upstream_requests_total", route="fetch", result="success") == 6


async def test_nothing_is_remembered_where_that_is_off() -> None:
    async with (
        instance(*switches(3)) as oxidized,
        running_exporter(config=configuring(remember=0)) as exporter,
    ):
        for _ in range(2):
            await exporter.probe(oxidized.url)
            assert len(oxidized.asked()) == 4


async def test_a_job_that_ends_between_list_and_fetch_is_not_remembered_wrongly() -> None:
    async with instance(*switches(1, configuration="old\n"), fetch_seconds=0) as oxidized:
        oxidized.daemon.set_configuration("access/sw0", "newer, and longer\n")
        original = oxidized.daemon.nodes

        def then_ends() -> Any:
            listed = original()
            oxidized.daemon.next("access/sw0")
            oxidized.clock.advance(60)  # the job ends as soon as the list is made
            return listed

        oxidized.daemon.nodes = then_ends  # type: ignore[method-assign]
        async with running_exporter(config=configuring()) as exporter:
            assert sizes(await exporter.probe(oxidized.url)) == {"access/sw0": 18}
            oxidized.daemon.set_configuration("access/sw0", "x\n")
            oxidized.daemon.nodes = original  # type: ignore[method-assign]
            oxidized.daemon.next("access/sw0")
            oxidized.clock.advance(60)
            assert sizes(await exporter.probe(oxidized.url)) == {"access/sw0": 2}


async def test_two_targets_never_share_an_entry() -> None:
    async with (
        instance(*switches(1, configuration="a\n")) as one,
        instance(*switches(1, configuration="bbb\n")) as other,
        running_exporter(config=configuring()) as exporter,
    ):
        for _ in range(2):
            assert sizes(await exporter.probe(one.url)) == {"access/sw0": 2}
            assert sizes(await exporter.probe(other.url)) == {"access/sw0": 4}


async def test_a_restart_of_oxidized_brings_nothing_stale() -> None:
    async with (
        instance(*switches(2, configuration="before\n")) as oxidized,
        running_exporter(config=configuring()) as exporter,
    ):
        assert set(sizes(await exporter.probe(oxidized.url)).values()) == {7}
        for text in ("in between, but never seen\n", "after\n"):
            for name in ("access/sw0", "access/sw1"):
                oxidized.daemon.set_configuration(name, text)
            oxidized.daemon.restart()
            oxidized.clock.advance(_LONG)
        oxidized.daemon.restart()
        never = await exporter.probe(oxidized.url)
        assert never.value("oxidized_devices", status="never") == 2
        assert set(sizes(never).values()) == {6}
        oxidized.asked()
        await exporter.probe(oxidized.url)
        assert len(oxidized.asked()) == 3, "what runs for the first time is not remembered"


async def test_no_configuration_is_remembered_only_while_the_last_job_has_failed() -> None:
    devices = (Device(name="new", group="a"), Device(name="down", group="a", outcome=Outcome.NO_CONNECTION))
    async with instance(*devices) as oxidized:
        oxidized.daemon.fetch = lambda _name, _group: None  # type: ignore[method-assign, assignment]  # git has a bad moment
        async with running_exporter(config=configuring()) as exporter:
            answer = await exporter.probe(oxidized.url)
            assert sorted(oxidized.asked()) == ["/node/fetch/a/down", "/node/fetch/a/new", "/nodes.json"]
            await exporter.probe(oxidized.url)
            assert oxidized.asked() == ["/nodes.json", "/node/fetch/a/new"]
    assert not sizes(answer)
    assert answer.value("oxidized_collector_success", collector="configs") == 1


def must(expression: str, **settings: Any) -> Check:
    return Check(must_match=LineExpression(expression), **settings)


def must_not(expression: str, **settings: Any) -> Check:
    return Check(must_not_match=LineExpression(expression), **settings)


async def test_checks_look_into_configurations_and_are_remembered() -> None:
    devices = (
        Device(name="good", group="a", model="IOS", configuration="ntp server 10.0.0.1\nend\n"),
        Device(name="bad", group="a", model="IOS", configuration="line vty 0 4\n transport input telnet\nend\nx\n"),
        Device(name="other", group="b", model="JunOS", configuration="set system ntp\n"),
        Device(name="none", group="a", model="IOS", outcome=Outcome.NO_CONNECTION),
    )
    config = configuring(
        "configs",
        ntp=must("^ntp server "),
        telnet=must_not(r"^\s*transport input .*telnet", models=(Expression("IOS"),)),
        complete=must(r"^end\s*\z", groups=(Expression("a"),)),
    )
    async with instance(*devices) as oxidized, running_exporter(config=config) as exporter:
        for requests in (5, 2):  # the device that has none: its last job has failed, so that is remembered, too
            answer = await exporter.probe(oxidized.url)
            results = {
                (labels["name"], labels["check"]): value for labels, value in answer.all("oxidized_device_config_check")
            }
            assert results == {
                ("good", "ntp"): 1,
                ("good", "telnet"): 1,
                ("good", "complete"): 1,
                ("bad", "ntp"): 0,
                ("bad", "telnet"): 0,
                ("bad", "complete"): 0,
                ("other", "ntp"): 0,
            }
            assert len(oxidized.asked()) == (5 if requests == 5 else 1)
            assert "transport" not in answer.text


async def test_a_configuration_above_16_mebibytes_is_counted_and_not_checked() -> None:
    large = "x" * 1023 + "\n"
    devices = (Device(name="large", group="a", configuration=large * (16 * 1024 + 1)),)
    config = configuring("configs", anything=must("x"))
    async with instance(*devices) as oxidized, running_exporter(config=config) as exporter:
        answer = await exporter.probe(oxidized.url, timeout_seconds=30)
    assert sizes(answer) == {"a/large": 1024 * (16 * 1024 + 1)}
    assert not answer.all("oxidized_device_config_check")


async def test_at_the_deadline_what_is_known_is_told_and_the_next_scrapes_go_on_from_there() -> None:
    async with instance(*switches(6)) as oxidized, running_exporter(config=configuring()) as exporter:
        oxidized.app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS, path="/node/fetch/access/sw0")
        answer = await exporter.probe(oxidized.url, timeout_seconds=1)
        assert answer.value("oxidized_status") == 1
        assert answer.value("oxidized_collector_success", collector="nodes") == 1
        assert answer.value("oxidized_collector_success", collector="configs") == 0
        assert answer.value("oxidized_configs_pending") == 1
        assert len(sizes(answer)) == 5
        await oxidized.app[HELD].count_is(0)
        oxidized.app[FAULTS].switch_off()
        oxidized.asked()
        answer = await exporter.probe(oxidized.url)
        assert oxidized.asked() == ["/nodes.json", "/node/fetch/access/sw0"]
        assert answer.value("oxidized_configs_pending") == 0
        assert answer.value("oxidized_collector_success", collector="configs") == 1
        own = Exposition.parse(await (await exporter.get("/metrics")).text())
    assert own.value("oxidized_exporter_upstream_requests_total", route="fetch", result="timeout") == 1


async def test_what_hangs_or_fails_is_asked_for_last_the_next_time() -> None:
    async with instance(*switches(8)) as oxidized, running_exporter(config=configuring(concurrency=1)) as exporter:
        oxidized.app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS, path="/node/fetch/access/sw5")
        await exporter.probe(oxidized.url, timeout_seconds=0.5)
        for _ in range(3):
            oxidized.clock.advance(3600)  # every device has had another job
            oxidized.asked()
            answer = await exporter.probe(oxidized.url, timeout_seconds=0.5)
            assert len(sizes(answer)) == 7
            assert oxidized.asked()[-1] == "/node/fetch/access/sw5"


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


async def test_a_page_of_statistics_that_cannot_be_read_is_a_failed_collector_and_no_failed_probe() -> None:
    async with instance(*switches(2)) as oxidized, running_exporter(config=configuring(*_ALL)) as exporter:
        oxidized.app[FAULTS].switch_on(Fault.HTML, path="/nodes/stats")
        answer = await exporter.probe(oxidized.url)
    assert answer.value("oxidized_status") == 1
    assert {labels["collector"]: value for labels, value in answer.all("oxidized_collector_success")} == {
        "nodes": 1,
        "configs": 1,
        "stats": 0,
    }
    assert not answer.all("oxidized_device_backups_total")
    assert not answer.all("oxidized_stats_ambiguous_devices")
    assert len(sizes(answer)) == 2


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


@pytest.mark.parametrize(
    "query,requests,collectors",
    [
        ("", ["/nodes.json", "/nodes/stats"], {"nodes", "stats"}),
        ("&collect[]=nodes", ["/nodes.json"], {"nodes"}),
        ("&collect[]=stats", ["/nodes.json", "/nodes/stats"], {"stats"}),
        ("&collect[]=stats&collect[]=nodes&collect[]=nodes", ["/nodes.json", "/nodes/stats"], {"nodes", "stats"}),
    ],
)
async def test_collect_narrows_the_module(query: str, requests: list[str], collectors: set[str]) -> None:
    async with (
        instance(*switches(1)) as oxidized,
        running_exporter(config=configuring("nodes", "stats")) as exporter,
    ):
        response = await exporter.get(f"/probe?target={oxidized.url}{query}")
        answer = Exposition.parse(await response.text())
        assert oxidized.asked() == requests
    assert {labels["collector"] for labels, _ in answer.all("oxidized_collector_success")} == collectors
    assert bool(answer.all("oxidized_device_status")) is ("nodes" in collectors)
    assert bool(answer.all("oxidized_device_backups_total")) is ("stats" in collectors)


@pytest.mark.parametrize("name", ["configs", "statistics", "", "nodes,stats"])
async def test_a_collector_that_is_unknown_or_not_of_the_module_is_400(name: str) -> None:
    async with running_exporter(config=configuring("nodes", "stats")) as exporter:
        response = await exporter.get(f"/probe?target=http://127.0.0.1:1&collect[]={name}")
        text = await response.text()
    assert response.status == 400
    assert text == f"collect[]: the module default has no {name!r}; it has: nodes, stats\n"


@dataclass
class Held:
    """An instance whose answers wait, and an exporter in front of it."""

    oxidized: Instance
    exporter: Probing

    async def arrived(self, count: int) -> None:
        async with asyncio.timeout(10):
            await self.oxidized.app[HELD].count_is(count)

    def probe(self, query: str = "", *, seconds: float = 10) -> asyncio.Task[Exposition]:
        return asyncio.create_task(self._probe(query, seconds))

    async def _probe(self, query: str, seconds: float) -> Exposition:
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": str(seconds)}
        url = f"/probe?target={self.oxidized.url}{query}"
        async with self.exporter.session.get(url, headers=headers) as response:
            return Exposition.parse(await response.text())


@pytest.fixture
async def held() -> AsyncIterator[Held]:
    async with AsyncExitStack() as stack:
        oxidized = await stack.enter_async_context(instance(*switches(3)))
        exporter = await stack.enter_async_context(running_exporter(config=configuring("nodes", "stats")))
        oxidized.app[FAULTS].switch_on(Fault.SLOW, seconds=1, path="/nodes.json")
        yield Held(oxidized, exporter)


async def in_flight(exporter: Probing, count: int) -> None:
    async with asyncio.timeout(10):
        while (await own(exporter)).value("oxidized_exporter_probes_in_flight") != count:
            pass


async def own(exporter: Probing) -> Exposition:
    return Exposition.parse(await (await exporter.get("/metrics")).text())


async def test_identical_probes_in_flight_share_one_scrape(held: Held) -> None:
    probes = [held.probe() for _ in range(4)]
    for probe in probes:
        assert (await probe).value("oxidized_status") == 1
    assert held.oxidized.asked() == ["/nodes.json", "/nodes/stats"]
    told = await own(held.exporter)
    assert told.value("oxidized_exporter_probes_coalesced_total") == 3
    assert told.value("oxidized_exporter_probes_total", module="default", result="success") == 4
    assert told.value("oxidized_exporter_upstream_requests_total", route="nodes", result="success") == 1


async def test_probes_that_differ_are_made_each_by_itself(held: Held) -> None:
    probes = [held.probe(), held.probe("&collect[]=nodes"), held.probe("/")]
    await held.arrived(3)
    for probe in probes:
        assert (await probe).value("oxidized_status") == 1
    assert held.oxidized.asked().count("/nodes.json") == 3
    assert (await own(held.exporter)).value("oxidized_exporter_probes_coalesced_total") == 0


async def test_each_caller_keeps_its_own_deadline(held: Held) -> None:
    patient, hasty = held.probe(seconds=10), held.probe(seconds=0.2)
    assert (await hasty).reason() == "timeout"
    assert not patient.done()
    assert (await patient).value("oxidized_status") == 1
    assert held.oxidized.asked() == ["/nodes.json", "/nodes/stats"]


async def test_a_hasty_caller_does_not_cut_off_a_patient_one_that_came_later(held: Held) -> None:
    hasty = held.probe(seconds=0.3)
    await held.arrived(1)
    patient = held.probe(seconds=10)
    assert (await hasty).reason() == "timeout"
    assert (await patient).value("oxidized_status") == 1
    assert held.oxidized.asked() == ["/nodes.json", "/nodes/stats"]


async def test_a_caller_who_leaves_cancels_nothing_for_the_others_and_the_last_one_all(held: Held) -> None:
    first, second = held.probe(), held.probe()
    await held.arrived(1)
    await in_flight(held.exporter, 2)
    first.cancel()
    await in_flight(held.exporter, 1)
    assert len(held.oxidized.app[HELD]) == 1
    second.cancel()
    await held.arrived(0)
    assert held.oxidized.asked() == ["/nodes.json"]
    told = await own(held.exporter)
    assert told.value("oxidized_exporter_probes_total", module="default", result="abandoned") == 2


async def test_callers_that_overlap_do_not_keep_a_scrape_that_hangs(held: Held) -> None:
    held.oxidized.app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS, requests=1, path="/nodes.json")
    first = held.probe(seconds=0.3)
    await held.arrived(1)
    overlapping = held.probe(seconds=10)
    assert (await first).reason() == "timeout"
    assert (await held.probe(seconds=5)).value("oxidized_status") == 1, "begun anew"
    assert not overlapping.done()
    overlapping.cancel()
    await held.arrived(0)


async def test_after_the_last_caller_has_gone_a_new_one_begins_anew(held: Held) -> None:
    assert (await held.probe(seconds=0.2)).reason() == "timeout"
    assert (await held.probe()).value("oxidized_status") == 1
    assert held.oxidized.asked() == ["/nodes.json", "/nodes.json", "/nodes/stats"]


async def test_a_reload_that_changes_the_connection_forgets_and_asks_by_the_new_one() -> None:
    config = configuring()
    patterns = (TargetPattern.parse("http://127.0.0.1:*"),)
    async with instance(*switches(2)) as oxidized, running_exporter(config=config) as exporter:
        server = exporter.exporter
        for changed, requests in (
            (config, 3),
            (replace(config), 1),
            (replace(config, connections=(Connection(targets=patterns, host_header="other"),)), 3),
            (replace(config, connections=(Connection(targets=patterns, host_header="other"),)), 1),
        ):
            server.running.config = changed
            server.scraper.forget_all_but(changed)
            await exporter.probe(oxidized.url)
            assert len(oxidized.asked()) == requests


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
    async with instance(*devices, *fleet(3)) as oxidized, running_exporter(config=configuring(*_ALL)) as exporter:
        answer = await exporter.probe(oxidized.url)
        asked = oxidized.asked()
    assert answer.value("oxidized_status") == 1
    assert {path.split("/")[1] for path in asked} <= {"nodes.json", "nodes", "node"}
    assert all(path in {"/nodes.json", "/nodes/stats"} or path.startswith("/node/fetch/") for path in asked)


async def test_rows_of_one_full_name_are_remembered_each_by_itself() -> None:
    """They differ in what the file or the database says of the model; both show the one stored configuration."""
    devices = (Device(name="sw1", group="a", model="IOS"), Device(name="sw1", group="a", model="NXOS"))
    config = configuring(telnet=Check(must_not_match=LineExpression("telnet"), models=(Expression("IOS"),)))
    async with instance(*devices) as oxidized, running_exporter(config=config) as exporter:
        for requests in (3, 1):
            answer = await exporter.probe(oxidized.url)
            assert len(oxidized.asked()) == requests
            assert len(answer.all("oxidized_device_config_size")) == 2
            assert [labels["model"] for labels, _ in answer.all("oxidized_device_config_check")] == ["IOS"]


async def test_what_an_abandoned_scrape_asked_and_remembered_is_counted() -> None:
    async with instance(*switches(3)) as oxidized, running_exporter(config=configuring(*_ALL)) as exporter:
        held = Held(oxidized, exporter)
        await exporter.probe(oxidized.url)
        oxidized.app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS, path="/nodes/stats")
        probe = held.probe()
        await held.arrived(1)
        probe.cancel()
        await in_flight(exporter, 0)
        told = await own(exporter)
    assert told.value("oxidized_exporter_upstream_requests_total", route="nodes", result="success") == 2
    assert told.value("oxidized_exporter_upstream_requests_total", route="stats", result="timeout") == 1
    assert told.value("oxidized_exporter_remembered_config_hits_total") == 3
