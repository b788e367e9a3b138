"""Fetches of configurations, over sockets: against the recordings, and as the file output has them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest
from yarl import URL

from oxidized_exporter.simulator import Daemon, Device, ManualClock, Outcome, Output, create_app, fleet
from tests.simulator.recordings import RECORDINGS, Recording

if TYPE_CHECKING:
    from pytest_aiohttp.plugin import AiohttpClient

_FILES = (
    "fetch_core_dup-01.txt",
    "fetch_core_dup-01.json",
    "fetch_slash_in_group.txt",
    "fetch_access_down-sw-01.txt",
    "fetch_unknown.txt",
    "fetch_name_ending_in_json.txt",
)

Fetch: TypeAlias = Callable[[str], Awaitable[tuple[int, bytes]]]
Serve: TypeAlias = Callable[..., Awaitable[tuple[Daemon, ManualClock, Fetch]]]


@pytest.fixture
def serve(aiohttp_client: AiohttpClient) -> Serve:
    async def _serve(*devices: Device, output: Output = Output.GIT) -> tuple[Daemon, ManualClock, Fetch]:
        clock = ManualClock()
        daemon = Daemon(devices, clock=clock, retries=0, output=output, interval=1)
        client = await aiohttp_client(create_app(daemon))

        async def fetch(full_name: str) -> tuple[int, bytes]:
            response = await client.get(URL(f"/node/fetch/{full_name}", encoded=True))
            return response.status, await response.read()

        return daemon, clock, fetch

    return _serve


@pytest.mark.parametrize("file", _FILES)
@pytest.mark.parametrize("recording", RECORDINGS, ids=str)
async def test_fetches_are_answered_as_recorded(recording: Recording, file: str, aiohttp_client: AiohttpClient) -> None:
    clock = ManualClock()
    daemon = Daemon(recording.devices(), clock=clock, retries=0)
    daemon.set_configuration("core/dup-01", recording.body("fetch_core_dup-01.txt"))
    daemon.set_configuration("dc1/core/core-rtr-01", recording.body("fetch_slash_in_group.txt").decode())
    clock.advance(60)
    client = await aiohttp_client(create_app(daemon, release=recording.release))
    response = await client.get(recording.path(file))
    body = await response.read()
    recorded = recording.answer(file)
    assert response.status == recorded["status"]
    assert response.headers["Content-Type"] == recorded["headers"]["Content-Type"]
    assert response.headers.get("X-Content-Type-Options") == recorded["headers"].get("X-Content-Type-Options")
    if response.status == 500:
        assert body.startswith(b"<!DOCTYPE html>\n<html>\n<head>")
        assert recording.body(file).startswith(b"<!DOCTYPE html>\n<html>\n<head>")
        assert 140_000 < len(body) < 160_000
    else:
        assert body == recording.body(file)
        assert response.headers["Content-Length"] == recorded["headers"]["Content-Length"]


async def test_what_is_stored_is_what_the_last_successful_job_got(serve: Serve) -> None:
    daemon, clock, fetch = await serve(Device(name="sw-01", group="dc1"))
    assert await fetch("dc1/sw-01") == (200, b"node not found")
    clock.advance(5)
    status, first = await fetch("dc1/sw-01")
    assert status == 200
    assert b"hostname sw-01\n" in first
    clock.advance(60)
    assert await fetch("dc1/sw-01") == (200, first)
    daemon.change_config("dc1/sw-01")
    assert await fetch("dc1/sw-01") == (200, first)
    clock.advance(12)
    second = (await fetch("dc1/sw-01"))[1]
    assert second != first
    daemon.set_configuration("dc1/sw-01", b"% Command not found\n\xff\xfe")
    daemon.set_outcome("dc1/sw-01", Outcome.FAIL)
    clock.advance(12)
    assert await fetch("dc1/sw-01") == (200, second)
    daemon.set_outcome("dc1/sw-01", Outcome.SUCCESS)
    clock.advance(12)
    assert await fetch("dc1/sw-01") == (200, b"% Command not found\n\xff\xfe")
    daemon.restart()
    assert await fetch("dc1/sw-01") == (200, b"% Command not found\n\xff\xfe")
    status, page = await fetch("dc1/sw-01.json")
    assert (status, page[:15]) == (500, b"<!DOCTYPE html>"), "JSON has no spelling for these bytes"
    daemon.remove("dc1/sw-01")
    assert await fetch("dc1/sw-01") == (200, b"unable to find 'sw-01'")


async def test_5_mb_come_whole(serve: Serve) -> None:
    text = b"banner\n" * 750_000
    _, clock, fetch = await serve(Device(name="sw-01", configuration=text))
    clock.advance(5)
    assert await fetch("sw-01") == (200, text)


async def test_git_stores_nothing_of_an_empty_configuration(serve: Serve) -> None:
    daemon, clock, fetch = await serve(Device(name="sw-01", configuration=""))
    clock.advance(5)
    assert await fetch("sw-01") == (200, b"node not found")
    assert daemon.nodes()[0].mtime is None


@pytest.mark.parametrize(
    "asked, answer",
    [
        ("default/alone", b"node not found"),
        ("alone", b"of alone\n"),
        ("dup", b"node not found"),
        ("a/dup", b"of a/dup\n"),
        ("b/c/dup", b"of b/c/dup\n"),
        ("c/dup", b"node not found"),
        ("/no-group", b"node not found"),
        ("no-group", b"node not found"),
        ("a/edge.json", b"[\"unable to find 'edge'\"]"),
        ("a/edge.json.json", b'["of a/edge.json\\n"]'),
        ("a/edge.txt", b"unable to find 'edge.txt'"),
        ("a/nope", b"unable to find 'nope'"),
        ("a/d%C3%BAp", "unable to find 'dúp'".encode()),
        ("alone..", b"of alone\n"),
    ],
)
async def test_names_and_groups_with_git(asked: str, answer: bytes, serve: Serve) -> None:
    _, clock, fetch = await serve(*_devices())
    clock.advance(5)
    assert await fetch(asked) == (200, answer)


@pytest.mark.parametrize(
    "asked, status, answer",
    [
        ("default/alone", 200, b""),
        ("alone", 200, b"of alone\n"),
        ("dup", 200, b"of a/dup\n"),
        ("b/c/dup", 200, b"of b/c/dup\n"),
        ("b/c/dup.json", 200, b'["of b/c/dup\\n"]'),
        ("no-group", 500, b"<!DOCTYPE html>"),
        ("a/down", 200, b""),
        ("a/down.json", 200, b"null"),
        ("down", 500, b"<!DOCTYPE html>"),
        ("a/nope", 200, b"unable to find 'nope'"),
    ],
)
async def test_names_and_groups_with_files(asked: str, status: int, answer: bytes, serve: Serve) -> None:
    _, clock, fetch = await serve(*_devices(), output=Output.FILE)
    clock.advance(5)
    answered, body = await fetch(asked)
    assert answered == status
    assert (body[:15] if status == 500 else body) == answer


def _devices() -> list[Device]:
    named = (("alone", None), ("dup", "b/c"), ("dup", "a"), ("no-group", ""), ("edge.json", "a"))
    devices = [Device(name=name, group=group) for name, group in named]
    return [
        *(Device(name=device.name, group=device.group, configuration=f"of {device.full_name}\n") for device in devices),
        Device(name="down", group="a", outcome=Outcome.NO_CONNECTION),
    ]


def test_made_up_configurations_are_the_same_at_every_call_and_look_real() -> None:
    texts = []
    for _ in range(2):
        daemon = Daemon(fleet(200), clock=(clock := ManualClock()), threads=200)
        clock.advance(30)
        texts.append({node.full_name: daemon.fetch(node.device.name, node.device.group) for node in daemon.nodes()})
    assert texts[0] == texts[1]
    assert len(set(texts[0].values())) == 200
    for text in texts[0].values():
        assert text is not None
        lines = text.decode().splitlines()
        assert not text.isascii()
        assert 20 < len(lines) < 200
        assert any("ntp" in line for line in lines)
        assert lines[-1] in {"end", "}"}
        assert json.dumps(lines)
