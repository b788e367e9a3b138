"""Oxidized's statistics page: its one table, read by the names of its columns."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from oxidized_exporter.errors import SchemaError, TooLargeError
from oxidized_exporter.oxidized.times import Times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from oxidized_exporter.config import Limits

_BEFORE_BYTES: Final = 256 * 1024  # a real page has 5 KiB before its table
_PIECE_BYTES: Final = 32 * 1024  # parsing a piece cannot be interrupted, and takes most of a millisecond
_ROW_BYTES: Final = 16 * 1024  # a real row has 300 bytes
_FOOTER_BYTES: Final = 16 * 1024
_MAX_DIGITS: Final = 15  # a float holds such an integer exactly
_YEAR_10000: Final = 253402300800.0
_SPACE: Final = " \t\n\f\r"  # HTML's, which are not all of Unicode's

_START: Final = re.compile(
    rb"""<table(?=[\s/])(?>[^<>]*?[\s"'/]id\s*=\s*(?:"statsTable"|'statsTable'|statsTable(?=[\s>])))[^<>]*>""",
    re.IGNORECASE,
)
_TABLE: Final = re.compile(rb"<(/?)table(?=[\s/>])", re.IGNORECASE)
_ROW: Final = re.compile(rb"<tr(?=[\s/>])", re.IGNORECASE)
# HTML opens these once more in every paragraph where they were not closed: a short page makes a tree of any size.
_FORMATTING: Final = re.compile(
    rb"(</?)(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/>])", re.IGNORECASE
)
_VERSION: Final = r" v\.([0-9A-Za-z.+_-]{1,64})(?![0-9A-Za-z.+_-])"
_OXIDIZED: Final = re.compile(f"Oxidized{_VERSION}".encode())
_WEB: Final = re.compile(f"Oxidized-web{_VERSION}".encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStats:
    """What the page says of one device.

    Attributes:
        runs: jobs since Oxidized's start; None where unreadable.
        failures: those of them that failed; None where unreadable.
        last_success: when the last job that succeeded ended, Unix seconds; None for never and where unreadable.
        last_failure: likewise of those that failed.
    """

    runs: float | None
    failures: float | None
    last_success: float | None
    last_failure: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsPage:
    """All that one page says.

    Attributes:
        devices: by name, without the group, which the page does not tell.
        repeated: names that have more than one row, and so belong to no one; not in ``devices``.
        invalid: rows that could not be read.
        oxidized_version: from the footer; None where it does not say.
        web_version: of oxidized-web, likewise.
    """

    devices: Mapping[str, DeviceStats]
    repeated: frozenset[str]
    invalid: int
    oxidized_version: str | None
    web_version: str | None


class _Columns(NamedTuple):
    """At which place of a row each value stands, and how many cells a row has."""

    name: int
    runs: int
    failures: int
    last_success: int
    last_failure: int
    width: int


_CELLS: Final = frozenset({"td", "th"})  # a comment is no cell
_HEADERS: Final = ("name", "total runs", "total failures", "last update", "last failure")  # in the order of _Columns


def read_stats(
    body: bytes | bytearray, *, limits: Limits, still_wanted: Callable[[], None] = lambda: None
) -> StatsPage:
    """Read the body of ``/nodes/stats``, a piece of some rows at a time.

    Args:
        body: is not kept. What is not UTF-8 in it becomes U+FFFD.
        limits: bounds of the rows.
        still_wanted: called again and again; what it raises ends the work.

    Raises:
        SchemaError: no table of statistics, one without its end or the columns that are needed, with one of them
            twice, or with something in it that is no row.
        TooLargeError: too many rows.
    """
    table = _START.search(body, 0, _BEFORE_BYTES)
    if table is None:
        raise SchemaError("the page has no table of statistics")
    times = Times(still_wanted)
    columns: _Columns | None = None
    rows: list[tuple[str, DeviceStats]] = []
    invalid = 0
    end = table.end()
    for begin, end in _pieces(body, table.end()):
        still_wanted()
        for cells in _rows(body[begin:end]):
            if columns is None:
                columns = _find_columns(cells)
                continue
            if len(rows) + invalid >= limits.rows:
                raise TooLargeError(f"the page has more than {limits.rows} rows")
            row = _read_row(cells, columns, times)
            if row is None:
                invalid += 1
            else:
                rows.append(row)
    if columns is None:
        raise SchemaError("the table of statistics lacks a column that is needed")
    footer = bytes(body[max(end, len(body) - _FOOTER_BYTES) :])
    counts = Counter(name for name, _ in rows)
    return StatsPage(
        devices={name: stats for name, stats in rows if counts[name] == 1},
        repeated=frozenset(name for name, count in counts.items() if count > 1),
        invalid=invalid,
        oxidized_version=_find_version(_OXIDIZED, footer),
        web_version=_find_version(_WEB, footer),
    )


def _pieces(body: bytes | bytearray, begin: int) -> Iterator[tuple[int, int]]:
    """Yield where each piece of the table begins and ends.

    A piece ends before a ``<tr``. Oxidized escapes what is text, so that there a row begins. A page that was cut must
    not look like a whole one with fewer devices.
    """
    while True:
        row = _ROW.search(body, begin + _PIECE_BYTES, begin + _PIECE_BYTES + _ROW_BYTES)
        end = row.start() if row else min(begin + _PIECE_BYTES + _ROW_BYTES, len(body))
        if other := _TABLE.search(body, begin, end):
            if not other[1]:
                raise SchemaError("the table of statistics holds another table")
            yield begin, other.start()
            return
        if row is None:
            raise SchemaError(f"the table of statistics {'holds too long a row' if end < len(body) else 'has no end'}")
        yield begin, end
        begin = end


def _rows(piece: bytes | bytearray) -> Iterator[list[LexborNode]]:
    text = _FORMATTING.sub(rb"\1span", piece).decode(errors="replace")
    for row in LexborHTMLParser(f"<table>{text}").css("tr"):
        yield [cell for cell in row.iter() if cell.tag in _CELLS]


def _find_columns(cells: list[LexborNode]) -> _Columns | None:
    """Return the places of the columns, or None where this row is not the one that names them."""
    names = [" ".join(cell.text().split()).lower() for cell in cells]
    if not set(_HEADERS).issubset(names):
        return None
    if any(names.count(header) > 1 for header in _HEADERS):
        raise SchemaError("the table of statistics has a column twice")
    return _Columns._make([*map(names.index, _HEADERS), len(cells)])


def _read_row(cells: list[LexborNode], columns: _Columns, times: Times) -> tuple[str, DeviceStats] | None:
    """Return name and statistics; None for a row without a name, or whose cells cannot be told apart."""
    if len(cells) != columns.width:
        return None
    name = cells[columns.name].text().strip(_SPACE)
    if not name:
        return None
    return name, DeviceStats(
        runs=_read_integer(cells[columns.runs].text()),
        failures=_read_integer(cells[columns.failures].text()),
        last_success=_read_time(cells[columns.last_success], times),
        last_failure=_read_time(cells[columns.last_failure], times),
    )


def _read_integer(text: str) -> float | None:
    digits = text.strip(_SPACE)
    return float(digits) if len(digits) <= _MAX_DIGITS and digits.isascii() and digits.isdigit() else None


def _read_time(cell: LexborNode, times: Times) -> float | None:
    """Return Unix seconds: of ``epoch``, which oxidized-web writes since 0.17, or else of the text."""
    epoch = _read_integer(cell.attrs.get("epoch") or "")
    if epoch is None or epoch >= _YEAR_10000:
        return times[cell.text()]
    return epoch or None  # 0 stands for never


def _find_version(pattern: re.Pattern[bytes], footer: bytes) -> str | None:
    found = pattern.search(footer)
    return found[1].decode() if found else None
