"""Identical probes at the same time are one scrape, and each caller has its own deadline."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from oxidized_exporter.config import Config, Module
from oxidized_exporter.simulator import FAULTS, HELD, Fault
from tests.harness import Exposition, Probing, running_exporter
from tests.web.instances import (
    ALL,
    Instance,
    configuring,
    in_flight,
    instance,
    own_metrics,
    sizes,
    switches,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class Held:
    """An instance whose node list waits until its gate is opened, and an exporter in front of it."""

    oxidized: Instance
    exporter: Probing

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
        oxidized.gate.shut("/nodes.json")
        yield Held(oxidized, exporter)


async def test_identical_probes_in_flight_share_one_scrape(held: Held) -> None:
    probes = [held.probe() for _ in range(4)]
    await in_flight(held.exporter, 4)
    held.oxidized.gate.open()
    for probe in probes:
        assert (await probe).value("oxidized_status") == 1
    assert held.oxidized.asked() == ["/nodes.json", "/nodes/stats"]
    told = await own_metrics(held.exporter)
    assert told.value("oxidized_exporter_probes_coalesced_total") == 3
    assert told.value("oxidized_exporter_probes_total", module="default", result="success") == 4
    assert told.value("oxidized_exporter_upstream_requests_total", route="nodes", result="success") == 1


async def test_probes_that_differ_are_made_each_by_itself(held: Held) -> None:
    probes = [held.probe(), held.probe("&collect[]=nodes"), held.probe("/")]
    await held.oxidized.held(3)
    held.oxidized.gate.open()
    for probe in probes:
        assert (await probe).value("oxidized_status") == 1
    assert held.oxidized.asked().count("/nodes.json") == 3
    assert (await own_metrics(held.exporter)).value("oxidized_exporter_probes_coalesced_total") == 0


async def test_hits_are_counted_once_for_callers_who_share_a_scrape() -> None:
    async with instance(*switches(3)) as oxidized, running_exporter(config=configuring()) as exporter:
        await exporter.probe(oxidized.url)
        oxidized.gate.shut("/nodes.json")
        held = Held(oxidized, exporter)
        probes = [held.probe() for _ in range(2)]
        await in_flight(exporter, 2)
        oxidized.gate.open()
        assert [len(sizes(await probe)) for probe in probes] == [3, 3]
        told = await own_metrics(exporter)
    assert told.value("oxidized_exporter_probes_coalesced_total") == 1
    assert told.value("oxidized_exporter_remembered_config_hits_total") == 3
    assert told.value("oxidized_exporter_upstream_requests_total", route="nodes", result="success") == 2


async def test_modules_that_collect_the_same_are_told_each_what_it_selects() -> None:
    modules = {"default": Module(name="default"), "few": Module(name="few", devices="none")}
    async with instance(*switches(3)) as oxidized, running_exporter(config=Config(modules=modules)) as exporter:
        oxidized.gate.shut("/nodes.json")
        held = Held(oxidized, exporter)
        probes = [held.probe(), held.probe("&module=few")]
        await oxidized.held(2)
        oxidized.gate.open()
        assert [len((await probe).all("oxidized_device_info")) for probe in probes] == [3, 0]


async def test_who_comes_after_a_reload_joins_no_scrape_from_before(held: Held) -> None:
    before = held.probe()
    await held.oxidized.held(1)
    running = held.exporter.exporter.running
    running.config = replace(running.config)
    after = held.probe()
    await held.oxidized.held(2)
    held.oxidized.gate.open()
    assert [(await probe).value("oxidized_status") for probe in (before, after)] == [1, 1]


async def test_each_caller_keeps_its_own_deadline(held: Held) -> None:
    patient = held.probe(seconds=10)
    await held.oxidized.held(1)
    hasty = held.probe(seconds=0.05)
    assert (await hasty).reason() == "timeout"
    assert not patient.done()
    held.oxidized.gate.open()
    assert (await patient).value("oxidized_status") == 1
    assert held.oxidized.asked() == ["/nodes.json", "/nodes/stats"]


@pytest.mark.parametrize("seconds", [(0.3, 10.0), (10.0, 0.05)])
async def test_it_goes_on_and_tries_again_while_the_most_patient_caller_waits_whoever_came_first(
    held: Held, seconds: tuple[float, float]
) -> None:
    probes = [held.probe(seconds=seconds[0])]
    await held.oxidized.held(1)
    probes.append(held.probe(seconds=seconds[1]))
    hasty, patient = sorted(probes, key=lambda probe: seconds[probes.index(probe)])
    assert (await hasty).reason() == "timeout"
    held.oxidized.app[FAULTS].switch_on(Fault.UNAVAILABLE, requests=1, path="/nodes.json")
    held.oxidized.gate.open()
    assert (await patient).value("oxidized_status") == 1
    assert held.oxidized.asked() == ["/nodes.json", "/nodes.json", "/nodes/stats"]


async def test_a_caller_who_leaves_cancels_nothing_for_the_others_and_the_last_one_all(held: Held) -> None:
    first, second = held.probe(), held.probe()
    await held.oxidized.held(1)
    await in_flight(held.exporter, 2)
    first.cancel()
    await in_flight(held.exporter, 1)
    assert len(held.oxidized.app[HELD]) == 1
    second.cancel()
    await held.oxidized.held(0)
    assert held.oxidized.asked() == ["/nodes.json"]
    told = await own_metrics(held.exporter)
    assert told.value("oxidized_exporter_probes_total", module="default", result="abandoned") == 2


async def test_callers_that_overlap_do_not_keep_a_scrape_that_hangs(held: Held) -> None:
    held.oxidized.gate.open()
    held.oxidized.app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS, requests=1, path="/nodes.json")
    first = held.probe(seconds=0.3)
    await held.oxidized.held(1)
    overlapping = held.probe(seconds=10)
    assert (await first).reason() == "timeout"
    assert (await held.probe(seconds=5)).value("oxidized_status") == 1, "begun anew"
    assert not overlapping.done()
    overlapping.cancel()
    await held.oxidized.held(0)


async def test_after_the_last_caller_has_gone_a_new_one_begins_anew(held: Held) -> None:
    assert (await held.probe(seconds=0.2)).reason() == "timeout"
    held.oxidized.gate.open()
    assert (await held.probe()).value("oxidized_status") == 1
    assert held.oxidized.asked() == ["/nodes.json", "/nodes.json", "/nodes/stats"]


async def test_what_an_abandoned_scrape_asked_and_remembered_is_counted() -> None:
    async with instance(*switches(3)) as oxidized, running_exporter(config=configuring(*ALL)) as exporter:
        await exporter.probe(oxidized.url)
        oxidized.daemon.next("access/sw1")
        oxidized.clock.advance(60)
        oxidized.gate.shut("/nodes/stats", "/node/fetch")
        probe = Held(oxidized, exporter).probe()
        await oxidized.held(2)
        probe.cancel()
        await in_flight(exporter, 0)
        await oxidized.held(0)
        told = await own_metrics(exporter)
    assert told.value("oxidized_exporter_upstream_requests_total", route="nodes", result="success") == 2
    assert told.value("oxidized_exporter_upstream_requests_total", route="stats", result="timeout") == 1
    assert told.value("oxidized_exporter_remembered_config_hits_total") == 2
