from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from aiohttp import AsyncResolver, DummyCookieJar

from oxidized_exporter.config import Limits
from oxidized_exporter.errors import ProtocolError
from oxidized_exporter.oxidized.client import OxidizedClient
from oxidized_exporter.oxidized.journal import Journal, Request
from oxidized_exporter.oxidized.request_settings import NO_SETTINGS
from oxidized_exporter.oxidized.transport import open_session
from oxidized_exporter.targets.url import parse_target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"


async def test_a_session_has_so_many_connections_and_keeps_no_cookie() -> None:
    resolver = AsyncResolver()
    async with open_session(resolver=resolver, journal=Journal(), connections=3) as session:
        assert session.connector is not None
        assert session.connector.limit == 3
        assert isinstance(session.cookie_jar, DummyCookieJar)
    assert session.closed
    await resolver.close()


@asynccontextmanager
async def closing_server(
    answers: Sequence[int], connections: list[int], *, last_words: bytes = b""
) -> AsyncIterator[str]:
    """Serve so many answers on one connection after the other, then close it with its last words when asked once more.

    ``connections`` gets the requests of each connection.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(connections)
        connections.append(0)
        with suppress(asyncio.IncompleteReadError):  # it was closed by the client
            while await reader.readuntil(b"\r\n\r\n"):
                connections[number] += 1
                if connections[number] > answers[number]:
                    writer.write(last_words)
                    break
                writer.write(_ANSWER)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def asking(url: str, journal: Journal) -> AsyncIterator[OxidizedClient]:
    resolver = AsyncResolver()
    async with open_session(resolver=resolver, journal=journal, connections=2) as session:
        yield OxidizedClient(
            session=session,
            target=parse_target(url),
            settings=NO_SETTINGS,
            permits=lambda _target: False,
            journal=journal,
            limits=Limits(attempts=1),
            deadline=lambda: asyncio.get_running_loop().time() + 60,
        )
    await resolver.close()


async def test_an_idle_connection_that_was_closed_is_no_failed_attempt() -> None:
    connections: list[int] = []
    journal = Journal()
    async with closing_server([2, 2, 2], connections) as url, asking(url, journal) as client:
        for _ in range(5):
            assert await client.nodes() == b"[]"
    assert connections == [3, 3, 1]
    assert journal.requests == {Request("nodes", "success"): 5}


async def test_a_new_connection_that_is_closed_is_asked_no_second_time() -> None:
    connections: list[int] = []
    journal = Journal()
    async with closing_server([0, 0], connections) as url, asking(url, journal) as client:
        with pytest.raises(ProtocolError):
            await client.nodes()
    assert connections == [1]
    assert journal.requests == {Request("nodes", "protocol"): 1}


async def test_an_idle_connection_that_answers_with_what_is_no_http_is_not_replaced() -> None:
    connections: list[int] = []
    journal = Journal()
    async with (
        closing_server([1, 1], connections, last_words=b"nonsense\r\n\r\n") as url,
        asking(url, journal) as client,
    ):
        assert await client.nodes() == b"[]"
        with pytest.raises(ProtocolError):
            await client.nodes()
    assert connections == [2]
    assert journal.requests == {Request("nodes", "success"): 1, Request("nodes", "protocol"): 1}


async def test_where_new_connections_are_closed_as_well_it_is_given_up() -> None:
    connections: list[int] = []
    journal = Journal()
    async with closing_server([1, 0], connections) as url, asking(url, journal) as client:
        assert await client.nodes() == b"[]"
        with pytest.raises(ProtocolError):
            await client.nodes()
    assert connections == [2, 1]
    assert journal.requests == {Request("nodes", "success"): 1, Request("nodes", "protocol"): 1}


@pytest.mark.parametrize("count,reason", [(10, None), (11, "protocol"), (100_000, "protocol")])
async def test_interim_answers_are_bounded(count: int, reason: str | None) -> None:
    """Without a bound the loop has nothing else to do while a server sends them, past every deadline."""

    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * count + _ANSWER)
                await writer.drain()
        writer.close()
        left.set()

    journal = Journal()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        async with asking(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", journal) as client:
            if reason is None:
                assert [await client.nodes() for _ in range(3)] == [b"[]"] * 3
            else:
                with pytest.raises(ProtocolError, match="more than 10 interim answers"):
                    await client.nodes()
        await left.wait()
