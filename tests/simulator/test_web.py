"""The app's answers against the recordings of three real Oxidized daemons."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from oxidized_exporter.simulator import (
    REQUESTS,
    Daemon,
    Device,
    Job,
    ManualClock,
    NodeState,
    Outcome,
    Output,
    create_app,
    fleet,
    nodes_json,
)

if TYPE_CHECKING:
    from pytest_aiohttp.plugin import AiohttpClient

_RECORDINGS = sorted(Path(__file__).parent.parent.glob("recordings/oxidized-*/nodes.json"))
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")

_Rows = list[dict[str, Any]]


@pytest.fixture(params=_RECORDINGS, ids=lambda path: path.parent.name)
def recording(request: pytest.FixtureRequest) -> bytes:
    path: Path = request.param
    return path.read_bytes()


def test_there_are_three_recordings() -> None:
    assert len(_RECORDINGS) == 3


def _group(row: dict[str, Any]) -> str | None:
    return None if row["full_name"] == row["name"] else row["group"]


def _unix(shown: str) -> float:
    return datetime.strptime(shown, "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC).timestamp()


def _device(row: dict[str, Any]) -> Device:
    return Device(
        name=row["name"],
        group=_group(row),
        model=row["model"],
        ip=row["ip"],
        vars=row["vars"],
        outcome=row["status"],
        job_seconds=row["last"]["time"],
    )


def _shape(value: Any) -> Any:
    """Reduce a value to its keys in order, its types, and the kinds of its strings that stand for a time."""
    if isinstance(value, dict):
        return [(key, _shape(inner)) for key, inner in value.items()]
    if isinstance(value, str) and _TIME.fullmatch(value):
        return "time"
    return type(value).__name__


def test_recorded_states_are_spelled_to_the_byte_as_recorded(recording: bytes) -> None:
    states = [
        NodeState(
            device=_device(row),
            last=Job(
                start=_unix(row["last"]["start"]),
                end=_unix(row["last"]["end"]) + 0.999,
                status=row["last"]["status"],
                seconds=row["last"]["time"],
            ),
            mtime=None if row["mtime"] == "unknown" else _unix(row["mtime"]),
        )
        for row in json.loads(recording)
    ]
    assert nodes_json(states) == recording


@pytest.mark.parametrize("output", Output)
async def test_a_daemon_of_the_recorded_devices_answers_in_the_recorded_shape(
    recording: bytes, output: Output, aiohttp_client: AiohttpClient
) -> None:
    recorded: _Rows = json.loads(recording)
    clock = ManualClock()
    daemon = Daemon([_device(row) for row in recorded], clock=clock, retries=0, output=output)
    clock.advance(60)
    client = await aiohttp_client(create_app(daemon))
    response = await client.get("/nodes.json")
    answered = {row["full_name"]: row for row in await response.json()}
    assert len(answered) == len(recorded)
    for row in recorded:
        answer = answered[row["full_name"]]
        assert _shape(answer) == _shape(row)
        fixed = ("name", "full_name", "ip", "group", "model", "vars", "status")
        assert {key: answer[key] for key in fixed} == {key: row[key] for key in fixed}
        assert answer["last"]["status"] == row["last"]["status"]
        assert answer["last"]["time"] == row["last"]["time"]
        assert answer["time"] == answer["last"]["end"]


async def test_the_answer_has_the_recorded_headers(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(create_app(Daemon(fleet(3), clock=ManualClock())))
    response = await client.get("/nodes.json")
    body = await response.read()
    assert response.status == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Length"] == str(len(body))


def test_a_device_that_has_not_run() -> None:
    device = Device(name="sw-01", vars=None, ip="192.0.2.7", model="EOS")
    assert nodes_json([NodeState(device=device)]) == (
        b'[{"name":"sw-01","full_name":"sw-01","ip":"192.0.2.7","group":"default","model":"EOS","last":null,'
        b'"vars":null,"mtime":"unknown","status":"never","time":"never"}]'
    )


def test_text_is_utf8_and_not_escaped() -> None:
    assert "switch-é".encode() in nodes_json([NodeState(device=Device(name="switch-é"))])


@pytest.mark.parametrize("output, moved", [(Output.GIT, False), (Output.FILE, True)])
async def test_mtime_moves_with_the_output(output: Output, *, moved: bool, aiohttp_client: AiohttpClient) -> None:
    clock = ManualClock()
    daemon = Daemon([Device(name="sw-01")], clock=clock, output=output)
    client = await aiohttp_client(create_app(daemon))

    async def row() -> dict[str, Any]:
        rows: _Rows = await (await client.get("/nodes.json")).json()
        return rows[0]

    assert (await row())["mtime"] == "unknown"
    clock.advance(10)
    first = await row()
    clock.advance(3610)
    second = await row()
    assert second["time"] > first["time"]
    assert (second["mtime"] > first["mtime"]) is moved


async def test_the_order_is_that_of_the_queue(aiohttp_client: AiohttpClient) -> None:
    clock = ManualClock()
    daemon = Daemon([Device(name=name) for name in "abc"], clock=clock, threads=1)
    client = await aiohttp_client(create_app(daemon))
    orders = []
    for _ in range(3):
        rows: _Rows = await (await client.get("/nodes.json")).json()
        orders.append("".join(row["name"] for row in rows))
        clock.advance(5)
    assert orders == ["bca", "cab", "abc"]


@pytest.mark.parametrize("prefix, path", [("", "/"), ("/oxidized", "/oxidized"), ("/oxidized", "/oxidized/")])
async def test_the_root_leads_to_the_nodes(prefix: str, path: str, aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(create_app(Daemon([], clock=ManualClock()), prefix=prefix))
    response = await client.get(path, allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (302, f"{prefix}/nodes")


async def test_what_is_not_known_is_not_found(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(create_app(Daemon([], clock=ManualClock()), prefix="/oxidized"))
    for method, path in (("GET", "/nodes.json"), ("GET", "/oxidized/<nope>"), ("POST", "/oxidized/nodes.json")):
        response = await client.request(method, path)
        assert response.status == 404
        assert response.headers["Content-Type"] == "text/html;charset=utf-8"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        body = await response.text()
        assert body.startswith("<!DOCTYPE html>")
        assert "<nope>" not in body
    assert (await client.get("/oxidized/nodes.json")).status == 200


@pytest.mark.parametrize("prefix", ["oxidized", "/oxidized/", "/"])
def test_prefixes_that_are_none(prefix: str) -> None:
    with pytest.raises(ValueError, match="a prefix starts with a slash"):
        create_app(Daemon([], clock=ManualClock()), prefix=prefix)


async def test_paths_are_recorded_as_received(aiohttp_client: AiohttpClient) -> None:
    app = create_app(Daemon([], clock=ManualClock()))
    client = await aiohttp_client(app)
    await client.get("/nodes.json")
    await client.get(URL("/node/fetch/g/..%2F..%2Freload?a=%20", encoded=True))
    requests = app[REQUESTS]
    assert list(requests) == ["/nodes.json", "/node/fetch/g/..%2F..%2Freload?a=%20"]
    assert requests.maxlen == 10_000


async def test_a_failing_device_shows_as_never_until_its_retries_are_used_up(aiohttp_client: AiohttpClient) -> None:
    clock = ManualClock()
    daemon = Daemon([Device(name="sw-01", outcome=Outcome.NO_CONNECTION)], clock=clock, retries=2)
    client = await aiohttp_client(create_app(daemon))
    seen = []
    for _ in range(4):
        rows: _Rows = await (await client.get("/nodes.json")).json()
        seen.append((rows[0]["status"], rows[0]["last"] is None, rows[0]["time"] == "never"))
        clock.advance(5)
    assert seen == [("never", True, True)] * 3 + [("no_connection", False, False)]
