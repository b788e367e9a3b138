"""The soak runs, notices what nobody planned, and says what was found; docs/reliability.md shows such tables."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

import pytest

from tests.marked import shown
from tests.measured import percentile
from tests.soak.__main__ import DOCS, PAGE, PART, report
from tests.soak.answer import Answer, Nodes, Truth, read
from tests.soak.figures import as_csv, bars, rows, tables
from tests.soak.judge import Outcome, Probe, judge
from tests.soak.plan import Death, Expected, Outage, Setup, dead_at, expected, offset_of, outages
from tests.soak.rough import Manner
from tests.soak.run import Left, Reading, Run, run
from tests.soak.taken import Taken

_OUTAGE: Final = Outage(instance=0, death=Death.BAD_GATEWAY, begin=100, end=200)
_SETUP: Final = Setup(devices=5)
_NODES: Final = Nodes(by_status={"success": 4, "never": 1}, newest=1_795_335_968)
_TRUTH: Final = Truth(nodes=(Nodes(by_status={"success": 5}, newest=1), _NODES), jobs=(30, 31), config_bytes=5000)
_UP: Final = Answer(
    whole=True,
    up=True,
    collectors={"nodes": True, "configs": True, "stats": True},
    rows=5,
    nodes=_NODES,
    jobs=31,
    config_bytes=5000,
)
_DOWN: Final = Answer(whole=True, up=False, reason="http_status")
_EXPOSITION: Final = b"""\
# HELP oxidized_status 1: Oxidized answered.
# TYPE oxidized_status gauge
oxidized_status 1.0
# TYPE oxidized_collector_success gauge
oxidized_collector_success{collector="nodes"} 1.0
oxidized_collector_success{collector="configs"} 0.0
# TYPE oxidized_devices gauge
oxidized_devices{status="success"} 2.0
oxidized_devices{status="fail"} 0.0
oxidized_newest_job_timestamp_seconds 1.795335968e+09
# TYPE oxidized_device_info gauge
oxidized_device_info{full_name="a",ip="192.0.2.1"} 1.0
oxidized_device_info{full_name="b 1.0",ip="192.0.2.2"} 1.0
# TYPE oxidized_device_config_size gauge
oxidized_device_config_size{full_name="a"} 1200.0
oxidized_device_config_size{full_name="b 1.0"} 34.0
oxidized_configs_pending 3.0
# TYPE oxidized_device_backups counter
oxidized_device_backups_total{full_name="a"} 7.0
oxidized_device_backups_total{full_name="b 1.0"} 8.0
# EOF
"""


def test_deaths_are_a_function_of_the_seed() -> None:
    made = outages(instances=200, seconds=3600, seed=7)
    assert made == outages(instances=200, seconds=3600, seed=7)
    assert made != outages(instances=200, seconds=3600, seed=8)
    assert [outage for outage in made if outage.instance < 50] == list(outages(instances=50, seconds=3600, seed=7))
    assert {outage.death for outage in made} == set(Death)
    for before, after in pairwise(made):
        assert 30 <= before.end - before.begin <= 120
        assert before.instance < after.instance or before.end + 30 <= after.begin
    assert 2 <= dead_at(made, 1800) <= 20


@pytest.mark.parametrize(
    "begin, end, should",
    [
        (90, 99.9, Expected.UP),
        (90, 100, Expected.CHANGING),
        (100, 101, Expected.CHANGING),
        (102, 103, Expected.CHANGING),
        (102.1, 199.9, Expected.DOWN),
        (195, 200, Expected.CHANGING),
        (202, 203, Expected.CHANGING),
        (202.1, 203, Expected.UP),
    ],
)
def test_a_probe_near_a_change_may_find_either(begin: float, end: float, should: Expected) -> None:
    found, outage = expected([_OUTAGE], begin=begin, end=end, grace=2)
    assert found is should
    assert (outage is None) is (should is Expected.UP)


def test_scrapes_are_spread_over_the_interval() -> None:
    offsets = [offset_of(number, interval=15) for number in range(200)]
    assert [sum(5 * third <= offset < 5 * third + 5 for offset in offsets) for third in range(3)] == [55, 71, 74]


def test_an_answer_is_read() -> None:
    assert read(_EXPOSITION) == Answer(
        whole=True,
        up=True,
        collectors={"nodes": True, "configs": False},
        rows=2,
        nodes=Nodes(by_status={"success": 2}, newest=1_795_335_968),
        jobs=15,
        config_bytes=1234,
        pending=3,
    )
    failed = b'oxidized_up 1\noxidized_status 0.0\noxidized_probe_failure_info{reason="connect"} 1.0\n'
    assert read(failed) == Answer(whole=False, up=False, reason="connect")
    assert read(b"") == Answer(whole=False, up=None)


def _faults(answer: Answer | None = _UP, *, begin: float = 80, **probe: Any) -> tuple[str, ...]:
    made = {"end": begin + 1, "status": 200} | probe
    truth = _TRUTH if answer is not None and answer.up else None
    return judge(
        Probe(instance=0, begin=begin, answer=answer, **made), planned=[_OUTAGE], truth=truth, setup=_SETUP
    ).faults


@pytest.mark.parametrize("begin", [80, 250])
def test_an_instance_that_is_alive_must_be_up_and_all_of_its_sums_true(begin: float) -> None:
    assert _faults(begin=begin) == ()
    assert _faults(_DOWN, begin=begin) == ("it is down (http_status), and should be up",)
    for changed, fault in (
        ({"whole": False}, "the answer was cut off"),
        ({"rows": 4}, "4 devices have series, and 5 should"),
        ({"nodes": replace(_NODES, newest=2)}, "of the devices it says"),
        ({"nodes": replace(_NODES, by_status={"success": 4})}, "of the devices it says"),
        ({"jobs": 29}, "it says 29 jobs, the instance said (30, 31)"),
        ({"config_bytes": 4999}, "it says 4999 bytes and 0 pending of 5000 bytes"),
        ({"pending": 1}, "it says 5000 bytes and 1 pending of 5000 bytes"),
        ({"collectors": {"nodes": True, "configs": True}}, "the collector stats failed"),
        ({"collectors": {"nodes": True, "stats": True}}, "the collector configs failed"),
    ):
        (found,) = _faults(replace(_UP, **changed), begin=begin)
        assert found.startswith(fault)


def test_configurations_may_take_longer_in_the_first_minute_and_nothing_else_may() -> None:
    assert _faults(replace(_UP, collectors={"nodes": True, "stats": True}), begin=30) == ()
    assert _faults(replace(_UP, collectors={"nodes": True, "configs": True}), begin=30) != ()


def test_a_dead_instance_must_be_told_dead_of_what_it_died_of() -> None:
    assert _faults(_DOWN, begin=150) == ()
    assert _faults(replace(_DOWN, reason="timeout"), begin=150) == (
        "it is down for timeout, and should be for http_status",
    )
    assert _faults(begin=150) == ("it is up, and should be down",)


def test_while_an_instance_changes_a_part_is_right_and_nothing_wrong() -> None:
    for begin in (100, 199.5):
        assert _faults(begin=begin) == _faults(_DOWN, begin=begin) == ()
        assert _faults(replace(_UP, collectors={"nodes": True}), begin=begin) == ()
        assert _faults(replace(_UP, rows=4), begin=begin) == ("4 devices have series, and 5 should",)


@pytest.mark.parametrize("begin", [80, 100, 150])
def test_every_probe_must_be_answered_in_time(begin: float) -> None:
    assert _faults(None, begin=begin, status=None, error="TimeoutError()") == ("no answer: TimeoutError()",)
    assert _faults(None, begin=begin, status=503) == ("the answer was 503",)
    assert "it took longer than its time-out" in _faults(_DOWN, begin=begin, end=begin + 10.1)


async def test_what_nobody_planned_is_found() -> None:
    setup = Setup(
        instances=4, devices=5, seconds=1, interval=0.25, timeout=5, minute=0.3, sampled=0.1, rough=0.05, grace=1
    )
    planned = [
        Outage(instance=1, death=Death.REFUSED, begin=-9, end=60),
        Outage(instance=2, death=Death.RESTART, begin=-9, end=-8),
    ]
    unplanned = [Outage(instance=3, death=Death.RESET, begin=-9, end=60)]
    done = await run(setup, planned=planned, unplanned=unplanned)
    found = Counter((outcome.instance, outcome.expected, outcome.faults) for outcome in done.outcomes)
    assert found == {
        (0, Expected.UP, ()): 4,
        (1, Expected.DOWN, ()): 4,
        (2, Expected.UP, ()): 4,
        (3, Expected.UP, ("it is down (connect), and should be up",)): 4,
    }
    assert set(done.rough) == set(Manner)
    assert done.left == Left(descriptors=0, in_flight=0, rejected=0, error_lines=0)
    assert sum(each.probes for each in rows(done)) == 16
    assert bars(done)[0].measured == 4


_TAKEN: Final = Taken(processor=1, rss=100, pss=90, descriptors=200, threads=7)


def _outcome(second: float, taken: float, should: Expected, death: Death | None = None, *faults: str) -> Outcome:
    return Outcome(instance=0, second=second, taken=taken, expected=should, death=death, faults=faults)


_MADE_UP: Final = Run(
    setup=Setup(instances=2, devices=5, seconds=180, interval=30, sampled=30),
    planned=(replace(_OUTAGE, end=115), Outage(instance=1, death=Death.RESTART, begin=130, end=170)),
    outcomes=(
        _outcome(1, 0.5, Expected.UP),
        *(_outcome(70 + number / 10, 0.01 * number, Expected.UP) for number in range(1, 101)),
        _outcome(101, 0.2, Expected.CHANGING, Death.BAD_GATEWAY),
        _outcome(110, 0.3, Expected.DOWN, Death.BAD_GATEWAY),
        _outcome(140, 0.4, Expected.DOWN, Death.RESTART),
        _outcome(150, 0.6, Expected.DOWN, Death.RESTART),
    ),
    readings=tuple(
        Reading(second=second, taken=replace(_TAKEN, processor=1 + second / 100, rss=rss, descriptors=descriptors))
        for second, rss, descriptors in (
            (0, 60, 11),
            (30, 90, 300),
            (60, 100, 201),
            (90, 102, 205),
            (120, 103, 203),
            (150.04, 104, 210),
            (180, 105, 206),
            (183, 99, 100),
        )
    ),
    rough={Manner.LEAVES: 2, Manner.READS_SLOWLY: 1},
    left=Left(descriptors=0, in_flight=0, rejected=0, error_lines=0),
)
_TABLES: Final = """\
| probes | count | 50 % | 90 % | 99 % | longest |
| --- | ---: | ---: | ---: | ---: | ---: |
| of instances that are alive | 100 | 500 ms | 900 ms | 990 ms | 1,000 ms |
| the same in the first minute, which has to ask for every configuration | 1 | 500 ms | 500 ms | 500 ms | 500 ms |
| while an instance dies or returns | 1 | 200 ms | 200 ms | 200 ms | 200 ms |
| of dead ones: connections refused | 2 | 400 ms | 600 ms | 600 ms | 600 ms |
| of dead ones: hanging | 0 |  |  |  |  |
| of dead ones: 502 of a proxy | 1 | 300 ms | 300 ms | 300 ms | 300 ms |
| of dead ones: connections reset | 0 |  |  |  |  |

| the exporter's process | before the first probe | second minute | last minute |
| --- | ---: | ---: | ---: |
| processor |  | 0.010 cores | 0.010 cores |
| resident memory | 60.0 MiB | 101.0 MiB | 104.0 MiB |
| its share of that (PSS) | 90.0 MiB | 90.0 MiB | 90.0 MiB |
| descriptors | 11 | 201 to 205 | 203 to 210 |
| threads | 7 | 7 to 7 | 7 to 7 |

| what | bar | measured |  |
| --- | ---: | ---: | --- |
| probes that came out otherwise than planned | 0 | 0 | met |
| resident memory of the last minute against the second (101.0 MiB), means | ≤ 1.05× | 1.030× | met |
| descriptors, the fewest of the last minute: more than the fewest of the second (201) | ≤ 5 | 2 | met |
| the same, the most (205) | ≤ 20 | 5 | met |
| threads, the most of the last minute: more than the most of the second (7) | 0 | 0 | met |
| descriptors when all clients have gone: more than before the first probe | 0 | 0 | met |
| probes in flight then | 0 | 0 | met |
| probes refused for want of room | 0 | 0 | met |
| lines of the log at level error | 0 | 0 | met |"""
_CSV: Final = """\
second,probes,unexpected,dead,p50_ms,p90_ms,p99_ms,max_ms,processor_cores,rss_mib,pss_mib,descriptors,threads
30,1,0,0,500.0,500.0,500.0,500.0,0.01,90,90,300,7
60,0,0,0,,,,,0.01,100,90,201,7
90,100,0,0,500.0,900.0,990.0,1000.0,0.01,102,90,205,7
120,2,0,0,,,,,0.01,103,90,203,7
150.0,2,0,1,,,,,0.01,104,90,210,7
180,0,0,0,,,,,0.01,105,90,206,7
183,0,0,0,,,,,0.01,99,90,100,7
"""


def test_the_tables_say_what_was_found() -> None:
    said, told = tables(_MADE_UP).split("\n\n", 1)
    assert said.startswith(
        "3 minutes, 2 instances × 5 devices, a scrape of each every 30 s, 2 deaths. Beside it 3 clients that behave "
        "badly: 2 hang up before the answer, 1 read slowly. Python 3."
    )
    assert told == _TABLES
    assert as_csv(rows(_MADE_UP)) == _CSV


def test_percentiles_are_values_that_were_measured() -> None:
    assert [percentile([3.0, 1.0, 2.0], share) for share in (0.01, 0.5, 0.99, 1)] == [1, 2, 3, 3]


def _worse(**taken: float) -> Run:
    """Return the run with a last minute that takes so much more."""
    *earlier, last, end = _MADE_UP.readings
    more = {name: getattr(last.taken, name) + value for name, value in taken.items()}
    return replace(_MADE_UP, readings=(*earlier, replace(last, taken=replace(last.taken, **more)), end))


@pytest.mark.parametrize(
    "done, missed",
    [
        (replace(_MADE_UP, outcomes=[_outcome(90, 1, Expected.UP, None, "it is down")]), [0]),
        (_worse(rss=5.2), []),
        (_worse(rss=6.2), [1]),
        (_worse(descriptors=19), []),
        (_worse(descriptors=20), [3]),
        (_worse(threads=1), [4]),
        (replace(_MADE_UP, left=replace(_MADE_UP.left, descriptors=1)), [5]),
        (replace(_MADE_UP, left=replace(_MADE_UP.left, in_flight=1)), [6]),
        (replace(_MADE_UP, left=replace(_MADE_UP.left, rejected=1)), [7]),
        (replace(_MADE_UP, left=replace(_MADE_UP.left, error_lines=1)), [8]),
    ],
)
def test_a_missed_bar_is_named_and_fails(done: Run, missed: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    assert [number for number, bar in enumerate(bars(done)) if not bar.met] == missed
    assert report(done, docs=None) == (1 if missed else 0)
    assert capsys.readouterr().out.count("**missed**") == len(missed)


def test_descriptors_that_are_never_given_back_are_noticed() -> None:
    readings = [
        replace(each, taken=replace(each.taken, descriptors=int(each.taken.descriptors + each.second / 10)))
        for each in _MADE_UP.readings
    ]
    assert not bars(replace(_MADE_UP, readings=readings))[2].met


def test_the_page_shows_such_tables_all_bars_met_and_the_picture_of_these_rows() -> None:
    part = shown(PAGE, part=PART)
    assert _shape(part) == _shape(tables(_MADE_UP))
    assert "missed" not in part
    text = (DOCS / "soak.csv").read_text()
    assert text.splitlines()[0] == _CSV.splitlines()[0]
    assert hashlib.sha256(text.encode()).hexdigest().encode() in (DOCS / "soak.png").read_bytes(), "run `make soak`"
    assert re.search(r"!\[[^\]]{20,}\]\(soak\.png\)", PAGE.read_text())


def _shape(part: str) -> list[str]:
    """Return the first cells of tables, without figures."""
    return [re.sub(r" \([\d.]+( MiB)?\)", "", line).split("|")[1] for line in part.splitlines() if line[:1] == "|"]
