from __future__ import annotations

import io
import json
import logging
import re

import pytest
import structlog
from aiohttp import web

from oxidized_exporter.log import LEVELS, configure_logging
from oxidized_exporter.simulator import FAULTS, Daemon, Fault, create_app, fleet
from tests.harness import running, running_exporter


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def test_a_line(stream: io.StringIO) -> None:
    configure_logging("info", stream=stream)
    structlog.stdlib.get_logger("x").info("it runs", port=10888, ok=True, nothing=None)
    assert re.fullmatch(
        r'ts=\d{4}-\d\d-\d\dT[\d:.]+Z level=info msg="it runs" port=10888 ok=true nothing=\n', stream.getvalue()
    )


@pytest.mark.parametrize("text", ["a\nlevel=error", "\x1b[31mred", "\r", "\x00", "\u2028", "\u202eevil"])
def test_no_text_from_outside_makes_a_line_or_drives_a_terminal(stream: io.StringIO, text: str) -> None:
    configure_logging("info", stream=stream)
    structlog.stdlib.get_logger("x").info("said", text=text)
    logging.getLogger("aiohttp.server").error("said %s", text)
    written = stream.getvalue()
    assert written.count("\n") == 2
    assert written.replace("\n", "").isprintable()


def test_loggers_of_libraries_are_logfmt_too(stream: io.StringIO) -> None:
    configure_logging("warning", stream=stream)
    logging.getLogger("asyncio").warning("%s took long", "it")
    logging.getLogger("asyncio").info("not this")
    assert re.fullmatch(r'ts=\S+ level=warning msg="it took long"\n', stream.getvalue())


@pytest.mark.parametrize("level", LEVELS)
async def test_secrets_of_nodes_appear_at_no_level_in_no_answer(stream: io.StringIO, level: str) -> None:
    """Bodies that hold the recordings' secret: a good one, and every way of spoiling it."""
    configure_logging(level, stream=stream)
    good = [{"name": "sw1", "vars": {"enable": "s3cr3t", "nested": [{"password": "s3cr3t"}]}, "last": None}]
    bodies = [
        json.dumps(good).encode(),
        json.dumps(good).encode()[:-3],
        json.dumps({"vars": {"enable": "s3cr3t"}}).encode(),
        json.dumps([{"vars": {"enable": "s3cr3t"}}]).encode(),
        b'["s3cr3t\xff"]',
        b'{"s3cr3t": ' * 3000,
        b"s3cr3t",
    ]
    said = []
    for body in bodies:

        async def nodes(_request: web.Request, body: bytes = body) -> web.Response:
            return web.Response(body=body)

        app = web.Application()
        app.router.add_get("/nodes.json", nodes)
        async with running(app) as url, running_exporter() as exporter:
            for path, accept in (
                (f"/probe?target={url}", "text/plain"),
                (f"/probe?target={url}", "application/openmetrics-text"),
                (f"/probe?target=http://user:s3cr3t@{url[7:]}", "text/plain"),
                (f"/probe?target={url}/%3Ftoken=s3cr3t", "text/plain"),
                ("/metrics", "text/plain"),
            ):
                response = await exporter.get(path, Accept=accept)
                said.append(await response.text())
    app = create_app(Daemon(fleet(30)))
    for fault in (Fault.TRUNCATED, Fault.BROKEN_CHUNK, Fault.RESET_IN_BODY, Fault.TRUNCATED_JSON):
        app[FAULTS].switch_on(fault)
        async with running(app) as url, running_exporter() as exporter:
            said.append((await exporter.probe(url)).text)
    assert len(said) == len(bodies) * 5 + 4
    assert "s3cr3t" not in "".join(said)
    assert "s3cr3t" not in stream.getvalue()
    if level != "error":
        assert "reason=not_json" in stream.getvalue()


async def test_one_line_for_a_failure_and_none_for_a_success(stream: io.StringIO) -> None:
    configure_logging("info", stream=stream)
    app = create_app(Daemon(fleet(2)))
    async with running(app) as url, running_exporter() as exporter:
        await exporter.probe(url)
        assert stream.getvalue() == ""
        app[FAULTS].switch_on(Fault.UNAUTHORIZED)
        await exporter.probe(url)
    assert re.fullmatch(
        rf'ts=\S+ level=warning msg="probe failed" target={re.escape(url)} module=default reason=auth '
        r'detail="the answer was 401: credentials are missing or wrong" seconds=[\d.]+\n',
        stream.getvalue(),
    )
