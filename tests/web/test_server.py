from __future__ import annotations

import asyncio
import errno
import gzip
import socket
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from oxidized_exporter.errors import ListenError
from oxidized_exporter.web.listen_address import ListenAddress, parse_listen_address
from oxidized_exporter.web.server import Server
from tests.harness import running_exporter


@pytest.mark.parametrize(
    "text,host,port",
    [
        (":10888", None, 10888),
        ("127.0.0.1:0", "127.0.0.1", 0),
        ("localhost:65535", "localhost", 65535),
        ("[::1]:10888", "::1", 10888),
        ("[::]:1", "::", 1),
    ],
)
def test_listen_addresses(text: str, host: str | None, port: int) -> None:
    address = parse_listen_address(text)
    assert address == ListenAddress(host=host, port=port)
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", "10888", "host", "host:", "host:x", ":65536", "::1:80", "[::1]", "[x]:80", "[]:80"]
)
def test_what_is_no_listen_address(text: str) -> None:
    with pytest.raises(ListenError):
        parse_listen_address(text)


@pytest.mark.parametrize("host", ["a..b", ".", "a" * 70])
async def test_a_host_that_is_no_name_is_one_clear_line(host: str) -> None:
    server = Server(web.Application(), addresses=(ListenAddress(host, 0),))
    with pytest.raises(ListenError, match=r"cannot listen on .*: the host is no name"):
        await server.start()


async def test_a_taken_port_is_one_clear_line_and_leaves_nothing_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = Server(web.Application(), addresses=(ListenAddress("127.0.0.1", 0), ListenAddress("127.0.0.1", port)))
        with pytest.raises(ListenError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
            await server.start()
    assert server.ports == ()


async def test_a_free_port_is_the_same_for_ipv4_and_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that another process has for one of them is passed over: the first two here."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("needs IPv6")
    loop = asyncio.get_running_loop()
    genuine = loop.create_server
    taken: list[int] = []

    async def create_server(*given: Any, **more: Any) -> asyncio.Server:
        if given[2] and len(taken) < 2:
            taken.append(given[2])
            raise OSError(errno.EADDRINUSE, "taken")
        return await genuine(*given, **more)

    monkeypatch.setattr(loop, "create_server", create_server)
    server = Server(web.Application(), addresses=(ListenAddress(None, 0),))
    await server.start()
    try:
        (port,) = server.ports
        assert len(taken) == 2
        for host in ("127.0.0.1", "::1"):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            await writer.wait_closed()
        monkeypatch.setattr("oxidized_exporter.web.server._TRIES", 1)
        taken.clear()
        with pytest.raises(ListenError, match="Address already in use"):
            await Server(web.Application(), addresses=(ListenAddress(None, 0),)).start()
    finally:
        await server.close()


@pytest.mark.parametrize("path", ["/metrics", "/nowhere"])
async def test_what_is_expected_is_not_repeated(path: str) -> None:
    async with running_exporter() as probing:
        response = await probing.get(path, Expect="hunter2")
        assert (response.status, await response.text()) == (417, "417 Expectation Failed\n")
        assert "hunter2" not in str(response.headers)
        assert (await probing.get(path, Expect="100-continue")).status in {200, 404}


async def test_the_body_of_a_request_is_not_unpacked() -> None:
    """A thousand times as much may be in it, and the loop would wait for all of that."""

    async def length(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    app = web.Application()
    app.router.add_post("/length", length)
    server = Server(app, addresses=(ListenAddress("127.0.0.1", 0),))
    await server.start()
    packed = gzip.compress(bytes(1024 * 1024))
    try:
        async with (
            aiohttp.ClientSession() as client,
            client.post(
                f"http://127.0.0.1:{server.ports[0]}/length", data=packed, headers={"Content-Encoding": "gzip"}
            ) as answer,
        ):
            assert int(await answer.text()) == len(packed)
    finally:
        await server.close()
