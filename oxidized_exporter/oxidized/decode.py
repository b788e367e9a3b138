"""nodes.json, from bytes to rows: typed and fast where the list is clean, field by field where it is not."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from oxidized_exporter.errors import NotJsonError, SchemaError
from oxidized_exporter.oxidized.models import LastJob, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

_DECODER: Final = msgspec.json.Decoder(list[Row])
_SPACE: Final = re.compile(r"[ \t\n\r]*")  # RFC 8259, 2
_MAX_DIGITS: Final = 300  # a longer integer is kept as its text: Python refuses to convert back and forth


def _parse_int(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MAX_DIGITS else digits


_LENIENT: Final = json.JSONDecoder(parse_int=_parse_int)


def decode_rows(body: bytes | bytearray) -> tuple[list[Row], int]:
    """Return the readable rows of nodes.json and how many are not.

    A row is readable when it is an object whose ``name`` is text, a number or a boolean. Whatever else is odd in it
    counts as not said.

    Raises:
        NotJsonError: not UTF-8, not JSON, or nested too deeply.
        SchemaError: no list, or rows of which none is readable.
    """
    try:
        text = None if body.isascii() else body.decode()  # msgspec does not look at strings that it skips
    except UnicodeDecodeError:
        raise NotJsonError("the body is not UTF-8") from None
    try:
        return _DECODER.decode(body), 0
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_leniently(text if text is not None else body.decode("ascii"))


def _decode_leniently(text: str) -> tuple[list[Row], int]:
    rows = []
    found = 0
    try:
        for found, value in enumerate(_items(text), start=1):  # noqa: B007 - the count outlives the loop
            if (row := _read_row(value)) is not None:
                rows.append(row)
    except RecursionError:
        raise NotJsonError("the body is nested too deeply") from None
    except json.JSONDecodeError as error:
        # Its position helps, its excerpt would not be ours to show.
        raise NotJsonError(f"the body is not JSON (line {error.lineno}, column {error.colno})") from None
    if found and not rows:
        raise SchemaError(f"none of the {found} rows is a device")
    return rows, found - len(rows)


def _items(text: str) -> Iterator[Any]:
    """Yield the items of a JSON list one by one: one call for a long list would hold the interpreter throughout."""
    position = _skip_space(text, 0)
    if not text.startswith("[", position):
        _LENIENT.decode(text)
        raise SchemaError("the body is JSON, but no list of devices")
    position = _skip_space(text, position + 1)
    closed = text.startswith("]", position)
    while not closed:
        value, position = _LENIENT.raw_decode(text, position)
        yield value
        position = _skip_space(text, position)
        closed = text.startswith("]", position)
        if not closed:
            if not text.startswith(",", position):
                raise json.JSONDecodeError("expected , or ]", text, position)
            position = _skip_space(text, position + 1)
    if _skip_space(text, position + 1) != len(text):
        raise json.JSONDecodeError("something behind the list", text, position + 1)


def _skip_space(text: str, position: int) -> int:
    matched = _SPACE.match(text, position)
    return matched.end() if matched else position


def _read_row(found: Any) -> Row | None:
    if not isinstance(found, dict):
        return None
    name = _text(found.get("name"))
    if name is None:
        return None
    return Row(
        name=name,
        full_name=_text(found.get("full_name")),
        group=_text(found.get("group")),
        model=_text(found.get("model")),
        ip=_text(found.get("ip")),
        last=_read_last(found.get("last")),
        mtime=_text(found.get("mtime")),
        status=_text(found.get("status")),
        vars=found.get("vars"),
    )


def _read_last(found: Any) -> LastJob | None:
    if not isinstance(found, dict):
        return None
    return LastJob(
        start=_text(found.get("start")),
        end=_text(found.get("end")),
        status=_text(found.get("status")),
        time=_number(found.get("time")),
    )


def _text(found: Any) -> str | None:
    """Return a scalar as text; surrogates without a partner, which no encoding can carry, become U+FFFD."""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, str | int | float):
        return str(found).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return None


def _number(found: Any) -> float | None:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if math.isfinite(found) else None
