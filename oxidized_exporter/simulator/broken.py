"""Answers requests wrongly, each fault in its own way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeAlias

from aiohttp import web

from oxidized_exporter.simulator import bodies
from oxidized_exporter.simulator.connection import client_leaves, write_and_close, write_and_reset
from oxidized_exporter.simulator.faults import Fault, SwitchedOn

RightAnswer: TypeAlias = Callable[[], Awaitable[web.StreamResponse]]
_Spoiler: TypeAlias = Callable[[web.Request, SwitchedOn, RightAnswer], Awaitable[web.StreamResponse]]

JSON_HEADERS = {"Content-Type": "application/json", "X-Content-Type-Options": "nosniff"}
HTML_HEADERS = {"Content-Type": "text/html;charset=utf-8", "X-Content-Type-Options": "nosniff"}
TEXT_HEADERS = {"Content-Type": "text/plain;charset=utf-8", "X-Content-Type-Options": "nosniff"}
_PLAIN_HTML = {"Content-Type": "text/html"}

_PROXY_STATUSES = {
    Fault.UNAUTHORIZED: (HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": 'Basic realm="oxidized"'}),
    Fault.FORBIDDEN: (HTTPStatus.FORBIDDEN, {}),
    Fault.PROXY_AUTH: (HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, {"Proxy-Authenticate": 'Basic realm="proxy"'}),
    Fault.BAD_GATEWAY: (HTTPStatus.BAD_GATEWAY, {}),
    Fault.UNAVAILABLE: (HTTPStatus.SERVICE_UNAVAILABLE, {}),
    Fault.GATEWAY_TIMEOUT: (HTTPStatus.GATEWAY_TIMEOUT, {}),
}

_JSON_BODIES = {
    Fault.NOT_JSON: bodies.NOT_JSON,
    Fault.INVALID_UTF8: bodies.INVALID_UTF8,
    Fault.EMPTY_BODY: b"",
    Fault.WRONG_SHAPE: bodies.WRONG_SHAPE,
    Fault.NO_READABLE_ROW: bodies.NO_READABLE_ROW,
    Fault.DEEP_JSON: bodies.DEEP_JSON,
}

_RAW_BYTES = {
    Fault.EMPTY_REPLY: b"",
    Fault.BROKEN_STATUS_LINE: b"SSH-2.0-OpenSSH_9.6\r\nInvalid SSH identification string.\r\n",
    Fault.BROKEN_CHUNK: (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'2\r\n[{\r\nsize?\r\n"name":"sw-01"\r\n0\r\n\r\n'
    ),
}


def not_found(request: web.Request) -> web.Response:
    """Answer as Oxidized answers an unknown path (recorded: 404, HTML)."""
    return web.Response(status=HTTPStatus.NOT_FOUND, body=bodies.not_found_page(request.path), headers=HTML_HEADERS)


def server_error() -> web.Response:
    """Answer as Oxidized answers what it fails on (recorded: 500, 150 kB of HTML)."""
    return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, body=bodies.error_page(), headers=_PLAIN_HTML)


async def answer_wrongly(request: web.Request, on: SwitchedOn, right: RightAnswer) -> web.StreamResponse:
    """Answer a request as the fault has it; `right` gives the answer that it spoils.

    Where the fault ends below HTTP, the connection is closed on return; aiohttp's server finds it so and adds
    nothing. A fault that hangs returns when the client has left or the connection was cut.
    """
    fault = on.fault
    if fault in _RAW_BYTES:
        write_and_close(request, _RAW_BYTES[fault])
        return web.Response()
    if fault in _SPOILERS:
        return await _SPOILERS[fault](request, on, right)
    return _complete(request, on)


def _complete(request: web.Request, on: SwitchedOn) -> web.Response:
    """Build the answer of a fault that is whole and valid HTTP."""
    fault = on.fault
    status, headers, body = HTTPStatus.OK, JSON_HEADERS, b""
    if fault in _JSON_BODIES:
        body = _JSON_BODIES[fault]
    elif fault in _PROXY_STATUSES:
        status, extra = _PROXY_STATUSES[fault]
        headers, body = _PLAIN_HTML | extra, bodies.proxy_page(status.value, status.phrase)
    else:
        match fault:
            case Fault.NOT_FOUND:
                return not_found(request)
            case Fault.HOST_NOT_PERMITTED:
                status, headers, body = HTTPStatus.FORBIDDEN, {"Content-Type": "text/plain"}, b"Host not permitted"
            case Fault.SERVER_ERROR:
                return server_error()
            case Fault.REDIRECT:
                status, headers = HTTPStatus.FOUND, HTML_HEADERS | {"Location": on.location}
            case Fault.HTML:
                headers, body = HTML_HEADERS, bodies.LOGIN_PAGE
            case Fault.GZIP_BOMB:
                headers, body = JSON_HEADERS | {"Content-Encoding": "gzip"}, bodies.gzip_bomb(on.size)
            case _:
                raise NotImplementedError(f"no answer is written for the fault {fault}")
    return web.Response(status=status, headers=headers, body=body)


async def _slow(request: web.Request, on: SwitchedOn, right: RightAnswer) -> web.StreamResponse:
    try:
        await asyncio.wait_for(client_leaves(request), on.seconds)
    except TimeoutError:
        return await right()
    return web.Response()


async def _hang_before_headers(request: web.Request, _on: SwitchedOn, _right: RightAnswer) -> web.StreamResponse:
    await client_leaves(request)
    return web.Response()


async def _hang_in_body(request: web.Request, _on: SwitchedOn, right: RightAnswer) -> web.StreamResponse:
    half = _half_of(await right())
    if request.transport is not None:
        request.transport.write(half)
    await client_leaves(request)
    return web.Response()


async def _truncated(request: web.Request, _on: SwitchedOn, right: RightAnswer) -> web.StreamResponse:
    write_and_close(request, _half_of(await right()))
    return web.Response()


async def _reset(request: web.Request, _on: SwitchedOn, _right: RightAnswer) -> web.StreamResponse:
    write_and_reset(request, b"")
    return web.Response()


async def _reset_in_body(request: web.Request, _on: SwitchedOn, right: RightAnswer) -> web.StreamResponse:
    write_and_reset(request, _half_of(await right()))
    return web.Response()


async def _truncated_json(_request: web.Request, _on: SwitchedOn, right: RightAnswer) -> web.StreamResponse:
    body = _body_of(await right())
    return web.Response(body=body[: len(body) // 2], headers=JSON_HEADERS)


async def _huge(request: web.Request, on: SwitchedOn, _right: RightAnswer) -> web.StreamResponse:
    response = web.StreamResponse(headers=JSON_HEADERS)
    response.enable_chunked_encoding()
    try:
        await response.prepare(request)
        await response.write(bodies.LIST_START)
        for _ in range(bodies.blocks_for(on.size)):
            await response.write(bodies.BLOCK)
        await response.write(bodies.LIST_END)
    except ConnectionError:
        # The client has had enough, which is what it should do.
        pass
    return response


def _body_of(response: web.StreamResponse) -> bytes:
    body = response.body if isinstance(response, web.Response) else None
    return body if isinstance(body, bytes) else b""


def _half_of(response: web.StreamResponse) -> bytes:
    """Spell out a response: all of its head, with the whole body's length, and half of its body."""
    body = _body_of(response)
    headers = {name: value for name, value in response.headers.items() if name != "Content-Length"}
    lines = [f"HTTP/1.1 {response.status} {response.reason}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body[: len(body) // 2]


_SPOILERS: dict[Fault, _Spoiler] = {
    Fault.SLOW: _slow,
    Fault.HANG_BEFORE_HEADERS: _hang_before_headers,
    Fault.HANG_IN_BODY: _hang_in_body,
    Fault.TRUNCATED: _truncated,
    Fault.RESET: _reset,
    Fault.RESET_IN_BODY: _reset_in_body,
    Fault.TRUNCATED_JSON: _truncated_json,
    Fault.HUGE: _huge,
}
