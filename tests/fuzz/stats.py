"""The statistics page: whatever the bytes are, it is read or refused in known words, and rows are read as written."""

from __future__ import annotations

import html
import json
import re
import zlib
from typing import TYPE_CHECKING, Final

from oxidized_exporter.config import Limits, Module
from oxidized_exporter.errors import SchemaError, TooLargeError
from oxidized_exporter.oxidized.stats import DeviceStats, StatsPage, read_stats
from oxidized_exporter.scrape.nodes import collect_nodes
from oxidized_exporter.scrape.stats import collect_stats
from tests.fuzz.exposition import MOST_PARSED, checked_exposition, is_sampled
from tests.fuzz.files import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from oxidized_exporter.scrape.snapshot import NodesSummary

_MODULE: Final = Module(name="fuzz")
_LIMITS: Final = Limits()
_NARROW: Final = Limits(rows=2)
_HEADERS: Final = ("Name", "Total Runs", "Total Failures", "Hue", "Last Update", "Last Failure")
_SPACE: Final = " \t\n\f\r"
_NO_TEXT: Final = dict.fromkeys(map(ord, "\0\r"))  # HTML knows neither
_PAGE_BYTES: Final = 80 * 1024  # some of the pieces in which a page is read
_FILLER_BYTES: Final = 12 * 1024
_END: Final = re.compile(rb"</table(?=[\s/>])", re.IGNORECASE)
_VERSION: Final = re.compile(r"[0-9A-Za-z.+_-]{1,64}")
_ELSEWHERE: Final = "nowhere on the page"


def check(data: bytes) -> None:
    """Read a body, give it to devices that it names, and read a page that is made of what it says."""
    try:
        page = read_stats(data, limits=_LIMITS)
    except (SchemaError, TooLargeError) as error:
        assert MARK not in str(error), "a message quotes the body"  # noqa: PT017 - nothing need be raised
    else:
        _check_page(page)
        _check_narrow(data, page)
        _check_cut(data)
        _check_devices(data, page)
    _check_written(data)


def _check_page(page: StatsPage) -> None:
    assert not page.repeated & page.devices.keys(), "a name that stands twice belongs to somebody"
    for name, stats in page.devices.items():
        assert name.encode(), "a name is empty"
        for number in (stats.runs, stats.failures):
            assert number is None or (number >= 0 and number.is_integer()), "a counter is no whole number"
        for time in (stats.last_success, stats.last_failure):
            assert time is None or abs(time) < float("inf"), "a time is not finite"
    for version in (page.oxidized_version, page.web_version):
        assert version is None or _VERSION.fullmatch(version), "a version is none"


def _check_narrow(data: bytes, page: StatsPage) -> None:
    rows = len(page.devices) + page.invalid
    try:
        assert read_stats(data, limits=_NARROW) == page
    except TooLargeError:
        assert rows + len(page.repeated) * 2 > _NARROW.rows
    else:
        assert rows <= _NARROW.rows, "more rows than are allowed"


def _check_cut(data: bytes) -> None:
    """Make sure that a page which was cut does not pass for one of fewer devices."""
    end = _END.search(data)
    assert end, "a table without an end is taken"
    try:
        read_stats(data[: end.start()], limits=_LIMITS)
    except SchemaError:
        return
    raise AssertionError("a table that was cut is taken")


def _check_devices(data: bytes, page: StatsPage) -> None:
    names = [*page.devices, *page.repeated][: MOST_PARSED - 2]
    nodes = _nodes([*names, _ELSEWHERE])
    try:
        stats = collect_stats(data, nodes, limits=_LIMITS)
    except SchemaError:
        assert not names, "a page that names devices is refused"
        return
    devices = nodes.shown
    assert len(stats.runs) == len(stats.failures) == len(stats.last_success) == len(stats.last_failure) == len(devices)
    for name, runs, failures in zip(devices.name, stats.runs, stats.failures, strict=True):
        told = page.devices.get(name)
        expected = (None, None) if told is None else (told.runs, told.failures)
        assert (runs, failures) == expected, "a device has the numbers of another"
    if is_sampled(data):
        samples = checked_exposition(nodes, stats)
        counted = sum(name == "oxidized_device_backups_total" for name, _ in samples)
        assert counted == sum(runs is not None for runs in stats.runs), "a counter is lost or made up"


def _check_written(data: bytes) -> None:
    """Take lines for names, write the page that would have them, and read it back."""
    lines = data.decode(errors="replace").translate(_NO_TEXT).split("\n")
    names = dict.fromkeys(name for line in lines if (name := line.strip(_SPACE)))
    expected = {
        name: DeviceStats(
            runs=float(number),
            failures=float(number // 2),
            last_success=float(number),
            last_failure=float(2 * number),
        )
        for number, name in enumerate(names, start=1)
    }
    several = is_sampled(data[1:])  # in some of them only: much of a page takes long
    filler = min(_FILLER_BYTES, _PAGE_BYTES // (len(names) or 1)) + zlib.crc32(data) % 97 if several else 0
    page = read_stats(_written(expected, filler=filler), limits=_LIMITS)
    assert page.devices == expected, "what was written is not what is read"
    assert not page.repeated
    assert not page.invalid


def _written(devices: Mapping[str, DeviceStats], *, filler: int) -> bytes:
    rows = [
        _row(
            "td",
            html.escape(name),
            f"{stats.runs:.0f}",
            f"{stats.failures:.0f}",
            "." * filler,
            *(f"<time epoch='{time:.0f}'>" for time in (stats.last_success, stats.last_failure)),
        )
        for name, stats in devices.items()
    ]
    table = "".join([_row("th", *_HEADERS), *rows])
    return re.sub("<td><time (.*?)>", r"<td \1>then", f"<table id='statsTable'>{table}</table>").encode()


def _row(tag: str, *cells: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in cells)}</tr>\n"


def _nodes(names: Iterable[str]) -> NodesSummary:
    rows = [{"name": name, "full_name": f"g/{name}", "group": "g"} for name in names]
    return collect_nodes(json.dumps(rows).encode(), module=_MODULE, limits=_LIMITS)
