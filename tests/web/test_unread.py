"""Answers that a client does not read: they hold little, keep nobody out, and are whole where it goes on reading."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
from aiohttp import web

from oxidized_exporter.web import connections, server, waiting
from oxidized_exporter.web.connections import Connections
from tests.web.instances import instance, switches
from tests.web.serving import PAIR, serving, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tests.web.certificates import Certificates
    from tests.web.serving import Serving

    Connected = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_DEVICES: Final = 400
_WINDOW: Final = 4096  # what the system holds of an answer, at each side, is a small part of it
_LITTLE: Final = 16 * 1024  # so little that a writer no longer waits


@pytest.fixture(params=["plain", "TLS"])
def large(request: pytest.FixtureRequest, web_config_path: Path, certificates: Certificates) -> Any:
    """Return what starts an exporter, and yields it and how to ask it for a large answer."""

    @asynccontextmanager
    async def start() -> AsyncIterator[tuple[Serving, Callable[[], Awaitable[Connected]]]]:
        encrypted = request.param == "TLS"
        config = {"tls_server_config": PAIR} if encrypted else {}
        async with AsyncExitStack() as stack:
            target = (await stack.enter_async_context(instance(*switches(_DEVICES)))).url
            exporter = await stack.enter_async_context(serving(web_config_path, config))
            [listening] = exporter.server._listeners[0].sockets  # noqa: SLF001 - what it accepts has its buffer's size
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _WINDOW)

            async def ask() -> Connected:
                client = socket.socket()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WINDOW)
                client.setblocking(False)  # noqa: FBT003 - its only argument
                await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", exporter.port))
                reader, writer = await asyncio.open_connection(
                    sock=client,
                    limit=_WINDOW,
                    ssl=certificates.client() if encrypted else None,
                    server_hostname="localhost" if encrypted else None,
                )
                stack.callback(writer.transport.abort)
                writer.write(f"GET /probe?target={target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                return reader, writer

            yield exporter, ask

    return start


async def read_whole(connected: Connected) -> bool:
    """Read an answer to its end, and tell whether it is one."""
    try:
        head = await connected[0].readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await connected[0].readexactly(length)
    except (ConnectionError, asyncio.IncompleteReadError):
        return False
    return head.startswith(b"HTTP/1.1 200")


async def test_a_client_that_does_not_read_is_given_up(large: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_UNREAD_SECONDS", 0.3)
    async with asyncio.timeout(30), large() as (exporter, ask):
        connected = await ask()
        await until(lambda: exporter.server.unsent)
        await until(lambda: not exporter.server.unsent)
        assert not await read_whole(connected)


async def test_who_does_not_read_makes_room_for_who_does(
    large: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting, "_MOST", 2)
    async with asyncio.timeout(30), large() as (exporter, ask):
        first = await ask()
        await until(lambda: exporter.server.unsent)
        others = [await ask() for _ in range(2)]
        await until(lambda: "unread" in capsys.readouterr().out)  # both have begun: one that is read early is in no way
        for connected in others:
            assert await read_whole(connected)
            connected[1].transport.abort()
        assert not await read_whole(first)


async def test_so_does_who_makes_it_hold_too_much(large: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few they are; a single answer may be as large as it is."""
    monkeypatch.setattr(connections, "_MOST_UNSENT_BYTES", 100_000)
    async with asyncio.timeout(30), large() as (exporter, ask):
        first = await ask()
        await until(lambda: exporter.server.unsent > connections._MOST_UNSENT_BYTES)  # noqa: SLF001 - as it was set
        second = await ask()
        assert await read_whole(second)
        assert not await read_whole(first)


async def test_an_answer_that_is_read_late_is_whole_at_the_end(large: Any) -> None:
    """The end waits for the little that is left when all of it has been written, too."""
    left: list[int] = []
    async with asyncio.timeout(30), large() as (exporter, ask):
        connected = await ask()
        reader = connected[0]
        await until(lambda: exporter.server.unsent)
        ending = asyncio.create_task(exporter.server.close())
        ending.add_done_callback(lambda _: left.append(exporter.server.unsent))
        head = await reader.readuntil(b"\r\n\r\n")
        missing = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while exporter.server.unsent > _LITTLE:
            missing -= len(await reader.readexactly(min(_WINDOW, missing)))
        for _ in range(200):
            await asyncio.sleep(0)  # time for an end that does not wait
        await reader.readexactly(missing)
        await ending
    assert left == [0]


async def test_the_end_is_not_held_by_a_handler_that_waits_for_its_client(
    large: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The HTTP library would wait for it, and once more when it has cancelled it."""
    monkeypatch.setattr(server, "_DRAIN_SECONDS", 0.2)
    genuine = web.AppRunner.cleanup
    async with asyncio.timeout(30), large() as (exporter, ask):
        connected = await ask()
        await until(lambda: exporter.server.unsent)

        async def patiently(runner: web.AppRunner) -> None:
            await until(lambda: not exporter.server.unsent)
            await genuine(runner)

        monkeypatch.setattr(web.AppRunner, "cleanup", patiently)
        await exporter.server.close()
        assert not await read_whole(connected)


class _Sending:
    """A connection whose client reads a byte at each look; ``stuck`` where it does not."""

    def __init__(self, unsent: int, *, stuck: bool = False) -> None:
        self._unsent = unsent
        self._stuck = stuck
        self.aborted_at: int | None = None

    @property
    def unsent(self) -> int:
        if not self._stuck:
            self._unsent = max(self._unsent - 1, 0)
        return self._unsent

    def give_up(self, *, late: bool) -> None:
        raise AssertionError(late)

    def abort(self) -> None:
        self.aborted_at = self._unsent


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Connections:
    monkeypatch.setattr(connections, "_LOOK_SECONDS", 0)
    return Connections(crowded=lambda _: None)


async def test_the_end_waits_for_what_is_unsent(served: Connections) -> None:
    """And not for a client to close its half: one that has read everything is ended at once."""
    slow, done = _Sending(50), _Sending(0)
    served.add(slow)
    served.add(done)
    async with asyncio.timeout(10):
        await served.end(until=asyncio.get_running_loop().time() + 3600)
    assert (slow.aborted_at, done.aborted_at) == (0, 0)


async def test_the_end_comes_however_little_is_read(served: Connections) -> None:
    stuck = _Sending(50, stuck=True)
    served.add(stuck)
    await served.end(until=asyncio.get_running_loop().time() - 1)
    assert stuck.aborted_at == 50


class _Unread:
    """A connection whose client reads nothing."""

    def __init__(self, unsent: int, served: Connections) -> None:
        self.unsent = unsent
        self._served = served
        served.add(self)
        served.unread.begin(self)

    def give_up(self, *, late: bool) -> None:
        assert not late
        self.abort()

    def abort(self) -> None:
        self._served.remove(self)
        self.unsent = 0


async def test_as_many_make_room_as_it_takes_but_for_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_MOST_UNSENT_BYTES", 100)
    crowded: list[str] = []
    served = Connections(crowded=crowded.append)
    first, second = _Unread(40, served), _Unread(40, served)
    assert crowded == []
    large = _Unread(150, served)
    assert (first.unsent, second.unsent, large.unsent) == (0, 0, 150)
    assert crowded == ["unread", "unread"]
    served.unread.end(large)
