"""Paths as Oxidized's web server reads them, and what they reach over a socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from oxidized_exporter.simulator import Daemon, Device, ManualClock, create_app, rack_path

if TYPE_CHECKING:
    from pytest_aiohttp.plugin import AiohttpServer


@pytest.mark.parametrize(
    "raw, read",
    [
        ("/nodes.json", "/nodes.json"),
        ("/nodes.json?a=/../b", "/nodes.json"),
        ("", "/"),
        ("/", "/"),
        ("/node/fetch/g/..%2F..%2Fnext%2Fsw1", "/node/next/sw1"),
        ("/node/fetch/g/..%2f..%2F..%2Freload", "/reload"),
        ("/node/fetch/..%2F..%2F..%2F..%2Freload", "/reload"),
        ("/node/fetch/%2e%2E/next/sw1", "/node/next/sw1"),
        ("/node/fetch/..%5C..%5creload", "/reload"),
        ("/node/fetch/..\\../reload", "/reload"),
        ("/node/./fetch//sw1", "/node/fetch/sw1"),
        ("/node/fetch/..sw1", "/node/fetch/..sw1"),
        ("/node/fetch/%252e%252e%252freload", "/node/fetch/%2e%2e%2freload"),
        ("/node/fetch/sw1/", "/node/fetch/sw1/"),
        ("/node/fetch/sw1/%2e", "/node/fetch/sw1/"),
        ("/node/fetch/sw1/..", "/node/fetch/"),
        ("/node/..", "/"),
        ("/node/fetch/a%20b+c%3Fd%23", "/node/fetch/a b+c?d#"),
        ("/node/fetch/%C3%A9%FF", "/node/fetch/é\udcff"),
        ("/node/fetch/100%", "/node/fetch/100%"),
    ],
)
def test_paths(raw: str, read: str) -> None:
    assert rack_path(raw) == read


async def _get(port: int | None, target: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize("prefix", ["", "/oxidized"])
@pytest.mark.parametrize(
    "target",
    [
        "/node/next/sw1.json",
        "/node/next/any/group/sw1.json",
        "/node/fetch/g/..%2F..%2Fnext%2Fsw1.json",
        "/node/fetch/g/../../next/sw1.json",
        "/node/fetch/g\\..\\..\\next\\sw1.json",
        "/node/fetch/g/%2e%2e%5c%2e%2e%5cnext%5csw1%2ejson",
        "/../../../node/next/sw1.json",
    ],
)
async def test_what_reaches_next(prefix: str, target: str, aiohttp_server: AiohttpServer) -> None:
    clock = ManualClock()
    daemon = Daemon([Device(name="sw1", group="g")], clock=clock)
    clock.advance(5)
    assert [node.status for node in daemon.nodes()] == ["success"]
    server = await aiohttp_server(create_app(daemon, prefix=prefix))
    answer = await _get(server.port, f"{prefix}{target}")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'["ok"]')
    assert [(node.status, node.running) for node in daemon.nodes()] == [("never", True)]


@pytest.mark.parametrize("prefix", ["", "/oxidized"])
@pytest.mark.parametrize("target", ["/reload", "/node/fetch/..%2F..%2F..%2Freload", "/node/fetch/..%5C..%5Creload"])
async def test_what_reaches_reload(prefix: str, target: str, aiohttp_server: AiohttpServer) -> None:
    daemon = Daemon([Device(name="sw1")], clock=ManualClock())
    daemon.change_source([Device(name="sw2")])
    server = await aiohttp_server(create_app(daemon, prefix=prefix))
    assert (await _get(server.port, f"{prefix}{target}")).endswith(b"\r\n\r\nreloaded list of nodes")
    assert [node.full_name for node in daemon.nodes()] == ["sw2"]


@pytest.mark.parametrize("target", ["/oxidized/../reload", "/reload", "/%6fxidized/reload", "/oxidizedreload"])
async def test_a_prefix_is_compared_before_anything_is_decoded(target: str, aiohttp_server: AiohttpServer) -> None:
    daemon = Daemon([Device(name="sw1")], clock=ManualClock())
    daemon.change_source([])
    server = await aiohttp_server(create_app(daemon, prefix="/oxidized"))
    inside = target == "/oxidized/../reload"
    assert (await _get(server.port, target)).startswith(b"HTTP/1.1 200 " if inside else b"HTTP/1.1 404 ")
    assert bool(daemon.nodes()) is not inside


@pytest.mark.parametrize(
    "target", ["/node/fetch", "/node/fetch/", "/node/fetch/sw1/", "/node/nope/sw1", "/nodes.json/"]
)
async def test_what_reaches_nothing(target: str, aiohttp_server: AiohttpServer) -> None:
    server = await aiohttp_server(create_app(Daemon([Device(name="sw1")], clock=ManualClock())))
    assert (await _get(server.port, target)).startswith(b"HTTP/1.1 404 ")
