"""Which collectors run, and beside each other."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from oxidized_exporter.config import Check, LineExpression
from oxidized_exporter.scrape import configs, scraping
from oxidized_exporter.simulator import FAULTS, Fault
from tests.harness import Exposition, running_exporter
from tests.web.instances import (
    ALL,
    configuring,
    instance,
    successes,
    switches,
)

if TYPE_CHECKING:
    from collections.abc import Callable


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


async def test_configs_and_stats_are_asked_for_beside_each_other() -> None:
    async with instance(*switches(5)) as oxidized, running_exporter(config=configuring(*ALL)) as exporter:
        oxidized.gate.shut("/nodes/stats", "/node/fetch")
        probe = asyncio.create_task(exporter.probe(oxidized.url))
        await oxidized.held(3)
        oxidized.gate.open()
        assert successes(await probe) == {"nodes": 1, "configs": 1, "stats": 1}


async def test_collectors_that_never_began_have_not_succeeded() -> None:
    async with instance(*switches(2)) as oxidized, running_exporter(config=configuring(*ALL)) as exporter:
        oxidized.app[FAULTS].switch_on(Fault.HTML, path="/nodes.json")
        answer = await exporter.probe(oxidized.url)
    assert oxidized.asked() == ["/nodes.json"]
    assert successes(answer) == {"nodes": 0, "configs": 0, "stats": 0}


@pytest.mark.parametrize("large", [False, True])
async def test_what_takes_long_is_done_in_a_thread_of_its_kind_and_size(
    monkeypatch: pytest.MonkeyPatch, *, large: bool
) -> None:
    """A check cannot be interrupted, so no node list must wait for one; nor what is small for what is large."""
    threads: dict[str, str] = {}

    def noting(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any, **kwargs: Any) -> Any:
            threads[name] = threading.current_thread().name
            return original(*args, **kwargs)

        return noted

    for name in ("collect_nodes", "collect_stats", "plan_fetches"):
        monkeypatch.setattr(scraping, name, noting(name, getattr(scraping, name)))
    monkeypatch.setattr(Check, "holds", noting("holds", Check.holds))
    if large:
        for module, name in ((scraping, "LARGE_BYTES"), (scraping, "LARGE_DEVICES"), (configs, "LARGE_BYTES")):
            monkeypatch.setattr(module, name, 1)
    config = configuring(*ALL, end=Check(must_match=LineExpression("end")))
    async with instance(*switches(2)) as oxidized, running_exporter(config=config) as exporter:
        await exporter.probe(oxidized.url)
    decoding = "decode-large_0" if large else "decode_0"
    checking = "check-large_0" if large else "check_0"
    assert threads == {
        "collect_nodes": decoding,
        "collect_stats": decoding,
        "plan_fetches": decoding,
        "holds": checking,
    }
