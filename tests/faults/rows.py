"""The faults of the rows of an answer; to `configs` each device's configuration is a row."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Final

from oxidized_exporter.simulator import Device
from oxidized_exporter.simulator import Fault as Simulated
from tests.faults.bodies import always, list_of, with_instead, with_rows
from tests.faults.cells import ANSWERED, Fault, Kind, Nothing, Stage
from tests.faults.oxidized import ONE
from tests.faults.talks import says_slowly
from tests.faults.ways import asked, changed, of_devices, simulated

if TYPE_CHECKING:
    from collections.abc import Iterator

_MILLION: Final = 1_000_000
_NAME: Final = b'"name":"sw0"'
_LONG_NAMES: Final = 20
_OTHERS: Final = 2
_ALL: Final = 3
_HEADERS: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"


def _long_names() -> Iterator[bytes]:
    return (b'{"name":"%d%b"}' % (number, b"n" * _MILLION) for number in range(_LONG_NAMES))


FAULTS: Final = (
    Fault(
        stage=Stage.ROWS,
        kind=Kind.ABSENT,
        what="an empty list",
        way=changed(always(b"[]")),
        says={"nodes": ANSWERED},
        same=False,
        series={"oxidized_device_status": 0},
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.ABSENT,
        what="one device has none",
        way=changed(always(b""), path=ONE),
        says={"configs": ANSWERED},
        same=False,
        series={"oxidized_device_config_size": _OTHERS},
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.ABSENT,
        what="a table without rows",
        way=changed(lambda body: with_rows(body, b"")),
        says={"stats": "schema"},
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.SLOW,
        what="one device's comes a byte a second",
        way=asked(says_slowly(lambda visit: visit.right, at_once=_HEADERS), path=ONE),
        says={"configs": "timeout"},
        stalls=True,
        samples={"oxidized_configs_pending": 1},
        series={"oxidized_device_config_size": _OTHERS},
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.STUCK,
        what="half of one device's comes",
        way=simulated(Simulated.HANG_IN_BODY, path=ONE),
        says={"configs": "timeout"},
        stalls=True,
        samples={"oxidized_configs_pending": 1},
        series={"oxidized_device_config_size": _OTHERS},
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.CUT,
        what="of a row only the name is there",
        way=changed(always(list_of([b'{"name":"sw0"}', b'{"name":"sw1"}']))),
        says={"nodes": ANSWERED},
        same=False,
        samples={"oxidized_invalid_devices": 0},
        series={"oxidized_device_status": 2},
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.CUT,
        what="half of one device's comes, then the end",
        way=simulated(Simulated.TRUNCATED, path=ONE),
        says={"configs": "protocol"},
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.CUT,
        what="a row has one cell",
        way=changed(with_instead(b"</tbody>", b"<tr><td>sw9</td></tr></tbody>")),
        says={"stats": "schema"},
        series={"oxidized_device_backups_total": _ALL},
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.WRONG,
        what="no row is a device",
        way=simulated(Simulated.NO_READABLE_ROW),
        says={"nodes": "schema"},
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.WRONG,
        what="a key stands twice, and each device",
        way=changed(lambda body: list_of([body[1:-1], body[1:-1].replace(_NAME, b'"name":"other",' + _NAME)])),
        says={"nodes": ANSWERED},
        same=False,
        samples={"oxidized_duplicate_devices": _ALL},
        series={"oxidized_device_status": _ALL},
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.WRONG,
        what="one device's is a web page",
        way=simulated(Simulated.HTML, path=ONE),
        says={"configs": "schema"},
        samples={"oxidized_configs_pending": 1},
        series={"oxidized_device_config_size": _OTHERS},
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.WRONG,
        what="text where a number should be, which is left out",
        way=changed(with_instead(b"<td>sw0</td>\n<td>", b"<td>sw0</td>\n<td>many ")),
        says={"stats": ANSWERED},
        same=False,
        series={"oxidized_device_backups_total": _OTHERS, "oxidized_device_backup_failures_total": _ALL},
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.HUGE,
        what="1,000,000 rows",
        way=changed(lambda _: list_of(repeat(b"{%b}" % _NAME, _MILLION))),
        says={"nodes": "too_large"},
        heavy=True,
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.HUGE,
        what="one device's is over 64 MiB",
        way=simulated(Simulated.HUGE, path=ONE),
        says={"configs": "too_large"},
        samples={"oxidized_configs_pending": 1},
        series={"oxidized_device_config_size": _OTHERS},
        heavy=True,
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.HUGE,
        what="1,000,000 rows",
        way=changed(lambda body: with_rows(body, b"<tr><td>sw0<td>1<td>0<td><td><td><td><td></tr>\n" * _MILLION)),
        says={"stats": "too_large"},
        heavy=True,
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.HOSTILE,
        what="NaN where a number should be",
        way=changed(with_instead(b'"time":', b'"number":NaN,"time":')),
        says={"nodes": "not_json"},
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.HOSTILE,
        what="1e400 where a number should be, which is left out",
        way=changed(with_instead(b'"time":', b'"time":1e400,"was":')),
        says={"nodes": ANSWERED},
        same=False,
        samples={"oxidized_invalid_devices": 0},
        series={"oxidized_device_status": _ALL, "oxidized_device_last_backup_time": _OTHERS},
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.HOSTILE,
        what="names of 1 MB, which are cut",
        way=changed(lambda body: list_of([body[1:-1], *_long_names()])),
        says={"nodes": ANSWERED},
        same=False,
        samples={"oxidized_invalid_devices": 0, "oxidized_cut_labels": 2 * _LONG_NAMES},
        series={"oxidized_device_status": _ALL + _LONG_NAMES},
        heavy=True,
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.HOSTILE,
        what="names that lead to the route that reloads Oxidized, and are not asked by",
        way=of_devices(Device(name="..\\..\\reload", group="access"), Device(name="sw0", group="..%2F../reload")),
        says={"configs": ANSWERED},
        same=False,
        others=(),
        series={"oxidized_device_config_size": 0},
        samples={"oxidized_configs_pending": 0},
    ),
    Fault(
        stage=Stage.ROWS,
        kind=Kind.HOSTILE,
        what="formatting that is never closed, which HTML opens again in every cell",
        way=changed(with_instead(b"<tbody>", b"<tbody><tr><td>sw9" + b"<b><i><u>" * 200 + b"<td>1" * 7 + b"</tr>")),
        says={"stats": ANSWERED},
        same=False,
        series={"oxidized_device_backups_total": _ALL},
    ),
)

NOTHING: Final = (
    Nothing(
        stage=Stage.ROWS,
        kind=Kind.SLOW,
        collectors=("nodes", "stats"),
        why="Rows are read once all of them are there.",
    ),
    Nothing(
        stage=Stage.ROWS,
        kind=Kind.STUCK,
        collectors=("nodes", "stats"),
        why="Rows are read once all of them are there.",
    ),
)
