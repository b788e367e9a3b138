"""What `status` makes of a scrape: the table and the JSON."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from oxidized_exporter.commands.status_json import document
from oxidized_exporter.commands.status_table import print_status
from oxidized_exporter.scrape.snapshot import CollectorRun, Failure, Snapshot, TargetScrape
from oxidized_exporter.targets.url import parse_target
from tests.commands.test_condition import FAILED, NEVER, NOW, OLD, RECENT
from tests.metrics.test_collector import device, failed, scraped, with_all_collectors

DAY = 86400.0
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def printed(*scrapes: TargetScrape, out: io.StringIO | None = None) -> str:
    out = out or io.StringIO()
    print_status(Snapshot(scrapes=scrapes), out=out, now=NOW, max_age=2 * DAY)
    return out.getvalue()


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith("─")]


def four_devices() -> TargetScrape:
    return scraped(
        device(full_name="a/fine", name="fine", group="a", end=RECENT),
        device(full_name="b/fine", name="fine", group="b", end=RECENT),
        device(full_name="b/stale", name="stale", group="b", end=OLD),
        device(full_name="b/failing", name="failing", group="b", **FAILED | {"end": RECENT}),
    )


def test_groups_and_devices_in_trouble_come_first() -> None:
    assert lines(printed(four_devices())) == [
        "http://a:1: 4 devices: 1 failing, 1 stale, 0 never, 0 waiting, 2 ok",
        "3 rows of the list could not be read",
        "Group and device  Model  Condition               Last success  Last job",
        "b",
        "  failing         IOS    failing: no_connection  -             1d",
        "  stale           IOS    stale                   3d            3d",
        "  fine            IOS    ok                      1d            1d",
        "a",
        "  fine            IOS    ok                      1d            1d",
    ]


def test_what_is_known_of_configurations_stands_beside() -> None:
    one = scraped(device(end=RECENT))
    text = lines(printed(with_all_collectors(one)))
    assert text[2] == "3 configurations were not had in time"
    assert text[3].endswith("Bytes  Lines  Failed checks")
    assert re.fullmatch(r" +sw1 +IOS +ok +1d +1d +5000 +120  telnet", text[5])
    without = replace(with_all_collectors(one).configs, size=[None], lines=[None], checks={}, pending=0)  # type: ignore[type-var] # it has configs
    text = lines(printed(replace(with_all_collectors(one), configs=without)))
    assert text[2].endswith("Bytes  Lines")
    assert re.fullmatch(r" +sw1 +IOS +ok +1d +1d +- +-", text[4])


def test_one_that_is_down_does_not_hide_the_others() -> None:
    text = printed(failed(), four_devices(), failed("http://c:1"))
    assert text.startswith("http://b:1 does not answer: timeout: …\n\nhttp://a:1: 4 devices")
    assert text.endswith("\n\nhttp://c:1 does not answer: timeout: …\n")


def test_a_named_target_is_told_with_its_url_and_an_empty_one_without_a_table() -> None:
    named = replace(scraped(), target=replace(parse_target("http://[::1]:8888"), label="eu-west"))
    assert lines(printed(named))[0] == (
        "eu-west (http://[::1]:8888): 0 devices: 0 failing, 0 stale, 0 never, 0 waiting, 0 ok"
    )
    assert len(lines(printed(named))) == 2


def test_a_collector_that_failed_is_named() -> None:
    run = CollectorRun(name="stats", success=False, duration=0.1, failure=Failure(reason="auth", detail="401\x1b[2J"))
    text = printed(replace(four_devices(), collectors=(run,)))
    assert "collector stats: auth: 401\\x1b[2J" in text


HOSTILE = "[red]x[/red]\x1b[2J\r\n\u202e\x9b31m[link=http://x]:smile:"
HARMLESS = r"[red]x[/red]\x1b[2J\r\n\u202e\x9b31m[link=http://x]:smile:"


@pytest.mark.parametrize("terminal", [True, False])
def test_what_oxidized_says_drives_neither_terminal_nor_markup(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    hostile = device(name=HOSTILE, group=HOSTILE, model=HOSTILE, **FAILED | {"status": HOSTILE[:20]})
    text = printed(scraped(hostile), out=Terminal() if terminal else None)
    assert ("\x1b[31m" in text) is terminal
    plain = _ESCAPE.sub("", text)
    assert all(line.isprintable() for line in plain.splitlines())
    assert plain.count(HARMLESS) == 3
    assert "failing: [red]x[/red]\\x1b[2J" in plain


def test_one_long_name_does_not_widen_the_table_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = printed(scraped(device(name="n" * 500, model="m" * 500), device(name="sw2")))
    assert "n" * 70 in text
    assert max(map(len, text.splitlines())) < 300


def test_on_a_narrow_terminal_nothing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    text = _ESCAPE.sub("", printed(with_all_collectors(scraped(device(end=RECENT))), out=Terminal()))
    assert text.splitlines()[-1].split() == ["sw1", "IOS", "ok", "1d", "1d", "5000", "120", "telnet"]


def test_no_color_is_honoured_and_colour_is_not_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", printed(four_devices(), out=Terminal()))
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in printed(four_devices())


def test_json_says_all_of_it() -> None:
    scrape = with_all_collectors(scraped(device(end=RECENT)))
    found = document(Snapshot(scrapes=(scrape, failed())), module="audit", now=NOW, max_age=2 * DAY)
    assert json.loads(json.dumps(found, allow_nan=False)) == {
        "time": int(NOW),
        "module": "audit",
        "max_age_seconds": 2 * DAY,
        "targets": [
            {
                "target": "http://a:1",
                "url": "http://a:1",
                "answered": True,
                "failure": None,
                "duration_seconds": 0.25,
                "collectors": [
                    {"name": "nodes", "success": True, "duration_seconds": 0.2, "failure": None},
                    {"name": "configs", "success": False, "duration_seconds": 0.3, "failure": None},
                    {"name": "stats", "success": True, "duration_seconds": 0.4, "failure": None},
                ],
                "unreadable_rows": 3,
                "counts": {"failing": 0, "stale": 0, "never": 0, "waiting": 0, "ok": 1},
                "configurations_pending": 3,
                "devices": [
                    {
                        "full_name": "access/sw1",
                        "name": "sw1",
                        "group": "access",
                        "model": "IOS",
                        "ip": "10.0.0.1",
                        "condition": "ok",
                        "status": "success",
                        "last_success": RECENT,
                        "last_job_start": 100.0,
                        "last_job_end": RECENT,
                        "last_job_seconds": 2.5,
                        "configuration_changed": 50.0,
                        "configuration": {"bytes": 5000, "lines": 120, "checks": {"ntp": True, "telnet": False}},
                        "jobs": 9,
                        "failed_jobs": 2,
                    }
                ],
            },
            {
                "target": "http://b:1",
                "url": "http://b:1",
                "answered": False,
                "failure": {"reason": "timeout", "detail": "…"},
                "duration_seconds": 1.5,
                "collectors": [{"name": "nodes", "success": False, "duration_seconds": 1.5, "failure": None}],
                "unreadable_rows": None,
                "counts": None,
                "configurations_pending": None,
                "devices": None,
            },
        ],
    }


def test_json_has_the_same_keys_whatever_is_known() -> None:
    def keys(scrape: TargetScrape) -> tuple[Any, ...]:
        found = document(Snapshot(scrapes=(scrape,)), module="default", now=NOW, max_age=DAY)
        [target] = found["targets"]
        return tuple(found), tuple(target), tuple(target["devices"][0])

    assert keys(scraped(device(**NEVER))) == keys(with_all_collectors(scraped(device(end=OLD))))
