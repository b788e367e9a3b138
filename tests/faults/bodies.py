"""What becomes of the body of a right answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_NEARLY_TOO_MANY: Final = 99_000


def always(text: bytes) -> Callable[[bytes], bytes]:
    """Put a text in its place."""
    return lambda _: text


def with_instead(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Replace a part of it, where that stands first."""

    def becomes(body: bytes) -> bytes:
        assert old in body
        return body.replace(old, new, 1)

    return becomes


def half(body: bytes) -> bytes:
    """Leave the first half of it."""
    return body[: len(body) // 2]


def list_of(rows: Iterable[bytes]) -> bytes:
    """Return a JSON list."""
    return b"[" + b",".join(rows) + b"]"


def with_rows(body: bytes, rows: bytes) -> bytes:
    """Return a page of statistics with other rows."""
    return body.partition(b"<tbody>")[0] + b"<tbody>" + rows + body[body.index(b"</tbody>") :]


def odd_rows(_: bytes) -> bytes:
    """Return rows of nodes.json that have to be read one by one, each with times that no other has."""
    row = b'{"name":%d,"mtime":"2026-01-01T00:00:00.%06dZ","last":{"start":"2026-01-02T00:00:00.%06dZ","time":"x"}}'
    return list_of(row % (number, number, number) for number in range(_NEARLY_TOO_MANY))


def odd_rows_of_stats(body: bytes) -> bytes:
    """Return rows of the statistics page, each with times that no other has."""
    row = b"<tr><td>%d<td>1<td>0<td>0<td>1<td>x<td>2026-01-01T00:00:00.%06dZ<td>2026-01-02T00:00:00.%06dZ</tr>\n"
    return with_rows(body, b"".join(row % (number, number, number) for number in range(_NEARLY_TOO_MANY)))
