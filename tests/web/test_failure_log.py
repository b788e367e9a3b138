"""The log of what fails, through the server: a line when something changes, then one a minute."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from oxidized_exporter.config import Access, Config, Module
from oxidized_exporter.log import configure_logging
from oxidized_exporter.simulator import FAULTS, HELD, Daemon, Fault, ManualClock, create_app, fleet
from oxidized_exporter.targets.pattern import TargetPattern
from oxidized_exporter.web.failure_log import FailureLog
from oxidized_exporter.web.repetition import Repetition
from tests.harness import connecting, running, running_exporter
from tests.system.program import parse_logfmt

Said = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def said() -> Said:
    """Return the lines since the last look."""
    stream = io.StringIO()
    configure_logging("info", form="json", stream=stream)

    def said() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
        stream.seek(0)
        stream.truncate()
        assert all(line.pop("ts") for line in lines)
        return lines

    return said


async def test_a_target_that_goes_down_fails_otherwise_and_comes_back(said: Said) -> None:
    clock, app = ManualClock(), create_app(Daemon(fleet(3)))
    async with running_exporter(clock=clock) as exporter:
        async with running(app) as url:
            failed = {"level": "warning", "msg": "probe failed", "target": url, "module": "default", "seconds": 0.0}
            await exporter.probe(url)
            assert said() == []

            app[FAULTS].switch_on(Fault.UNAUTHORIZED)
            for _ in range(4):
                await exporter.probe(url)
                clock.advance(15)
            detail = "the answer was 401: credentials are missing or wrong"
            assert said() == [failed | {"reason": "auth", "detail": detail}]
            await exporter.probe(url)
            assert said() == [failed | {"reason": "auth", "detail": detail, "repeated": 3}]
            await exporter.probe(url)

            app[FAULTS].switch_on(Fault.NOT_JSON)
            await exporter.probe(url)
            [line] = said()
            assert line == failed | {"reason": "not_json", "detail": line["detail"], "before": "auth", "repeated": 1}

            app[FAULTS].switch_off()
            for _ in range(3):
                await exporter.probe(url)
            recovered = {"level": "info", "msg": "probe recovered", "target": url, "module": "default"}
            assert said() == [recovered | {"before": "not_json", "failures": 7, "failing_seconds": 60.0}]
        for _ in range(3):
            await exporter.probe(url)
        [line] = said()
        assert (line["msg"], line["reason"]) == ("probe failed", "connect")


async def test_collectors_and_modules_are_told_apart(said: Said) -> None:
    app = create_app(Daemon(fleet(3)))
    modules = {name: Module(name=name, collectors=("nodes", "stats")) for name in ("default", "other")}
    app[FAULTS].switch_on(Fault.HTML, path="/nodes/stats")
    async with running(app) as url, running_exporter(config=Config(modules=modules), clock=ManualClock()) as exporter:
        for _ in range(3):
            for module in modules:
                assert (await exporter.get(f"/probe?target={url}&module={module}")).status == 200
        lines = said()
        assert [(line["msg"], line["module"], line["collector"], line["reason"]) for line in lines] == [
            ("collector failed", "default", "stats", "schema"),
            ("collector failed", "other", "stats", "schema"),
        ]
        # While the target itself is down nobody knows how its collectors are.
        app[FAULTS].switch_on(Fault.UNAUTHORIZED)
        await exporter.probe(url)
        app[FAULTS].switch_off()
        await exporter.probe(url)
        lines = said()
    assert [(line["msg"], line["module"], line.get("before")) for line in lines] == [
        ("probe failed", "default", None),
        ("probe recovered", "default", "auth"),
        ("collector recovered", "default", "schema"),
    ]
    assert lines[-1] == {
        "level": "info",
        "msg": "collector recovered",
        "target": url,
        "module": "default",
        "collector": "stats",
        "before": "schema",
        "failures": 3,
        "failing_seconds": 0.0,
    }


async def test_a_collector_that_was_not_asked_for_has_not_recovered(said: Said) -> None:
    app = create_app(Daemon(fleet(3)))
    modules = {"default": Module(name="default", collectors=("nodes", "stats"))}
    app[FAULTS].switch_on(Fault.HTML, path="/nodes/stats")
    async with running(app) as url, running_exporter(config=Config(modules=modules), clock=ManualClock()) as exporter:
        await exporter.probe(url)
        assert len(said()) == 1
        assert (await exporter.get(f"/probe?target={url}&collect[]=nodes")).status == 200
        await exporter.probe(url)
        assert said() == []


async def test_of_several_targets_each_has_its_lines(said: Said) -> None:
    async with running(create_app(Daemon(fleet(1)))) as up, running_exporter(clock=ManualClock()) as exporter:
        for _ in range(3):
            await exporter.probe(up, "http://127.0.0.1:1", "http://127.0.0.1:2")
    assert [line["target"] for line in said()] == ["http://127.0.0.1:1", "http://127.0.0.1:2"]


async def test_a_client_who_names_forbidden_targets_has_six_lines_a_minute(said: Said) -> None:
    clock = ManualClock()
    config = replace(connecting(), access=Access(deny=(TargetPattern.parse("http://*.test"),)))
    async with running_exporter(config=config, clock=clock) as exporter:
        for number in (*range(5), *[4] * 5, *range(5, 100)):
            assert (await exporter.get(f"/probe?target=http://host{number}.test")).status == 403
        lines = said()
        assert [line["origin"] for line in lines] == [f"http://host{number}.test" for number in range(6)]
        assert [line.get("repeated") for line in lines] == [None, None, None, None, None, 5]
        assert all((line["msg"], line["client"]) == ("target refused", "127.0.0.1") for line in lines)
        clock.advance(60)
        assert (await exporter.get("/probe?target=http://host0.test")).status == 403
        [line] = said()
    assert (line["origin"], line["repeated"]) == ("http://host0.test", 94)


async def test_a_client_who_hangs_up_has_a_line_for_each_target_and_few_in_all(said: Said) -> None:
    app = create_app(Daemon(fleet(1)))
    app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS)
    async with running(app) as url, running_exporter(clock=ManualClock()) as exporter:
        for _ in range(3):
            hanging = asyncio.create_task(exporter.probe(url, "http://127.0.0.1:1", timeout_seconds=60))
            await app[HELD].count_is(1)
            hanging.cancel()
            await app[HELD].count_is(0)
    assert said() == [
        {
            "level": "warning",
            "msg": "probe abandoned: the caller hung up",
            "client": "127.0.0.1",
            "target": url,
            "module": "default",
            "targets": 2,
            "seconds": 60.0,
        }
    ]


async def test_a_client_who_speaks_no_http_has_one_line_a_minute(said: Said) -> None:
    clock = ManualClock()
    async with running_exporter(clock=clock) as exporter:
        for _ in range(4):
            reader, writer = await asyncio.open_connection("127.0.0.1", exporter.port)
            writer.write(b"s3cr3t\r\n\r\n")
            assert b" 400 " in await reader.readline()
            writer.close()
            clock.advance(20)
    first, second = said()
    assert (first["msg"], first["client"], first["status"]) == ("request not understood", "127.0.0.1", 400)
    assert second == first | {"repeated": 2}


@pytest.mark.parametrize("status,message", [(499, "request not understood"), (500, "answer broken off")])
def test_what_is_not_understood_is_told_from_what_is_not_answered(said: Said, status: int, message: str) -> None:
    FailureLog(Repetition(clock=ManualClock())).broken(client="127.0.0.1", status=status, error="ValueError")
    [line] = said()
    assert line == {"level": "info", "msg": message, "client": "127.0.0.1", "status": status, "error": "ValueError"}


async def test_a_line_is_logfmt_where_nothing_else_is_said() -> None:
    stream = io.StringIO()
    configure_logging("info", stream=stream)
    async with running_exporter(clock=(clock := ManualClock())) as exporter:
        for _ in range(3):
            await exporter.probe("http://127.0.0.1:1")
            clock.advance(30)
    first, second = map(parse_logfmt, stream.getvalue().splitlines())
    assert first["msg"] == second["msg"] == "probe failed"
    assert second["repeated"] == "1"
