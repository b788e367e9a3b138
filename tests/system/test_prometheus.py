"""A real Prometheus scrapes the exporter."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from oxidized_exporter.simulator import Device, fleet
from tests.system.oxidized import Instance, simulated
from tests.system.program import EXPORTER, Exporter, eventually, exporting
from tests.system.prometheus import Prometheus, prometheus, relabelled, together

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

# One Prometheus for all tests: it takes five seconds before its first scrape.
pytestmark = pytest.mark.asyncio(loop_scope="module")

_RULES = {
    "groups": [
        {
            "name": "oxidized",
            "rules": [
                {
                    "alert": "OxidizedConnectionDown",
                    "expr": "oxidized_status == 0",
                    "for": "1s",
                    "labels": {"severity": "critical"},
                }
            ],
        }
    ]
}

_HOSTILE_NAMES = ('"quoted"', "back\\slash", "new\nline", "nul\0nul", "\N{WASTEBASKET}\N{SNOWMAN}", "{a='b'},", "\\n")


@dataclass(frozen=True, slots=True)
class Monitored:
    """Three instances that a Prometheus watches through the exporter, each scraped at least once."""

    instances: tuple[Instance, Instance, Instance]
    exporter: Exporter
    prometheus: Prometheus

    @property
    def urls(self) -> list[str]:
        return [instance.url for instance in self.instances]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def monitored(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Monitored]:
    if not shutil.which("prometheus"):
        pytest.skip("needs a Prometheus: Debian package prometheus")
    hostile = (Device(name=name, group="hostile") for name in _HOSTILE_NAMES)
    async with (
        simulated(*fleet(5)) as first,
        simulated(*fleet(5, seed=1)) as second,
        simulated(*hostile) as third,
        exporting(*EXPORTER, "--timeout-offset=0.1") as exporter,
    ):
        instances = (first, second, third)
        urls = [instance.url for instance in instances]
        jobs = relabelled(urls, exporter), together(urls, exporter)
        async with prometheus(tmp_path_factory.mktemp("p"), *jobs, rules=_RULES) as server:

            async def scraped() -> bool:
                return len(await server.query("oxidized_status == 1")) == 2 * len(instances)

            await eventually(scraped)
            yield Monitored(instances, exporter, server)


async def test_prometheus_likes_every_answer(monitored: Monitored) -> None:
    targets = (await monitored.prometheus.get("targets", state="active"))["activeTargets"]
    assert [(target["health"], target["lastError"]) for target in targets] == [("up", "")] * 4


async def test_instance_is_the_address_of_the_oxidized(monitored: Monitored) -> None:
    for metric in ("up", "oxidized_status", "probe_success"):
        series = await monitored.prometheus.query(f'{metric}{{job="oxidized"}}')
        expected = [({"__name__": metric, "job": "oxidized", "instance": url}, 1.0) for url in monitored.urls]
        assert sorted(series, key=str) == sorted(expected, key=str)


async def test_targets_scraped_in_one_request_are_told_apart(monitored: Monitored) -> None:
    assert await monitored.prometheus.by("target", 'oxidized_status{job="oxidized-together"}') == dict.fromkeys(
        monitored.urls, 1.0
    )
    devices = await monitored.prometheus.by(
        "target", 'count by (target) (oxidized_device_status{job="oxidized-together"})'
    )
    assert devices == dict(zip(monitored.urls, (5.0, 5.0, len(_HOSTILE_NAMES)), strict=True))


@pytest.mark.parametrize("job", ["oxidized", "oxidized-together"])
async def test_hostile_names_arrive_as_they_are(monitored: Monitored, job: str) -> None:
    names = await monitored.prometheus.by("name", f'oxidized_device_status{{group="hostile",job="{job}"}}')
    assert sorted(names) == sorted(_HOSTILE_NAMES)
    full_names = await monitored.prometheus.by("full_name", f'oxidized_device_status{{group="hostile",job="{job}"}}')
    assert sorted(full_names) == sorted(f"hostile/{name}" for name in _HOSTILE_NAMES)


async def test_an_oxidized_that_is_down_alone_raises_the_alert_until_it_is_back(monitored: Monitored) -> None:
    server = monitored.prometheus
    down = monitored.instances[1]

    async def both_jobs_fire() -> bool:
        return [state for state, _ in await server.alerts()] == ["firing", "firing"]

    async def none_fires() -> bool:
        return not await server.alerts()

    await down.stop()
    await eventually(both_jobs_fire)
    alert = {"alertname": "OxidizedConnectionDown", "severity": "critical"}
    assert {labels["job"]: labels for _, labels in await server.alerts()} == {
        "oxidized": alert | {"job": "oxidized", "instance": down.url},
        "oxidized-together": alert
        | {"job": "oxidized-together", "instance": monitored.exporter.address, "target": down.url},
    }
    await down.start()
    await eventually(none_fires)

    ever_fired = 'max_over_time(ALERTS{alertstate="firing",job="oxidized"}[5m])'
    assert list(await server.by("instance", ever_fired)) == [down.url]
    always_up = await server.by("instance", "min_over_time(up[5m])")
    assert always_up == dict.fromkeys([*monitored.urls, monitored.exporter.address], 1.0)
