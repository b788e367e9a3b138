"""What changes state, what waits for the lock, and faults of chosen routes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from oxidized_exporter.simulator import (
    FAULTS,
    HELD,
    Daemon,
    Device,
    Fault,
    FaultSwitch,
    ManualClock,
    Outcome,
    create_app,
    fleet,
)

if TYPE_CHECKING:
    from aiohttp.test_utils import TestClient
    from aiohttp.web import Application, Request
    from pytest_aiohttp.plugin import AiohttpClient


async def _statuses(client: TestClient[Request, Application], *paths: str) -> list[int]:
    return [(await client.get(path, allow_redirects=False)).status for path in paths]


async def test_next_redirects_to_the_nodes_or_says_ok(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(create_app(Daemon([Device(name="sw-01")], clock=ManualClock()), prefix="/o"))
    response = await client.get("/o/node/next/sw-01", allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (302, "/o/nodes")
    response = await client.get("/o/node/next/sw-01.json")
    assert (response.content_type, await response.text()) == ("application/json", '["ok"]')
    assert await _statuses(client, "/o/node/next/nope", "/o/node/next/nope.json") == [500, 500]


async def test_next_knows_names_and_addresses_and_no_groups() -> None:
    clock = ManualClock(0.0)
    devices = [Device(name="dup", group="a"), Device(name="dup", group="b"), Device(name="x", ip="192.0.2.9")]
    daemon = Daemon(devices, clock=clock, threads=3)
    clock.advance(10)
    for name, first in (("dup", "a/dup"), ("192.0.2.9", "x")):
        daemon.next_named(name)
        assert [node.full_name for node in daemon.nodes() if node.running] == [first]
        daemon.next_named(name)
        assert [node.full_name for node in daemon.nodes() if node.running] == [first], "a name that runs is left alone"
        clock.advance(5)
        assert not any(node.running for node in daemon.nodes())
    with pytest.raises(KeyError, match="no device has the name 'a/dup'"):
        daemon.next_named("a/dup")


async def test_a_reload_takes_up_what_the_source_says_now(aiohttp_client: AiohttpClient) -> None:
    clock = ManualClock()
    same, moved, gone = (Device(name=name, group="a") for name in ("same", "moved", "gone"))
    new = Device(name="new", group="a", job_seconds=60)
    daemon = Daemon([same, moved, gone], clock=clock)
    daemon.set_outcome("a/same", Outcome.FAIL)
    clock.advance(30)
    before = {node.full_name: node for node in daemon.nodes()}
    stats = daemon.stats()
    client = await aiohttp_client(create_app(daemon))
    assert await (await client.get("/reload.json")).json() == ["reloaded list of nodes"]
    assert {node.full_name: node for node in daemon.nodes()} == before, "the source has not changed"

    daemon.change_source([same, replace(moved, group="b"), new])
    assert {node.full_name: node for node in daemon.nodes()} == before, "nobody has reloaded"
    response = await client.get("/reload")
    assert (response.content_type, await response.text()) == ("text/plain", "reloaded list of nodes")
    after = {node.full_name: node for node in daemon.nodes()}
    assert set(after) == {"a/same", "b/moved", "a/new"}
    assert after["a/same"] == before["a/same"]
    assert after["b/moved"].last == before["a/moved"].last
    assert after["b/moved"].mtime == before["a/moved"].mtime
    assert daemon.stats()["moved"] == stats["moved"]
    assert (after["a/new"].last, after["a/new"].running) == (None, True)
    response = await client.get("/node/fetch/b/moved")
    assert await response.text() == "node not found", "nothing was stored in the new group yet"


def test_a_reload_sorts_the_queue() -> None:
    clock = ManualClock(0.0)
    devices = [Device(name=name, job_seconds=seconds) for name, seconds in (("c", 9), ("a", 5), ("b", 7))]
    daemon = Daemon(devices, clock=clock, threads=3, interval=0)
    clock.advance(10)
    daemon.change_source([*devices, Device(name="d")])
    daemon.reload()
    assert [node.full_name for node in daemon.nodes()] == ["a", "b", "c", "d"], "d went first, and is at work"


def test_a_restart_reads_the_source_too() -> None:
    daemon = Daemon([Device(name="a")], clock=ManualClock())
    daemon.change_source([Device(name="b")])
    daemon.restart()
    assert [node.full_name for node in daemon.nodes()] == ["b"]


async def test_fetches_are_served_one_at_a_time(aiohttp_client: AiohttpClient) -> None:
    app = create_app(Daemon(fleet(3), clock=ManualClock()), fetch_seconds=0.05)
    client = await aiohttp_client(app)
    loop = asyncio.get_running_loop()
    ends: dict[str, float] = {}

    async def get(path: str) -> None:
        await (await client.get(path)).read()
        ends[path] = loop.time()

    start = loop.time()
    fetches = [f"/node/fetch/sw-0{number}" for number in range(4)]
    async with asyncio.TaskGroup() as group:
        for path in (*fetches, "/nodes/stats"):
            group.create_task(get(path))
    in_order = sorted(ends[path] for path in fetches)
    for number, end in enumerate(in_order, start=1):
        assert end - start >= number * 0.05
    assert ends["/nodes/stats"] < in_order[0], "the statistics are read without the lock"


async def test_the_node_list_waits_for_the_fetches_before_it(aiohttp_client: AiohttpClient) -> None:
    app = create_app(Daemon(fleet(3), clock=ManualClock()), fetch_seconds=3600)
    client = await aiohttp_client(app)
    fetch = asyncio.create_task(client.get("/node/fetch/sw-01"))
    await app[HELD].count_is(1)
    nodes = asyncio.create_task(client.get("/nodes.json"))
    await app[HELD].count_is(2)
    assert (await client.get("/nodes/stats")).status == 200, "read without the lock"
    assert not fetch.done()
    assert not nodes.done()
    async with asyncio.timeout(10):
        await client.server.close()
    await asyncio.wait([fetch, nodes])


@pytest.mark.parametrize("seconds", [-1.0, float("inf"), float("nan")])
def test_fetch_times_that_are_none(seconds: float) -> None:
    with pytest.raises(ValueError, match="a fetch takes a finite number of seconds"):
        create_app(Daemon([], clock=ManualClock()), fetch_seconds=seconds)


async def test_a_fault_of_one_route_leaves_the_others_alone(aiohttp_client: AiohttpClient) -> None:
    app = create_app(Daemon([Device(name="sw-01", group="a")], clock=ManualClock()), prefix="/o")
    client = await aiohttp_client(app)
    paths = ("/o/nodes.json", "/o/nodes/stats", "/o/node/fetch/a/sw-01", "/o/node/fetch/a%2Fsw-010", "/nope")
    for path, statuses in (
        ("/node/fetch", [200, 200, 503, 503, 404]),
        ("/nodes/stats", [200, 503, 200, 200, 404]),
        ("/nodes", [200, 503, 200, 200, 404]),
        ("/node/fetch/a/sw-01", [200, 200, 503, 200, 404]),
        ("", [503, 503, 503, 503, 503]),
    ):
        app[FAULTS].switch_on(Fault.UNAVAILABLE, path=path)
        assert await _statuses(client, *paths) == statuses
    app[FAULTS].switch_on(Fault.UNAVAILABLE, path="/nodes/stats", requests=1)
    assert await _statuses(client, "/o/nodes.json", "/o/nodes/stats", "/o/nodes/stats") == [200, 503, 200]


async def test_one_devices_fetch_hangs_and_another_is_served(aiohttp_client: AiohttpClient) -> None:
    app = create_app(Daemon([Device(name="a"), Device(name="b")], clock=ManualClock()))
    client = await aiohttp_client(app)
    app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS, path="/node/fetch/a")
    hanging = asyncio.create_task(client.get("/node/fetch/a"))
    await app[HELD].count_is(1)
    assert await _statuses(client, "/node/fetch/b", "/nodes.json") == [200, 200]
    assert not hanging.done()
    hanging.cancel()
    await asyncio.wait([hanging])


@pytest.mark.parametrize("path", ["node", "/node/", "/"])
def test_paths_of_faults_that_are_none(path: str) -> None:
    with pytest.raises(ValueError, match="a path starts with a slash"):
        FaultSwitch().switch_on(Fault.SLOW, path=path)
