"""Connections that ask nothing: they are given up, cost little, and keep nobody out."""

from __future__ import annotations

import asyncio
import resource
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import pytest

from oxidized_exporter.web import connections, handshake, opening, waiting
from tests.harness import running_exporter
from tests.web.serving import PAIR, serving, until

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tests.web.certificates import Certificates

    Connected = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_HEALTHY: Final = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"
_FEW: Final = 20


@pytest.fixture(params=["without a file", "plain", "TLS"])
def port(request: pytest.FixtureRequest, web_config_path: Path, certificates: Certificates) -> Any:
    """Return what starts an exporter and yields how to connect to it, with TLS where it has some, or without."""

    @asynccontextmanager
    async def start() -> AsyncIterator[Callable[..., Awaitable[Connected]]]:
        async with AsyncExitStack() as stack:
            tls: ssl.SSLContext | None = None
            if request.param == "without a file":
                number = (await stack.enter_async_context(running_exporter())).port
            else:
                config = {"tls_server_config": PAIR} if request.param == "TLS" else {}
                number = (await stack.enter_async_context(serving(web_config_path, config))).port
                tls = certificates.client() if config else None
            host = "127.0.0.1" if request.param == "without a file" else "localhost"

            async def connect(*, raw: bool = False) -> Connected:
                context = None if raw else tls
                reader, writer = await asyncio.open_connection(
                    host, number, ssl=context, server_hostname="localhost" if context else None
                )
                stack.callback(writer.close)
                return reader, writer

            yield connect

    return start


async def answered(connected: Connected) -> bool:
    """Ask, and tell whether there was an answer; the connection is kept."""
    reader, writer = connected
    writer.write(_HEALTHY)
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
    return head.startswith(b"HTTP/1.1 200")


async def ended(connected: Connected) -> None:
    """Wait until the other side has closed it, without a word."""
    try:
        async with asyncio.timeout(10):
            assert await connected[0].read() == b""
    except ConnectionError:
        pass


async def test_who_asks_is_served_however_many_there_are_that_do_not(
    port: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting, "_MOST", _FEW)
    async with port() as connect:
        silent = [await connect(raw=True) for _ in range(3 * _FEW)]
        assert await answered(await connect())
        for connected in silent[: 2 * _FEW]:
            await ended(connected)
        assert not silent[-1][0].at_eof()
    told = [line for line in capsys.readouterr().out.splitlines() if "too many connections" in line]
    assert len(told) == 1, "and not one for each"
    assert "silent" in told[0]


async def test_a_connection_without_a_request_is_given_up(
    port: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a byte, or with half of a request; one that has asked once is kept."""
    monkeypatch.setattr(connections, "_SILENT_SECONDS", 0.3)
    async with port() as connect:
        kept = await connect()
        assert await answered(kept)
        half = await connect()
        half[1].write(_HEALTHY[:-2])
        for connected in (await connect(raw=True), await connect(), half):
            await ended(connected)
        assert await answered(kept)
    assert "bug:" not in capsys.readouterr().out


async def test_the_longest_idle_makes_room(
    port: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting, "_MOST", 3)
    async with asyncio.timeout(20), port() as connect:
        asked = []
        for _ in range(3):
            asked.append(await connect())
            assert await answered(asked[-1])
        assert await answered(asked[0]), "it is the most recent now"
        assert await answered(await connect())
        await ended(asked[1])
        assert await answered(asked[2])
        assert await answered(asked[0])
    assert "idle" in capsys.readouterr().out


async def test_a_request_under_way_makes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a connection that has been idle before, the longest of all."""
    monkeypatch.setattr(waiting, "_MOST", 2)
    come, answer = asyncio.Event(), asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        come.set()
        await answer.wait()
        writer.close()

    target = await asyncio.start_server(hang, "127.0.0.1", 0)
    async with asyncio.timeout(20), target, running_exporter() as probing, AsyncExitStack() as stack:
        connections = []
        for number in range(4):
            connections.append(await asyncio.open_connection("127.0.0.1", probing.port))
            stack.callback(connections[-1][1].close)
            assert await answered(connections[-1])
            if not number:
                url = f"http://127.0.0.1:{target.sockets[0].getsockname()[1]}"
                connections[0][1].write(f"GET /probe?target={url} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                await come.wait()
        await ended(connections[1])
        answer.set()
        assert (await connections[0][0].readline()).startswith(b"HTTP/1.1 200")


async def test_no_handshake_is_begun_before_the_client_begins_it(
    certificates: Certificates, web_config_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes memory: a buffer and OpenSSL's state."""
    begun: list[bytes] = []
    genuine = handshake.secured

    async def secured(transport: asyncio.Transport, read: bytes, **kwargs: Any) -> handshake.Tls:
        begun.append(read)
        return await genuine(transport, read, **kwargs)

    monkeypatch.setattr(opening, "secured", secured)
    async with serving(web_config_path, {"tls_server_config": PAIR}) as running:
        silent = [await asyncio.open_connection("localhost", running.port) for _ in range(5)]
        await until(lambda: running.server.opening == 5)
        assert not begun
        assert (await running.ask(tls=certificates.client()))[0] == 200
        assert len(begun) == 1
        silent[0][1].write(b"\x16")
        await until(lambda: len(begun) == 2)
        assert begun[1] == b"\x16"
        for _, writer in silent:
            writer.transport.abort()
        await until(lambda: not running.server.opening)


@pytest.mark.usefixtures("certificates")
async def test_much_that_is_no_handshake_ends_the_connection(
    web_config_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """More than fits into the buffer of the handshake."""
    async with serving(web_config_path, {"tls_server_config": PAIR}) as running:
        reader, writer = await asyncio.open_connection("localhost", running.port)
        writer.write(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc" + b"x" * 200_000)
        try:
            async with asyncio.timeout(10):
                await reader.read()
        except ConnectionError:
            pass
        writer.transport.abort()
        await until(lambda: not running.server.opening)
    told = capsys.readouterr().out
    assert "no TLS connection" in told
    assert "bug:" not in told


async def test_an_answer_larger_than_the_buffer_of_a_connection_is_whole(
    certificates: Certificates, web_config_path: Path
) -> None:
    """And a request that is."""
    async with serving(web_config_path, {"tls_server_config": PAIR}) as running, aiohttp.ClientSession() as session:
        url = f"https://localhost:{running.port}/-/reload"
        async with session.post(url, data=b"x" * 300_000, ssl=certificates.client()) as answer:
            assert answer.status == 403
        async with session.get(f"https://localhost:{running.port}/metrics", ssl=certificates.client()) as answer:
            assert (await answer.text()).endswith("\n")


@pytest.mark.parametrize(
    "files,most", [(20_000, 1000), (4000, 1000), (1024, 256), (1, 1), (resource.RLIM_INFINITY, 1000)]
)
def test_fewer_wait_where_few_files_may_be_open(monkeypatch: pytest.MonkeyPatch, files: int, most: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert waiting.most_waiting() == most
