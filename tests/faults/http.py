"""The faults of HTTP: at the request, the status, the headers and the body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oxidized_exporter.simulator import Device
from oxidized_exporter.simulator import Fault as Simulated
from tests.faults.cells import ANSWERED, Fault, Kind, Nothing, Stage, everybody
from tests.faults.talks import says, says_and_waits, says_slowly, says_without_end
from tests.faults.ways import asked, of_devices, simulated, unasked

if TYPE_CHECKING:
    from tests.faults.doors import Visit

METADATA: Final = b"http://169.254.169.254"
_STATUS: Final = b"HTTP/1.1 200 OK\r\n"
_HEADERS: Final = b"Content-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n"
_MEBIBYTE: Final = 1024 * 1024


def _elsewhere(visit: Visit) -> bytes:
    location = METADATA + visit.path.encode()
    return b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % location


FAULTS: Final = (
    Fault(
        stage=Stage.REQUEST,
        kind=Kind.ABSENT,
        what="the connection is closed without an answer",
        way=simulated(Simulated.EMPTY_REPLY),
        says=everybody("protocol"),
    ),
    Fault(
        stage=Stage.REQUEST,
        kind=Kind.SLOW,
        what="the answer comes after the deadline",
        way=simulated(Simulated.SLOW),
        says=everybody("timeout"),
        stalls=True,
    ),
    Fault(
        stage=Stage.REQUEST,
        kind=Kind.STUCK,
        what="no answer comes",
        way=simulated(Simulated.HANG_BEFORE_HEADERS),
        says=everybody("timeout"),
        stalls=True,
    ),
    Fault(
        stage=Stage.REQUEST,
        kind=Kind.CUT,
        what="the connection is reset once the request is read",
        way=simulated(Simulated.RESET),
        says=everybody("connect"),
    ),
    Fault(
        stage=Stage.REQUEST,
        kind=Kind.WRONG,
        what="the name in the header Host is not permitted",
        way=simulated(Simulated.HOST_NOT_PERMITTED),
        says=everybody("host_not_permitted"),
    ),
    Fault(
        stage=Stage.REQUEST,
        kind=Kind.HUGE,
        what="a name would make a path of 100 kB, and is not asked by",
        way=of_devices(Device(name="n" * 100_000, group="access")),
        says={"configs": ANSWERED},
        same=False,
        others=(),
        samples={"oxidized_cut_labels": 2, "oxidized_configs_pending": 0},
    ),
    Fault(
        stage=Stage.REQUEST,
        kind=Kind.HOSTILE,
        what="behind the node list comes an answer to what has not been asked yet",
        way=unasked,
        says=everybody(ANSWERED),
        module="narrow",
    ),
    Fault(
        stage=Stage.STATUS,
        kind=Kind.ABSENT,
        what="the status line has no status",
        way=asked(says(b"HTTP/1.1\r\n\r\n")),
        says=everybody("protocol"),
    ),
    Fault(
        stage=Stage.STATUS,
        kind=Kind.SLOW,
        what="the status line comes a byte a second",
        way=asked(says_slowly(_STATUS)),
        says=everybody("timeout"),
        stalls=True,
    ),
    Fault(
        stage=Stage.STATUS,
        kind=Kind.STUCK,
        what="half of a status comes",
        way=asked(says_and_waits(b"HTTP/1.1 2")),
        says=everybody("timeout"),
        stalls=True,
    ),
    Fault(
        stage=Stage.STATUS,
        kind=Kind.CUT,
        what="half of a status comes, then the end",
        way=asked(says(b"HTTP/1.1 2")),
        says=everybody("protocol"),
    ),
    Fault(
        stage=Stage.STATUS,
        kind=Kind.WRONG,
        what="500, with 150 kB of HTML",
        way=simulated(Simulated.SERVER_ERROR),
        says=everybody("http_status"),
    ),
    Fault(
        stage=Stage.STATUS,
        kind=Kind.HUGE,
        what="a status line of 1 MiB",
        way=asked(says(b"HTTP/1.1 200 " + b"OK" * (_MEBIBYTE // 2) + b"\r\n\r\n[]")),
        says=everybody("protocol"),
    ),
    Fault(
        stage=Stage.STATUS,
        kind=Kind.HOSTILE,
        what="100 Continue without end",
        way=asked(says_without_end(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100)),
        says=everybody("protocol"),
    ),
    Fault(
        stage=Stage.HEADERS,
        kind=Kind.ABSENT,
        what="there are no headers, and the body ends with the connection",
        way=asked(says(lambda visit: _STATUS + b"\r\n" + visit.right)),
        says=everybody(ANSWERED),
    ),
    Fault(
        stage=Stage.HEADERS,
        kind=Kind.SLOW,
        what="the headers come a byte a second",
        way=asked(says_slowly(_HEADERS, at_once=_STATUS)),
        says=everybody("timeout"),
        stalls=True,
    ),
    Fault(
        stage=Stage.HEADERS,
        kind=Kind.STUCK,
        what="half of the headers come",
        way=asked(says_and_waits(_STATUS + _HEADERS)),
        says=everybody("timeout"),
        stalls=True,
    ),
    Fault(
        stage=Stage.HEADERS,
        kind=Kind.CUT,
        what="half of the headers come, then the end",
        way=asked(says(_STATUS + _HEADERS)),
        says=everybody("protocol"),
    ),
    Fault(
        stage=Stage.HEADERS,
        kind=Kind.WRONG,
        what="a line among the headers is none",
        way=asked(says(lambda visit: _STATUS + _HEADERS + b"no header\r\n\r\n" + visit.right)),
        says=everybody("protocol"),
    ),
    Fault(
        stage=Stage.HEADERS,
        kind=Kind.HUGE,
        what="headers without end",
        way=asked(says_without_end(_STATUS, b"X-Header: " + b"x" * 1000 + b"\r\n")),
        says=everybody("protocol"),
    ),
    Fault(
        stage=Stage.HEADERS,
        kind=Kind.HUGE,
        what="Content-Length says 100 GB",
        way=asked(says_and_waits(_STATUS + _HEADERS + b"Content-Length: 99999999999\r\n\r\n[")),
        says=everybody("too_large"),
    ),
    Fault(
        stage=Stage.HEADERS,
        kind=Kind.HOSTILE,
        what="a redirect, which is to be followed, to the metadata of a cloud",
        way=asked(says(_elsewhere), follow_redirects=True),
        says=everybody("target_denied"),
    ),
    Fault(
        stage=Stage.BODY,
        kind=Kind.ABSENT,
        what="the body has no byte",
        way=simulated(Simulated.EMPTY_BODY),
        says={"nodes": "not_json", "stats": "schema"},
    ),
    Fault(
        stage=Stage.BODY,
        kind=Kind.ABSENT,
        what="the body has no byte: nothing is stored",
        way=simulated(Simulated.EMPTY_BODY),
        says={"configs": ANSWERED},
        same=False,
        series={"oxidized_device_config_size": 0},
    ),
    Fault(
        stage=Stage.BODY,
        kind=Kind.SLOW,
        what="the body comes a byte a second",
        way=asked(says_slowly(lambda visit: visit.right, at_once=_STATUS + b"\r\n")),
        says=everybody("timeout"),
        stalls=True,
    ),
    Fault(
        stage=Stage.BODY,
        kind=Kind.STUCK,
        what="half of the body comes",
        way=simulated(Simulated.HANG_IN_BODY),
        says=everybody("timeout"),
        stalls=True,
    ),
    Fault(
        stage=Stage.BODY,
        kind=Kind.CUT,
        what="half of what Content-Length says comes, then the end",
        way=simulated(Simulated.TRUNCATED),
        says=everybody("protocol"),
    ),
    Fault(
        stage=Stage.BODY,
        kind=Kind.WRONG,
        what="a chunk has no valid size",
        way=simulated(Simulated.BROKEN_CHUNK),
        says=everybody("protocol"),
    ),
    Fault(
        stage=Stage.BODY,
        kind=Kind.HUGE,
        what="over 64 MiB",
        way=simulated(Simulated.HUGE),
        says=everybody("too_large"),
        heavy=True,
    ),
    Fault(
        stage=Stage.BODY,
        kind=Kind.HOSTILE,
        what="a gzip body of 275 kB that unpacks to over 64 MiB",
        way=simulated(Simulated.GZIP_BOMB),
        says=everybody("too_large"),
        heavy=True,
    ),
)

NOTHING: Final = (
    Nothing(
        stage=Stage.REQUEST,
        kind=Kind.HUGE,
        collectors=("nodes", "stats"),
        why="Their paths are fixed.",
    ),
)
