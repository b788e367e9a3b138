"""A real Prometheus scrapes the exporter."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from signal import SIGHUP
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from oxidized_exporter.simulator import Device, fleet
from tests.system.oxidized import Instance, simulated
from tests.system.program import EXPORTER, Exporter, eventually, exporting
from tests.system.prometheus import Prometheus, discovered, prometheus, relabelled, together

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

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


_NAMES = ("first", "second", "third")
_ADDED = "added"


@dataclass(frozen=True, slots=True)
class Monitored:
    """Three instances that a Prometheus watches through the exporter, each scraped at least once by each job.

    Attributes:
        instances: those of `_NAMES`.
        spare: one that nobody knows yet.
        config: the exporter's configuration file.
    """

    instances: tuple[Instance, Instance, Instance]
    spare: Instance
    config: Path
    exporter: Exporter
    prometheus: Prometheus

    @property
    def urls(self) -> list[str]:
        return [instance.url for instance in self.instances]


def _configuration(*instances: Instance) -> str:
    """Return a configuration file with these as targets, each with a label, and with all of this machine allowed."""
    return json.dumps(
        {
            "modules": {"totals": {"devices": "none"}},
            "targets": {
                name: {"url": instance.url, "module": "totals" if name == _ADDED else "default", "labels": {"is": name}}
                for name, instance in zip((*_NAMES, _ADDED), instances, strict=False)
            },
            "access": {"allow": ["127.0.0.0/8"]},
        }
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def monitored(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Monitored]:
    if not shutil.which("prometheus"):
        pytest.skip("needs a Prometheus: Debian package prometheus")
    hostile = (Device(name=name, group="hostile") for name in _HOSTILE_NAMES)
    async with (
        simulated(*fleet(5)) as first,
        simulated(*fleet(5, seed=1)) as second,
        simulated(*hostile) as third,
        simulated(*fleet(4)) as spare,
    ):
        instances = (first, second, third)
        config = tmp_path_factory.mktemp("e") / "config.yml"
        config.write_text(_configuration(*instances))
        urls = [instance.url for instance in instances]
        async with exporting(*EXPORTER, "--timeout-offset=0.1", f"--config.file={config}") as exporter:
            jobs = relabelled(urls, exporter), together(urls, exporter), discovered(exporter)
            async with prometheus(tmp_path_factory.mktemp("p"), *jobs, rules=_RULES) as server:

                async def scraped() -> bool:
                    return len(await server.query("oxidized_status == 1")) == len(jobs) * len(instances)

                await eventually(scraped)
                yield Monitored(instances, spare, config, exporter, server)


async def test_prometheus_likes_every_answer(monitored: Monitored) -> None:
    targets = (await monitored.prometheus.get("targets", state="active"))["activeTargets"]
    assert [(target["health"], target["lastError"]) for target in targets] == [("up", "")] * 7


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


async def test_targets_that_the_exporter_names_need_no_relabelling(monitored: Monitored) -> None:
    """The job that is shipped has five lines."""
    job = discovered(monitored.exporter)
    assert set(job) == {"job_name", "http_sd_configs"}
    for metric in ("up", "oxidized_status", "probe_success"):
        series = await monitored.prometheus.query(f'{metric}{{job="oxidized-discovered"}}')
        expected = [
            ({"__name__": metric, "job": "oxidized-discovered", "instance": name, "is": name}, 1.0) for name in _NAMES
        ]
        assert sorted(series, key=str) == sorted(expected, key=str)
    devices = await monitored.prometheus.by(
        "instance", 'count by (instance) (oxidized_device_status{job="oxidized-discovered"})'
    )
    assert devices == dict(zip(_NAMES, (5.0, 5.0, len(_HOSTILE_NAMES)), strict=True))


@pytest.mark.parametrize("job", ["oxidized", "oxidized-together", "oxidized-discovered"])
async def test_hostile_names_arrive_as_they_are(monitored: Monitored, job: str) -> None:
    names = await monitored.prometheus.by("name", f'oxidized_device_status{{group="hostile",job="{job}"}}')
    assert sorted(names) == sorted(_HOSTILE_NAMES)
    full_names = await monitored.prometheus.by("full_name", f'oxidized_device_status{{group="hostile",job="{job}"}}')
    assert sorted(full_names) == sorted(f"hostile/{name}" for name in _HOSTILE_NAMES)


async def test_an_oxidized_that_is_down_alone_raises_the_alert_until_it_is_back(monitored: Monitored) -> None:
    server = monitored.prometheus
    down = monitored.instances[1]

    async def all_jobs_fire() -> bool:
        return [state for state, _ in await server.alerts()] == ["firing"] * 3

    async def none_fires() -> bool:
        return not await server.alerts()

    await down.stop()
    await eventually(all_jobs_fire)
    alert = {"alertname": "OxidizedConnectionDown", "severity": "critical"}
    assert {labels["job"]: labels for _, labels in await server.alerts()} == {
        "oxidized": alert | {"job": "oxidized", "instance": down.url},
        "oxidized-together": alert
        | {"job": "oxidized-together", "instance": monitored.exporter.address, "target": down.url},
        "oxidized-discovered": alert | {"job": "oxidized-discovered", "instance": "second", "is": "second"},
    }
    await down.start()
    await eventually(none_fires)

    ever_fired = 'max_over_time(ALERTS{alertstate="firing",job="oxidized"}[5m])'
    assert list(await server.by("instance", ever_fired)) == [down.url]
    always_up = await server.by("instance", "min_over_time(up[5m])")
    assert always_up == dict.fromkeys([*monitored.urls, monitored.exporter.address, *_NAMES], 1.0)


async def test_a_target_that_a_reload_adds_appears_without_touching_prometheus(monitored: Monitored) -> None:
    """The last test: it leaves one more target behind."""
    server = monitored.prometheus
    monitored.config.write_text(_configuration(*monitored.instances, monitored.spare))
    monitored.exporter.program.send(SIGHUP)

    async def scraped() -> bool:
        return bool(await server.query(f'oxidized_status{{job="oxidized-discovered",instance="{_ADDED}"}} == 1'))

    await eventually(scraped)
    assert set(await server.by("instance", 'up{job="oxidized-discovered"}')) == {*_NAMES, _ADDED}
    added = f'instance="{_ADDED}",is="{_ADDED}"'
    devices = await server.by("status", f'oxidized_devices{{job="oxidized-discovered",{added}}}')
    assert devices["success"] == 4
    assert not await server.query(f"oxidized_device_status{{{added}}}"), "its module tells totals alone"
