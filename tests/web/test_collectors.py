"""Which collectors run, and beside each other."""

from __future__ import annotations

import pytest

from tests.harness import Exposition, running_exporter
from tests.web.instances import (
    configuring,
    instance,
    switches,
)


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
