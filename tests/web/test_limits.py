"""What bounds an exporter's work: probes at the same time, and what a module tells of."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest
from aiohttp import web

from oxidized_exporter.config import Config, Expression, Limits, Module, Selector
from oxidized_exporter.simulator import Daemon, Device, Outcome, create_app
from oxidized_exporter.web.state import Settings
from tests.harness import Exposition, Probing, running, running_exporter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass(slots=True)
class Patient:
    """An Oxidized that answers only when it is told to: the targets ``/0``, ``/1``, … each by itself."""

    url: str = ""
    arrived: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    told: dict[str, asyncio.Event] = field(default_factory=dict)

    async def nodes(self, request: web.Request) -> web.Response:
        self.arrived.release()
        await self.told.setdefault(request.match_info["which"], asyncio.Event()).wait()
        return web.json_response([])

    def probes(self, exporter: Probing, count: int) -> list[asyncio.Task[Exposition]]:
        return [
            asyncio.create_task(exporter.probe(f"{self.url}/{which}", timeout_seconds=50)) for which in range(count)
        ]

    async def have_arrived(self, count: int) -> None:
        for _ in range(count):
            await self.arrived.acquire()


@asynccontextmanager
async def patient() -> AsyncIterator[Patient]:
    instance = Patient()
    app = web.Application()
    app.router.add_get("/{which}/nodes.json", instance.nodes)
    async with running(app) as url:
        instance.url = url
        yield instance
        for told in instance.told.values():
            told.set()


async def own_metrics(exporter: Probing) -> Exposition:
    return Exposition.parse(await (await exporter.get("/metrics")).text())


async def test_one_probe_more_than_the_most_is_503_until_another_has_ended() -> None:
    async with (
        patient() as slow,
        running(create_app(Daemon(()))) as healthy,
        running_exporter(settings=Settings(max_requests=3)) as exporter,
    ):
        hanging = slow.probes(exporter, 3)
        await slow.have_arrived(3)
        response = await exporter.get(f"/probe?target={healthy}")
        assert response.status == 503
        assert response.headers["Retry-After"] == "1"
        assert await response.text() == "3 probes are being answered, which is the most\n"

        slow.told["0"].set()
        assert (await hanging[0]).value("oxidized_status") == 1
        assert (await exporter.probe(healthy)).value("oxidized_status") == 1

        own = await own_metrics(exporter)
        assert own.value("oxidized_exporter_probes_rejected_total", reason="max_requests") == 1
        assert own.value("oxidized_exporter_probes_in_flight") == 2
        for told in slow.told.values():
            told.set()
        assert [(await probe).value("oxidized_status") for probe in hanging] == [1, 1, 1]


async def test_a_caller_who_hangs_up_makes_room() -> None:
    """The room is there when the next probe is served: it is asked for until it is, without waiting in between."""
    async with patient() as slow, running_exporter(settings=Settings(max_requests=1)) as exporter:
        [hanging] = slow.probes(exporter, 1)
        await slow.have_arrived(1)
        hanging.cancel()
        next_one = f"/probe?target={slow.url}/1"
        slow.told["1"] = asyncio.Event()
        slow.told["1"].set()
        while (response := await exporter.get(next_one)).status == 503:
            pass
        assert response.status == 200


async def test_the_rest_is_answered_while_no_probe_is() -> None:
    async with patient() as slow, running_exporter(settings=Settings(max_requests=1)) as exporter:
        hanging = slow.probes(exporter, 1)
        await slow.have_arrived(1)
        found = {path: (await exporter.get(path)).status for path in ("/metrics", "/-/healthy", "/-/ready", "/probe")}
        assert found == {"/metrics": 200, "/-/healthy": 200, "/-/ready": 200, "/probe": 400}
        hanging[0].cancel()


async def test_by_default_hanging_targets_keep_no_healthy_one_from_being_served() -> None:
    async with (
        patient() as slow,
        running(create_app(Daemon(()))) as healthy,
        running_exporter() as exporter,
    ):
        hanging = slow.probes(exporter, 60)
        await slow.have_arrived(60)
        assert (await exporter.probe(healthy)).value("oxidized_status") == 1
        for probe in hanging:
            probe.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)


FLEET: Final = (
    Device(name="sw-1", group="access/eu", model="IOS", ip="10.0.0.1"),
    Device(name="sw-2", group="access/us", model="EOS", ip="10.0.0.2", outcome=Outcome.NO_CONNECTION),
    Device(name="rtr-1", group="core", model="JunOS", ip="10.0.0.3"),
)
MODULES: Final = {
    "default": Module(name="default"),
    "failing": Module(name="failing", devices="failing"),
    "none": Module(name="none", devices="none"),
    "access": Module(name="access", include=Selector(group=(Expression("access/.*"),))),
    "no-eos": Module(
        name="no-eos",
        include=Selector(group=(Expression("access/.*"), Expression("core"))),
        exclude=Selector(model=(Expression("EOS"),)),
    ),
    "anchored": Module(name="anchored", include=Selector(name=(Expression("sw"),))),
    "exactly": Module(name="exactly", max_devices=3),
    "too-many": Module(name="too-many", max_devices=2),
    "too-many-shown": Module(name="too-many-shown", max_devices=2, devices="failing"),
    "few-enough": Module(name="few-enough", max_devices=2, include=Selector(group=(Expression("access/.*"),))),
}


@pytest.mark.parametrize(
    "module,counted,shown,complete",
    [
        ("default", 3, {"sw-1", "sw-2", "rtr-1"}, 1),
        ("failing", 3, {"sw-2"}, 1),
        ("none", 3, set(), 1),
        ("access", 2, {"sw-1", "sw-2"}, 1),
        ("no-eos", 2, {"sw-1", "rtr-1"}, 1),
        ("anchored", 0, set(), 1),
        ("exactly", 3, {"sw-1", "sw-2", "rtr-1"}, 1),
        ("too-many", 3, set(), 0),
        ("too-many-shown", 3, set(), 0),
        ("few-enough", 2, {"sw-1", "sw-2"}, 1),
    ],
)
async def test_what_a_module_tells_of(module: str, counted: int, shown: set[str], complete: int) -> None:
    """Aggregates in any case; over max_devices no series of a device at all, and a collector that failed."""
    app = create_app(Daemon(FLEET, started=time.time() - 7200))
    async with running(app) as url, running_exporter(config=Config(modules=MODULES)) as exporter:
        response = await exporter.get(f"/probe?target={url}&module={module}")
        answer = Exposition.parse(await response.text())
        own = await own_metrics(exporter)
    assert response.status == 200
    assert answer.value("oxidized_status") == answer.value("probe_success") == 1
    assert answer.value("oxidized_collector_success", collector="nodes") == complete
    assert sum(value for _, value in answer.all("oxidized_devices")) == counted
    assert answer.all("oxidized_devices_exposing_secrets") == [({}, 0.0)]
    for metric in ("oxidized_device_info", "oxidized_device_status", "oxidized_device_last_backup_end"):
        assert {labels["name"] for labels, _ in answer.all(metric)} == shown
    assert ("\noxidized_device_" in answer.text) is bool(shown)
    assert own.value("oxidized_exporter_probes_total", module=module, result="success") == 1


@pytest.mark.parametrize("rows,reason", [(3, None), (2, "too_large")])
async def test_a_list_of_too_many_rows_is_a_failed_probe(rows: int, reason: str | None) -> None:
    config = Config(limits=Limits(rows=rows))
    async with running(create_app(Daemon(FLEET))) as url, running_exporter(config=config) as exporter:
        assert (await exporter.probe(url)).reason() == reason


async def test_labels_are_cut_at_the_configured_length_on_a_character_boundary() -> None:
    app = create_app(Daemon((Device(name="é" * 20),)))
    async with running(app) as url, running_exporter(config=Config(limits=Limits(label_bytes=17))) as exporter:
        answer = await exporter.probe(url)
    [(labels, _)] = answer.all("oxidized_device_info")
    assert labels["name"] == "é" * 8
