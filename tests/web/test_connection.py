"""What one connection waits for, with a transport that reads no faster than a test lets it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from aiohttp import web

from oxidized_exporter.web.connection import Connection
from oxidized_exporter.web.connections import Connections

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_REQUEST = b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n"


class _Transport(asyncio.Transport):
    """Takes what is written and, from ``stuck`` on, holds it."""

    def __init__(self) -> None:
        super().__init__()
        self.stuck = False
        self.held = 0
        self.aborted = False

    def write(self, data: Any) -> None:
        if self.stuck:
            self.held += len(data)

    def get_write_buffer_size(self) -> int:
        return self.held

    def is_closing(self) -> bool:
        return self.aborted

    def close(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def abort(self) -> None:
        self.aborted = True


class _Client:
    """The client of one connection, and what that waits in."""

    def __init__(self, connection: Connection, transport: _Transport, connections: Connections) -> None:
        self.connection = connection
        self.transport = transport
        self._connections = connections

    @property
    def waits(self) -> str | None:
        """The name of the only thing that the connection waits for."""
        connections = self._connections
        each = {"silent": connections.silent, "idle": connections.idle, "unread": connections.unread}
        names = [name for name, waiting in each.items() if len(waiting)]
        assert len(names) <= 1
        return names[0] if names else None

    @property
    def held(self) -> bool:
        """Whether it counts among those that are served."""
        return self.connection in self._connections._served  # noqa: SLF001 - nothing else tells of one without bytes

    async def comes_to_wait(self, name: str) -> None:
        async with asyncio.timeout(10):
            while self.waits != name:  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0)

    def is_given_up(self, *, late: bool) -> None:
        """Do as what it waits in does."""
        self._connections.unread.end(self.connection)
        self.connection.give_up(late=late)


@pytest.fixture
async def client() -> AsyncIterator[_Client]:
    async def page(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * 1000)

    app = web.Application()
    app.router.add_get("/page", page)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    connections, transport = Connections(crowded=lambda _: None), _Transport()
    connection = Connection(
        cast("web.Server", runner.server), loop=asyncio.get_running_loop(), app=app, connections=connections
    )
    connection.connection_made(transport)
    yield _Client(connection, transport, connections)
    connection.connection_lost(None)
    await runner.cleanup()


async def test_from_silent_to_idle_and_back(client: _Client) -> None:
    assert client.waits == "silent"
    client.connection.data_received(_REQUEST[:-2])
    assert client.waits == "silent"
    client.connection.data_received(_REQUEST[-2:])
    assert client.waits is None
    await client.comes_to_wait("idle")
    client.connection.data_received(_REQUEST)
    assert client.waits is None
    await client.comes_to_wait("idle")


async def test_who_is_idle_has_any_time(client: _Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prometheus keeps a connection from one scrape to the next."""
    timers: list[Any] = []
    client.connection.data_received(_REQUEST)
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda *timer: timers.append(timer))
    await client.comes_to_wait("idle")
    assert timers == []


async def test_half_of_a_further_head_has_no_more_time_than_the_first(client: _Client) -> None:
    client.connection.data_received(_REQUEST)
    await client.comes_to_wait("idle")
    await asyncio.sleep(0)  # until aiohttp waits, too
    client.connection.data_received(b"\r\n")
    assert client.waits == "idle"
    client.connection.data_received(_REQUEST[:1])
    assert client.waits == "silent"
    client.connection.data_received(_REQUEST[1:])
    assert client.waits is None
    await client.comes_to_wait("idle")


async def test_a_body_that_nobody_reads_is_no_head(client: _Client) -> None:
    client.connection.data_received(_REQUEST[:-2] + b"Content-Length: 100000\r\n\r\n")
    await client.comes_to_wait("idle")
    for _ in range(10):
        client.connection.data_received(b"x" * 10_000)
        await asyncio.sleep(0)
    assert client.waits == "idle"
    assert not client.transport.aborted


@pytest.mark.parametrize("name", ["silent", "idle", "unread"])
async def test_a_head_without_end_is_given_up(client: _Client, name: str) -> None:
    """Each header of it may be sound."""
    if name != "silent":
        client.transport.stuck = name == "unread"
        client.connection.data_received(_REQUEST)
        await client.comes_to_wait(name)
    await asyncio.sleep(0)
    client.connection.data_received(_REQUEST[:-2])
    for number in range(9):
        assert not client.transport.aborted
        client.connection.data_received(b"X-%d: %s\r\n" % (number, b"x" * 7500))
    assert client.transport.aborted


async def test_an_answer_that_is_not_sent_is_not_idle(client: _Client) -> None:
    """Or making room would cut it."""
    client.transport.stuck = True
    client.connection.data_received(_REQUEST)
    await client.comes_to_wait("unread")
    assert client.connection.unsent > 1000


async def test_who_reads_some_in_time_is_waited_for(client: _Client) -> None:
    client.transport.stuck = True
    client.connection.data_received(_REQUEST)
    await client.comes_to_wait("unread")
    client.transport.held -= 500
    client.is_given_up(late=True)
    assert client.waits == "unread"
    client.transport.held = 0
    client.is_given_up(late=True)
    assert client.waits == "idle"
    assert not client.transport.aborted


@pytest.mark.parametrize("read,late", [(0, True), (500, False)])
async def test_who_reads_nothing_or_is_in_the_way_is_given_up(client: _Client, *, read: int, late: bool) -> None:
    client.transport.stuck = True
    client.connection.data_received(_REQUEST)
    await client.comes_to_wait("unread")
    client.transport.held -= read
    client.is_given_up(late=late)
    assert client.transport.aborted
    assert not client.held, "or more would have to make room, until the system tells that it is gone"


async def test_a_pause_in_writing_is_a_wait_for_the_client(client: _Client) -> None:
    client.connection.data_received(_REQUEST)
    client.connection.pause_writing()
    assert client.waits == "unread"
    client.connection.data_received(_REQUEST)
    assert client.waits == "unread", "one more request is no reading"
    client.connection.resume_writing()
    assert client.waits is None


async def test_who_has_left_is_not_waited_for(client: _Client) -> None:
    client.connection.connection_lost(None)
    assert client.waits is None
    assert client.connection.unsent == 0
    assert not client.held, "or all there ever were would stay in memory"
    client.connection.give_up(late=False)
    assert not client.transport.aborted
