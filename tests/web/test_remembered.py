"""What the collector configs does not ask for again, from one scrape to the next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from oxidized_exporter.config import Check, Connection, Expression, LineExpression
from oxidized_exporter.simulator import Device, Outcome
from oxidized_exporter.targets.pattern import TargetPattern
from tests.harness import running_exporter
from tests.web.instances import (
    LONG,
    configuring,
    instance,
    own_metrics,
    sizes,
    switches,
)


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
        own = await own_metrics(exporter)
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
            oxidized.clock.advance(LONG)
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
