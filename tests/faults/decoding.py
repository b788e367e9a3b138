"""The faults of a whole answer where it is decoded, or its configuration counted and checked."""

from __future__ import annotations

from typing import Final

from oxidized_exporter.simulator import Fault as Simulated
from tests.faults.bodies import always, half, odd_rows, odd_rows_of_stats, with_instead
from tests.faults.cells import ANSWERED, Fault, Kind, Nothing, Stage
from tests.faults.oxidized import ONE
from tests.faults.ways import changed, simulated

_MEBIBYTE: Final = 1024 * 1024
_MILLION: Final = 1_000_000
_DEPTH: Final = 100_000
_OTHERS: Final = 2
_ALL: Final = 3


FAULTS: Final = (
    Fault(
        stage=Stage.DECODE,
        kind=Kind.ABSENT,
        what="null",
        way=changed(always(b"null")),
        says={"nodes": "schema"},
    ),
    Fault(
        stage=Stage.DECODE,
        kind=Kind.ABSENT,
        what="a page without the table",
        way=changed(always(b"<html><body>No statistics yet</body></html>")),
        says={"stats": "schema"},
    ),
    Fault(
        stage=Stage.DECODE,
        kind=Kind.ABSENT,
        what="the text that says that there is none",
        way=changed(always(b"node not found\n")),
        says={"configs": ANSWERED},
        same=False,
        series={"oxidized_device_config_size": 0},
    ),
    Fault(
        stage=Stage.DECODE,
        kind=Kind.SLOW,
        what="99,000 rows, to be read one by one, take longer than the deadline",
        way=changed(odd_rows),
        says={"nodes": "timeout"},
        stalls=True,
        heavy=True,
    ),
    Fault(
        stage=Stage.DECODE,
        kind=Kind.SLOW,
        what="the checks of a configuration of 16 MiB take longer than the deadline",
        way=changed(always(b"a" * 16 * _MEBIBYTE), path=ONE),
        says={"configs": "timeout"},
        stalls=True,
        heavy=True,
        others=("nodes",),  # the third may be cut off as well: both want the processor
        module="checked",
    ),
    Fault(
        stage=Stage.DECODE,
        kind=Kind.SLOW,
        what="99,000 rows take longer than the deadline",
        way=changed(odd_rows_of_stats),
        says={"stats": "timeout"},
        stalls=True,
        heavy=True,
        others=("nodes",),  # the third may be cut off as well: both want the processor
    ),
    Fault(
        stage=Stage.DECODE,
        kind=Kind.CUT,
        what="half of the JSON, with the right length",
        way=simulated(Simulated.TRUNCATED_JSON),
        says={"nodes": "not_json"},
    ),
    Fault(
        stage=Stage.DECODE,
        kind=Kind.CUT,
        what="half of the page, with the right length",
        way=changed(half),
        says={"stats": "schema"},
    ),
    Fault(
        stage=Stage.DECODE,
        kind=Kind.WRONG,
        what="a login page",
        way=simulated(Simulated.HTML),
        says={"nodes": "not_json", "configs": "schema", "stats": "schema"},
    ),
    Fault(
        stage=Stage.DECODE,
        kind=Kind.WRONG,
        what="bytes that are not UTF-8",
        way=simulated(Simulated.INVALID_UTF8),
        says={"nodes": "not_json"},
    ),
    Fault(
        stage=Stage.DECODE,
        kind=Kind.WRONG,
        what="bytes that are not UTF-8, and count",
        way=simulated(Simulated.INVALID_UTF8),
        says={"configs": ANSWERED},
        same=False,
        series={"oxidized_device_config_size": _ALL},
    ),
    Fault(
        stage=Stage.DECODE,
        kind=Kind.WRONG,
        what="a name that is not UTF-8, and nobody's",
        way=changed(with_instead(b"<td>sw0</td>", b"<td>sw\xff\xfe</td>")),
        says={"stats": ANSWERED},
        same=False,
        series={"oxidized_device_backups_total": _OTHERS},
    ),
    Fault(
        stage=Stage.DECODE,
        kind=Kind.HUGE,
        what="a number of a million digits, whose row is unreadable",
        way=changed(with_instead(b'"time":', b'"time":' + b"7" * _MILLION + b',"was":')),
        says={"nodes": ANSWERED},
        same=False,
        samples={"oxidized_invalid_devices": 1},
        series={"oxidized_device_status": _OTHERS},
    ),
    Fault(
        stage=Stage.DECODE,
        kind=Kind.HUGE,
        what="a configuration of 17 MiB, too large for checks",
        way=changed(always(b"line\n" * (17 * _MEBIBYTE // 5)), path=ONE),
        says={"configs": ANSWERED},
        heavy=True,
        same=False,
        series={"oxidized_device_config_size": _ALL, "oxidized_device_config_check": _OTHERS},
    ),
    Fault(
        stage=Stage.DECODE,
        kind=Kind.HUGE,
        what="a row of 1 MB",
        way=changed(with_instead(b"<td>sw0</td>", b"<td>" + b"s" * _MILLION + b"</td>")),
        says={"stats": "schema"},
    ),
    Fault(
        stage=Stage.DECODE,
        kind=Kind.HOSTILE,
        what="lists in lists, 100,000 deep",
        way=simulated(Simulated.DEEP_JSON),
        says={"nodes": "not_json"},
    ),
    Fault(
        stage=Stage.DECODE,
        kind=Kind.HOSTILE,
        what="a line for which an expression that goes back and forth would take for ever",
        way=changed(always(b"a" * 10_000 + b"!\n")),
        says={"configs": ANSWERED},
        same=False,
        series={"oxidized_device_config_check": _ALL},
    ),
    Fault(
        stage=Stage.DECODE,
        kind=Kind.HOSTILE,
        what="elements in elements, 100,000 deep",
        way=changed(with_instead(b"<td>sw0</td>", b"<td>" + b"<div>" * _DEPTH)),
        says={"stats": "schema"},
    ),
)

NOTHING: Final = (
    Nothing(
        stage=Stage.DECODE,
        kind=Kind.STUCK,
        why="The whole body is there: decoding waits for nothing.",
    ),
    Nothing(
        stage=Stage.DECODE,
        kind=Kind.CUT,
        collectors=("configs",),
        why="Half of a configuration is a configuration.",
    ),
)
