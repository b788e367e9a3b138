"""The statistics: the page against the recordings, and what the daemon counts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from oxidized_exporter.simulator import (
    RELEASE_0_30,
    RELEASE_0_34,
    Daemon,
    Device,
    ManualClock,
    NodeStats,
    Outcome,
    create_app,
    fleet,
    stats_html,
)
from tests.simulator.recordings import RECORDINGS, Recording

if TYPE_CHECKING:
    from pytest_aiohttp.plugin import AiohttpClient

_ROW = re.compile(
    r"<td>(?P<name>[^<]+)</td>\n<td>(?P<runs>\d+)</td>\n<td>(?P<failures>\d+)</td>\n<td>[\d.]+%</td>\n"
    r"<td>(?P<average>[\d.]+)</td>\n.*?<td class=.time.[^>]*>(?P<update>[^<]*)</td>\n"
    r"<td class=.time.[^>]*>(?P<failure>[^<]*)</td>",
    re.DOTALL,
)
_TABLE = re.compile(r"<table.*</table>", re.DOTALL)


def _unix(shown: str) -> float | None:
    if shown in {"", "never"}:
        return None
    return datetime.strptime(shown, "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC).timestamp() + 0.9


def _table(page: bytes) -> str:
    match = _TABLE.search(page.decode())
    assert match is not None
    return match[0]


@pytest.mark.parametrize("recording", RECORDINGS, ids=str)
def test_recorded_statistics_are_spelled_to_the_byte_as_recorded(recording: Recording) -> None:
    recorded = recording.body("nodes_stats.html")
    stats = {
        row["name"]: NodeStats(
            runs=int(row["runs"]),
            failures=int(row["failures"]),
            average_seconds=float(row["average"]),
            last_success=_unix(row["update"]),
            last_no_connection=_unix(row["failure"]),
        )
        for row in _ROW.finditer(recorded.decode())
    }
    assert len(stats) == 8
    page = stats_html(stats, recording.release)
    assert _table(page) == recorded.decode()
    assert f"Oxidized-web v.{recording.release.web}, Oxidized v.{recording.release.oxidized}\n" in page.decode()


@pytest.mark.parametrize("recording", RECORDINGS, ids=str)
async def test_the_recorded_devices_give_the_recorded_table_but_for_times_and_order(
    recording: Recording, aiohttp_client: AiohttpClient
) -> None:
    clock = ManualClock()
    daemon = Daemon(recording.devices(), clock=clock, retries=0)
    clock.advance(60)
    client = await aiohttp_client(create_app(daemon, release=recording.release))
    for file in ("nodes_stats.html", "nodes_stats.json"):
        response = await client.get(recording.path(file))
        recorded = recording.answer(file)
        assert response.status == recorded["status"]
        for header in ("Content-Type", "X-Content-Type-Options"):
            assert response.headers[header] == recorded["headers"][header]
        if file.endswith(".json"):
            shown = re.findall(r'"([^"]+)":"#<Oxidized::Node::Stats:0x[0-9a-f]{16}>"', await response.text())
            of_real_one = re.findall(r'"([^"]+)":"#<Oxidized::Node::Stats:0x', recording.body(file).decode())
            assert sorted(shown) == sorted(of_real_one)
        else:
            rows = {_timeless(row) for row in _table(await response.read()).split("</tr>\n")}
            of_real_one_rows = {_timeless(row) for row in recording.body(file).decode().split("</tr>\n")}
            assert rows == of_real_one_rows


def _timeless(row: str) -> str:
    row = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME", row)
    return re.sub(r"<td>[\d.]+</td>", "<td>NUMBER</td>", re.sub(r"\d{10}", "EPOCH", row))


def test_every_attempt_counts_and_a_restart_forgets_it() -> None:
    clock = ManualClock(1_000_000.0)
    daemon = Daemon([Device(name="sw-01", outcome=Outcome.NO_CONNECTION)], clock=clock, retries=3, interval=100)
    clock.advance(20)
    failed = daemon.stats()["sw-01"]
    assert (failed.runs, failed.failures, failed.last_success) == (4, 4, None)
    assert failed.last_no_connection == 1_000_020
    daemon.set_outcome("sw-01", Outcome.SUCCESS)
    clock.advance(105)
    recovered = daemon.stats()["sw-01"]
    assert (recovered.runs, recovered.failures) == (5, 4)
    assert (recovered.last_success, recovered.last_no_connection) == (1_000_125, 1_000_020)
    assert recovered.shown_status == "success"
    daemon.restart()
    assert daemon.stats()["sw-01"] == NodeStats(
        runs=0, failures=0, average_seconds=0.0, last_success=None, last_no_connection=None
    )


@pytest.mark.parametrize("outcome", [Outcome.TIMELIMIT, Outcome.FAIL, "custom"])
def test_other_failures_count_but_leave_no_time(outcome: str) -> None:
    clock = ManualClock()
    daemon = Daemon([Device(name="sw-01", outcome=outcome)], clock=clock, retries=0)
    clock.advance(5)
    stats = daemon.stats()["sw-01"]
    assert (stats.runs, stats.failures, stats.last_no_connection) == (1, 1, None)
    assert stats.shown_status == "no_connection"
    assert '<td class="time" epoch="0">never</td>\n<td class="time" epoch="0"></td>'.replace('"', "'") in (
        stats_html({"sw-01": stats}, RELEASE_0_34).decode()
    )


def test_the_average_divides_the_last_eleven_by_all() -> None:
    clock = ManualClock(0.0)
    daemon = Daemon([Device(name="sw-01", job_seconds=4.0)], clock=clock, interval=1)
    clock.advance(4 + 21 * 5)
    stats = daemon.stats()["sw-01"]
    assert (stats.runs, stats.average_seconds) == (22, 11 * 4 / 22)


def test_one_row_stands_for_all_of_a_name() -> None:
    clock = ManualClock()
    devices = [Device(name="dup", group="a"), Device(name="x"), Device(name="dup", group="b", outcome=Outcome.FAIL)]
    daemon = Daemon(devices, clock=clock, retries=0)
    clock.advance(5)
    stats = daemon.stats()
    assert list(stats) == ["dup", "x"]
    assert stats["dup"].failures == 1, "the last one in the queue"


def test_a_device_that_has_not_run_has_no_rate() -> None:
    page = stats_html(Daemon([Device(name="sw-01")], clock=ManualClock()).stats(), RELEASE_0_30).decode()
    assert "<tr class=''>\n<td>sw-01</td>\n<td>0</td>\n<td>0</td>\n<td>NaN%</td>\n<td>0.00</td>\n" in page


def test_a_page_of_10_000_devices_is_about_as_large_as_a_real_one() -> None:
    clock = ManualClock()
    daemon = Daemon(fleet(10_000, failing=0.1), clock=clock, threads=1000)
    clock.advance(3600)
    assert 2_700_000 < len(stats_html(daemon.stats(), RELEASE_0_34)) < 3_100_000


@pytest.mark.parametrize("success, failure, status", [(1.0, 2.0, "no_connection"), (2.0, 1.0, "success")])
def test_the_later_of_two_times_gives_the_status(success: float, failure: float, status: str) -> None:
    for last_no_connection, shown in ((failure, status), (success, "no_connection")):
        stats = NodeStats(
            runs=2, failures=1, average_seconds=1.0, last_success=success, last_no_connection=last_no_connection
        )
        assert stats.shown_status == shown
