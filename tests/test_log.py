from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from aiohttp import web

from oxidized_exporter.log import FORMATS, LEVELS, configure_logging, log_of_loop, log_the_uncaught
from oxidized_exporter.simulator import FAULTS, Daemon, Fault, create_app, fleet
from tests.harness import running, running_exporter
from tests.system.program import parse_logfmt

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def test_a_line(stream: io.StringIO) -> None:
    configure_logging("info", stream=stream)
    structlog.stdlib.get_logger("x").info("it runs", port=10888, ok=True, nothing=None)
    assert re.fullmatch(
        r'ts=\d{4}-\d\d-\d\dT[\d:.]+Z level=info msg="it runs" port=10888 ok=true nothing=\n', stream.getvalue()
    )


def read(form: str, line: str) -> dict[str, Any]:
    """Read a line: all of it is JSON, or logfmt."""

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    return dict(json.loads(line, parse_constant=refuse)) if form == "json" else parse_logfmt(line)


def test_a_line_of_json(stream: io.StringIO) -> None:
    configure_logging("info", form="json", stream=stream)
    structlog.stdlib.get_logger("x").info("it runs", port=10888, ok=True, nothing=None, seconds=0.5)
    assert re.fullmatch(
        r'\{"ts": "\d{4}-\d\d-\d\dT[\d:.]+Z", "level": "info", "msg": "it runs", "port": 10888, "ok": true, '
        r'"nothing": null, "seconds": 0\.5\}\n',
        stream.getvalue(),
    )


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "text", ["a\nlevel=error", '"}\n{"level": "error"', "\x1b[31mred", "\r", "\x00", "\u2028", "\u202eevil", "\ud800"]
)
def test_no_text_from_outside_makes_a_line_or_drives_a_terminal(stream: io.StringIO, text: str, form: str) -> None:
    configure_logging("info", form=form, stream=stream)
    structlog.stdlib.get_logger("x").info("said", text=text, **{f"a key\n{text}": "x"})
    logging.getLogger("aiohttp.server").error("said %s", text, extra={f"of {text}": [text], "held": Shown(text)})
    written = stream.getvalue()
    assert written.count("\n") == 2
    assert written.replace("\n", "").isprintable()
    for line in written.splitlines():
        said = read(form, line)
        assert said["msg"].startswith("said")
        assert len(said) == 5
        for value in said.values():
            assert "\n" not in value
            assert value.isprintable()


class Shown:
    """What is text only once somebody asks."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1e400, 10**30, 0.1])
def test_every_number_is_valid_json(stream: io.StringIO, number: float) -> None:
    configure_logging("info", form="json", stream=stream)
    structlog.stdlib.get_logger("x").info("said", number=number)
    assert float(read("json", stream.getvalue())["number"]) == pytest.approx(number, nan_ok=True)


def test_both_formats_say_the_same_in_the_same_order() -> None:
    said: dict[str, list[tuple[str, str]]] = {}
    for form in FORMATS:
        configure_logging("info", form=form, stream=(stream := io.StringIO()))
        structlog.stdlib.get_logger("x").warning("said", reason="dns", detail='a "b" \\ c\n', count=3, ok=False)
        logging.getLogger("aiohttp.server").error("said", extra={"client": "::1"})
        said[form] = [
            (key, str(value).lower())
            for line in stream.getvalue().splitlines()
            for key, value in read(form, line).items()
            if key != "ts"
        ]
    assert said["json"] == said["logfmt"]
    assert [key for key, _ in said["json"]] == [
        "level",
        "msg",
        "reason",
        "detail",
        "count",
        "ok",
        "level",
        "msg",
        "client",
    ]


def test_loggers_of_libraries_are_logfmt_too(stream: io.StringIO) -> None:
    configure_logging("warning", stream=stream)
    logging.getLogger("asyncio").warning("%s took long", "it")
    logging.getLogger("asyncio").info("not this")
    assert re.fullmatch(r'ts=\S+ level=warning msg="it took long"\n', stream.getvalue())


@pytest.mark.parametrize("form", FORMATS)
def test_of_an_exception_its_place_is_logged_and_not_its_message(stream: io.StringIO, form: str) -> None:
    configure_logging("info", form=form, stream=stream)
    try:
        int("s3cr3t")
    except ValueError:
        logging.getLogger("aiohttp.server").exception("it failed")
        structlog.stdlib.get_logger("x").exception("it failed")
    lines = [read(form, line) for line in stream.getvalue().splitlines()]
    assert len(lines) == 2
    for line in lines:
        assert line["level"] == "error"
        assert line["exception"].startswith("ValueError < ")
        assert "test_log.py" in line["exception"]
    assert "s3cr3t" not in stream.getvalue()


@pytest.mark.parametrize("form", FORMATS)
def test_what_cannot_be_logged_is_told_without_what_it_was(
    stream: io.StringIO, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("info", form=form, stream=stream)
    logging.getLogger("aiohttp.server").error("said %d", "s3cr3t")
    [said] = stream.getvalue().splitlines()
    line = read(form, said)
    assert (line["level"], line["msg"]) == ("error", "bug: a line of the log could not be written")
    assert line["logger"] == "aiohttp.server"
    assert line["error"].startswith("TypeError < ")
    assert "s3cr3t" not in stream.getvalue()
    assert capsys.readouterr() == ("", "")


def test_a_stream_that_is_gone_ends_nothing(stream: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", stream=stream)
    stream.close()
    structlog.stdlib.get_logger("x").info("said")
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def _hooks_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module, hook in ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")):
        monkeypatch.setattr(module, hook, getattr(module, hook))
    yield
    logging.captureWarnings(capture=False)


@pytest.mark.usefixtures("_hooks_as_before")
def test_ctrl_c_is_no_bug_and_what_else_ends_the_main_thread_is(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("info", stream=stream)
    log_the_uncaught()
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert stream.getvalue() == ""
    assert capsys.readouterr().err.strip() == "KeyboardInterrupt"
    sys.excepthook(ValueError, ValueError("s3cr3t"), None)
    [said] = stream.getvalue().splitlines()
    line = parse_logfmt(said)
    assert line["msg"] == "bug: unexpected exception in the main thread, which ends"
    assert line["error"].startswith("ValueError")
    assert "s3cr3t" not in stream.getvalue() + capsys.readouterr().err


async def test_what_a_loop_reports_has_no_message_of_an_exception(stream: io.StringIO) -> None:
    """asyncio itself would add the task, with its exception, and the arguments of a callback."""
    configure_logging("info", form="json", stream=stream)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log_of_loop)
    told = asyncio.Event()

    def failing(_secret: str) -> None:
        told.set()
        raise ValueError("s3cr3t")

    async def failing_task() -> None:
        failing("s3cr3t")

    loop.call_soon(failing, "s3cr3t")
    await told.wait()
    task = asyncio.create_task(failing_task())
    await asyncio.wait({task})
    del task
    callback, of_task = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert callback["level"] == of_task["level"] == "error"
    assert callback["msg"].startswith("Exception in callback ")
    assert "failing" in callback["msg"]
    assert of_task["msg"] == "Task exception was never retrieved"
    assert of_task["task"].endswith("failing_task")
    assert callback["error"].startswith("ValueError < ")
    assert of_task["error"].startswith("ValueError < ")
    assert "s3cr3t" not in stream.getvalue()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("level", LEVELS)
async def test_secrets_of_nodes_appear_at_no_level_in_no_answer(stream: io.StringIO, level: str, form: str) -> None:
    """Bodies that hold the recordings' secret: a good one, and every way of spoiling it."""
    configure_logging(level, form=form, stream=stream)
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
        assert "not_json" in {read(form, line)["reason"] for line in stream.getvalue().splitlines()}


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
