"""Every fault, looked at from the client's end of a plain socket."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from oxidized_exporter.simulator import (
    FAULTS,
    HELD,
    REQUESTS,
    Daemon,
    Fault,
    FaultSwitch,
    ManualClock,
    create_app,
    fleet,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Received:
    """All that came over a connection until it ended."""

    head: bytes
    body: bytes
    reset: bool

    @property
    def status(self) -> int:
        return int(self.head.split(b" ", 2)[1])

    def header(self, name: str) -> str | None:
        for line in self.head.decode().split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name.lower():
                return value
        return None


class Oxidized:
    """A simulated Oxidized that listens on a port of its own."""

    def __init__(self, app: web.Application, runner: web.AppRunner, port: int) -> None:
        self.app = app
        self.runner = runner
        self.port = port

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"GET /nodes.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return reader, writer

    async def get(self) -> Received:
        reader, writer = await self.connect()
        received = await read_to_end(reader)
        writer.close()
        return received

    async def right_body(self) -> bytes:
        self.app[FAULTS].switch_off()
        return (await self.get()).body


async def read_to_end(reader: asyncio.StreamReader) -> Received:
    data, reset = b"", False
    try:
        while chunk := await reader.read(_MIB):
            data += chunk
    except ConnectionResetError:
        reset = True
    head, _, body = data.partition(b"\r\n\r\n")
    return Received(head=head, body=body, reset=reset)


@pytest.fixture
async def oxidized() -> AsyncIterator[Oxidized]:
    app = create_app(Daemon(fleet(50), clock=ManualClock()))
    # The default of 60 s for handlers to end, so that one that does not shows as a test that times out.
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield Oxidized(app, runner, runner.addresses[0][1])
    async with asyncio.timeout(10):
        await runner.cleanup()


def _unchunked(body: bytes) -> bytes:
    data = b""
    while True:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            assert body == b"\r\n"
            return data
        data += body[:length]
        assert body[length : length + 2] == b"\r\n"
        body = body[length + 2 :]


_Check = Callable[[Oxidized], Awaitable[None]]


def _is_page(fault: Fault, status: int, **headers: str) -> _Check:
    async def check(oxidized: Oxidized) -> None:
        oxidized.app[FAULTS].switch_on(fault)
        received = await oxidized.get()
        assert received.status == status
        assert (received.header("Content-Type") or "").startswith("text/html")
        assert received.header("Content-Length") == str(len(received.body))
        assert b"html>" in received.body
        for name, value in headers.items():
            assert received.header(name.replace("_", "-")) == value

    return check


def _is_json_answer(fault: Fault, judge: Callable[[bytes], None]) -> _Check:
    async def check(oxidized: Oxidized) -> None:
        oxidized.app[FAULTS].switch_on(fault)
        received = await oxidized.get()
        assert received.status == 200
        assert received.header("Content-Type") == "application/json"
        assert received.header("Content-Length") == str(len(received.body))
        judge(received.body)

    return check


async def _slow(oxidized: Oxidized) -> None:
    right = await oxidized.right_body()
    loop = asyncio.get_running_loop()
    oxidized.app[FAULTS].switch_on(Fault.SLOW, seconds=0.1)
    before = loop.time()
    received = await oxidized.get()
    assert loop.time() - before >= 0.1
    assert (received.status, received.body) == (200, right)


async def _hang_before_headers(oxidized: Oxidized) -> None:
    oxidized.app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS)
    reader, writer = await oxidized.connect()
    await oxidized.app[HELD].count_is(1)
    await oxidized.runner.cleanup()
    assert await reader.read() == b"", "nothing came until the server stopped"
    writer.close()


async def _hang_in_body(oxidized: Oxidized) -> None:
    right = await oxidized.right_body()
    oxidized.app[FAULTS].switch_on(Fault.HANG_IN_BODY)
    reader, writer = await oxidized.connect()
    head = await reader.readuntil(b"\r\n\r\n")
    assert f"Content-Length: {len(right)}\r\n".encode() in head
    assert await reader.readexactly(len(right) // 2) == right[: len(right) // 2]
    await oxidized.app[HELD].count_is(1)
    await oxidized.runner.cleanup()
    assert await reader.read() == b"", "nothing more came until the server stopped"
    writer.close()


def _ends_in_body(fault: Fault, *, reset: bool) -> _Check:
    async def check(oxidized: Oxidized) -> None:
        right = await oxidized.right_body()
        oxidized.app[FAULTS].switch_on(fault)
        received = await oxidized.get()
        assert received.status == 200
        assert received.header("Content-Type") == "application/json"
        assert received.header("Content-Length") == str(len(right))
        assert received.body == right[: len(right) // 2]
        assert received.reset is reset

    return check


async def _broken_chunk(oxidized: Oxidized) -> None:
    oxidized.app[FAULTS].switch_on(Fault.BROKEN_CHUNK)
    received = await oxidized.get()
    assert received.status == 200
    assert received.header("Transfer-Encoding") == "chunked"
    with pytest.raises(ValueError, match="invalid literal for int"):
        _unchunked(received.body)


def _sends(fault: Fault, data: bytes, *, reset: bool) -> _Check:
    async def check(oxidized: Oxidized) -> None:
        oxidized.app[FAULTS].switch_on(fault)
        received = await oxidized.get()
        assert received.head == data
        assert received.body == b""
        assert received.reset is reset

    return check


async def _host_not_permitted(oxidized: Oxidized) -> None:
    oxidized.app[FAULTS].switch_on(Fault.HOST_NOT_PERMITTED)
    received = await oxidized.get()
    assert (received.status, received.body) == (403, b"Host not permitted")
    assert received.header("Content-Type") == "text/plain"


async def _server_error(oxidized: Oxidized) -> None:
    await _is_page(Fault.SERVER_ERROR, 500, Content_Type="text/html")(oxidized)
    assert 140_000 < len((await oxidized.get()).body) < 160_000


async def _redirect(oxidized: Oxidized) -> None:
    oxidized.app[FAULTS].switch_on(Fault.REDIRECT, location="http://192.0.2.1/nodes.json")
    received = await oxidized.get()
    assert (received.status, received.header("Location")) == (302, "http://192.0.2.1/nodes.json")


async def _huge(oxidized: Oxidized) -> None:
    oxidized.app[FAULTS].switch_on(Fault.HUGE, size=3 * _MIB)
    received = await oxidized.get()
    assert received.status == 200
    assert received.header("Content-Type") == "application/json"
    assert received.header("Content-Length") is None
    body = _unchunked(received.body)
    assert 3 * _MIB < len(body) < 5 * _MIB
    assert json.loads(body)[0]["name"] == "sw-huge"


async def _gzip_bomb(oxidized: Oxidized) -> None:
    oxidized.app[FAULTS].switch_on(Fault.GZIP_BOMB)
    received = await oxidized.get()
    assert received.status == 200
    assert received.header("Content-Type") == "application/json"
    assert received.header("Content-Encoding") == "gzip"
    assert received.header("Content-Length") == str(len(received.body))
    assert len(received.body) < _MIB
    unpacked = gzip.decompress(received.body)
    assert len(unpacked) > 64 * _MIB
    assert unpacked.startswith(b'[{"name":')
    assert unpacked.endswith(b"}]")


def _not_json(body: bytes) -> None:
    assert body.decode("ascii")
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


def _invalid_utf8(body: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        body.decode()
    assert json.loads(body.decode(errors="replace"))[0]["model"] == "IOS"


def _empty(body: bytes) -> None:
    assert body == b""


def _wrong_shape(body: bytes) -> None:
    assert isinstance(json.loads(body), dict)


def _no_readable_row(body: bytes) -> None:
    rows = json.loads(body)
    assert isinstance(rows, list)
    assert rows
    assert not any(isinstance(row, dict) and ("name" in row or "full_name" in row) for row in rows)


def _deep_json(body: bytes) -> None:
    assert body.count(b"[") == body.count(b"]") == 1_000_000
    with pytest.raises(RecursionError):
        json.loads(body)


async def _truncated_json(oxidized: Oxidized) -> None:
    right = await oxidized.right_body()

    def is_half(body: bytes) -> None:
        assert body == right[: len(right) // 2]
        _not_json(body)

    await _is_json_answer(Fault.TRUNCATED_JSON, is_half)(oxidized)


_CHECKS: dict[Fault, _Check] = {
    Fault.SLOW: _slow,
    Fault.HANG_BEFORE_HEADERS: _hang_before_headers,
    Fault.HANG_IN_BODY: _hang_in_body,
    Fault.TRUNCATED: _ends_in_body(Fault.TRUNCATED, reset=False),
    Fault.BROKEN_CHUNK: _broken_chunk,
    Fault.RESET: _sends(Fault.RESET, b"", reset=True),
    Fault.RESET_IN_BODY: _ends_in_body(Fault.RESET_IN_BODY, reset=True),
    Fault.EMPTY_REPLY: _sends(Fault.EMPTY_REPLY, b"", reset=False),
    Fault.BROKEN_STATUS_LINE: _sends(
        Fault.BROKEN_STATUS_LINE,
        b"SSH-2.0-OpenSSH_9.6\r\nInvalid SSH identification string.\r\n",
        reset=False,
    ),
    Fault.UNAUTHORIZED: _is_page(Fault.UNAUTHORIZED, 401, WWW_Authenticate='Basic realm="oxidized"'),
    Fault.FORBIDDEN: _is_page(Fault.FORBIDDEN, 403),
    Fault.HOST_NOT_PERMITTED: _host_not_permitted,
    Fault.NOT_FOUND: _is_page(Fault.NOT_FOUND, 404, Content_Type="text/html;charset=utf-8"),
    Fault.PROXY_AUTH: _is_page(Fault.PROXY_AUTH, 407, Proxy_Authenticate='Basic realm="proxy"'),
    Fault.SERVER_ERROR: _server_error,
    Fault.BAD_GATEWAY: _is_page(Fault.BAD_GATEWAY, 502),
    Fault.UNAVAILABLE: _is_page(Fault.UNAVAILABLE, 503),
    Fault.GATEWAY_TIMEOUT: _is_page(Fault.GATEWAY_TIMEOUT, 504),
    Fault.REDIRECT: _redirect,
    Fault.HUGE: _huge,
    Fault.GZIP_BOMB: _gzip_bomb,
    Fault.HTML: _is_page(Fault.HTML, 200),
    Fault.NOT_JSON: _is_json_answer(Fault.NOT_JSON, _not_json),
    Fault.INVALID_UTF8: _is_json_answer(Fault.INVALID_UTF8, _invalid_utf8),
    Fault.EMPTY_BODY: _is_json_answer(Fault.EMPTY_BODY, _empty),
    Fault.WRONG_SHAPE: _is_json_answer(Fault.WRONG_SHAPE, _wrong_shape),
    Fault.NO_READABLE_ROW: _is_json_answer(Fault.NO_READABLE_ROW, _no_readable_row),
    Fault.TRUNCATED_JSON: _truncated_json,
    Fault.DEEP_JSON: _is_json_answer(Fault.DEEP_JSON, _deep_json),
}


def test_every_fault_has_a_check() -> None:
    assert set(_CHECKS) == set(Fault)


@pytest.mark.parametrize("fault", Fault)
async def test_what_is_claimed_is_on_the_wire(
    fault: Fault, oxidized: Oxidized, caplog: pytest.LogCaptureFixture
) -> None:
    await _CHECKS[fault](oxidized)
    await oxidized.runner.cleanup()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


_WAITING = (Fault.SLOW, Fault.HANG_BEFORE_HEADERS, Fault.HANG_IN_BODY, Fault.HUGE)


@pytest.mark.parametrize("fault", _WAITING)
async def test_a_handler_ends_when_its_client_leaves(fault: Fault, oxidized: Oxidized) -> None:
    tasks = asyncio.all_tasks()
    oxidized.app[FAULTS].switch_on(fault, seconds=3600)
    _, writer = await oxidized.connect()
    await oxidized.app[HELD].count_is(1)
    writer.transport.abort()
    await oxidized.app[HELD].count_is(0)
    await asyncio.gather(*(asyncio.all_tasks() - tasks), return_exceptions=True)
    server = oxidized.runner.server
    assert server is not None
    assert server.connections == []


@pytest.mark.parametrize("fault", _WAITING)
async def test_a_handler_that_waits_does_not_delay_the_servers_end(fault: Fault, oxidized: Oxidized) -> None:
    tasks = asyncio.all_tasks()
    oxidized.app[FAULTS].switch_on(fault, seconds=3600)
    _, writer = await oxidized.connect()
    await oxidized.app[HELD].count_is(1)
    async with asyncio.timeout(10):
        await oxidized.runner.cleanup()
    assert len(oxidized.app[HELD]) == 0
    assert not asyncio.all_tasks() - tasks
    writer.close()


async def test_a_request_that_the_end_overtakes_is_not_held(oxidized: Oxidized) -> None:
    oxidized.app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS)
    oxidized.app[HELD].let_go()
    assert (await oxidized.get()).head == b""


async def test_a_fault_for_so_many_requests_and_then_none(oxidized: Oxidized) -> None:
    switch = oxidized.app[FAULTS]
    switch.switch_on(Fault.UNAVAILABLE, requests=2)
    assert [(await oxidized.get()).status for _ in range(4)] == [503, 503, 200, 200]
    assert switch.active is None


async def test_a_fault_stays_until_it_is_switched_off_or_over(oxidized: Oxidized) -> None:
    switch = oxidized.app[FAULTS]
    switch.switch_on(Fault.UNAVAILABLE)
    assert [(await oxidized.get()).status for _ in range(3)] == [503, 503, 503]
    switch.switch_on(Fault.BAD_GATEWAY)
    assert (await oxidized.get()).status == 502
    switch.switch_off()
    assert (await oxidized.get()).status == 200


async def test_a_connection_that_was_slow_goes_on_to_serve(oxidized: Oxidized) -> None:
    oxidized.app[FAULTS].switch_on(Fault.SLOW, seconds=0.001, requests=1)
    reader, writer = await asyncio.open_connection("127.0.0.1", oxidized.port)
    for last in (False, True):
        connection = "close" if last else "keep-alive"
        writer.write(f"GET /nope HTTP/1.1\r\nHost: localhost\r\nConnection: {connection}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 404 ")
        if not last:
            await reader.readuntil(b"</html>\n")
    assert (await reader.read()).endswith(b"</html>\n")
    writer.close()


async def test_a_request_that_comes_while_another_is_slow_waits_for_its_turn(oxidized: Oxidized) -> None:
    oxidized.app[FAULTS].switch_on(Fault.SLOW, seconds=0.1, requests=1)
    reader, writer = await asyncio.open_connection("127.0.0.1", oxidized.port)
    writer.write(b"GET /first HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await oxidized.app[HELD].count_is(1)
    writer.write(b"GET /second HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    pages = (await reader.read()).split(b"HTTP/1.1 404 ")
    assert len(pages) == 3
    assert b"/first" in pages[1]
    assert b"/second" in pages[2]
    writer.close()


async def test_a_client_that_closes_its_half_has_left(oxidized: Oxidized) -> None:
    oxidized.app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS)
    reader, writer = await oxidized.connect()
    await oxidized.app[HELD].count_is(1)
    writer.write_eof()
    assert await reader.read() == b""
    await oxidized.app[HELD].count_is(0)
    writer.close()


async def test_requests_that_meet_a_fault_are_recorded(oxidized: Oxidized) -> None:
    oxidized.app[FAULTS].switch_on(Fault.RESET)
    await oxidized.get()
    requests = oxidized.app[REQUESTS]
    assert list(requests) == ["/nodes.json"]


async def test_huge_is_more_than_64_mib_and_is_not_held_back(oxidized: Oxidized) -> None:
    oxidized.app[FAULTS].switch_on(Fault.HUGE)
    reader, writer = await oxidized.connect()
    received = 0
    while chunk := await reader.read(_MIB):
        received += len(chunk)
    assert received > 64 * _MIB
    writer.close()


def test_a_switch_of_the_callers_is_used() -> None:
    switch = FaultSwitch()
    assert create_app(Daemon([], clock=ManualClock()), faults=switch)[FAULTS] is switch


@pytest.mark.parametrize("seconds", [-1.0, float("inf"), float("nan")])
def test_delays_that_are_none(seconds: float) -> None:
    with pytest.raises(ValueError, match="a finite number of seconds late"):
        FaultSwitch().switch_on(Fault.SLOW, seconds=seconds)


def test_counts_that_are_none() -> None:
    with pytest.raises(ValueError, match="for one request or more"):
        FaultSwitch().switch_on(Fault.SLOW, requests=0)
    with pytest.raises(ValueError, match="zero bytes or more"):
        FaultSwitch().switch_on(Fault.HUGE, size=-1)
