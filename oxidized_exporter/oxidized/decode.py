"""nodes.json, from bytes to rows: typed and fast where the list is clean, field by field where it is not."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sized
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from oxidized_exporter.errors import NotJsonError, SchemaError, TooLargeError
from oxidized_exporter.oxidized.models import LastJob, Row, Rows, ShortRow

if TYPE_CHECKING:
    from collections.abc import Callable

_Found = TypeVar("_Found", bound=Sized)

_SHORT: Final = msgspec.json.Decoder(list[ShortRow])
_ANY_LENGTH: Final = msgspec.json.Decoder(list[Row])
_SPLIT: Final = msgspec.json.Decoder(list[msgspec.Raw])
_NAME_KEY: Final = b'"name"'
_UNCOUNTED_BYTES: Final = 4 * 1024 * 1024  # decoding so much at once takes 0.1 s at worst, whatever is in it
_COMMAS_A_ROW: Final = 50  # a real row has about 15, and one more for each of its variables
_ROW_BYTES: Final = 256 * 1024  # decoding one value cannot be interrupted; a real row has less than 1 KiB
_MAX_DIGITS: Final = 300  # a longer integer is kept as its text: Python refuses to convert back and forth
_HALF: Final = rb"[0-9a-fA-F]{2}"
_ESCAPES: Final = re.compile(
    rb"\\\\|\\u[dD][89abAB]" + _HALF + rb"\\u[dD][c-fC-F]" + _HALF + rb"|(\\u[dD][89a-fA-F]" + _HALF + rb")"
)


def decode_rows(body: bytes | bytearray, *, max_rows: int, still_wanted: Callable[[], None] = lambda: None) -> Rows:
    """Return the readable rows of nodes.json and how many are not.

    A row is readable when it is an object of at most 256 KiB whose ``name`` is text, a number or a boolean. Whatever
    else is odd in it counts as not said.

    Args:
        body: is not kept beyond the rows.
        max_rows: with more the body is refused.
        still_wanted: called again and again; what it raises ends the work.

    Raises:
        NotJsonError: not UTF-8, not JSON, or nested too deeply.
        SchemaError: no list, or rows of which none is readable.
        TooLargeError: more rows than ``max_rows``.
    """
    try:
        if not body.isascii():
            body.decode()  # msgspec does not look at strings that it passes over
    except UnicodeDecodeError:
        raise NotJsonError("the body is not UTF-8") from None
    if len(body) <= _UNCOUNTED_BYTES or body.count(_NAME_KEY) <= max_rows:
        for decoder, short in ((_SHORT, True), (_ANY_LENGTH, False)):
            with suppress(msgspec.DecodeError, RecursionError):
                return Rows(_no_more_than(max_rows, decoder.decode(body)), invalid=0, labels_short=short)
            still_wanted()
    return _decode_row_by_row(body, max_rows=max_rows, still_wanted=still_wanted)


def _decode_row_by_row(body: bytes | bytearray, *, max_rows: int, still_wanted: Callable[[], None]) -> Rows:
    parts = _no_more_than(max_rows, _split(body, max_rows=max_rows))
    rows = []
    for part in parts:
        still_wanted()
        if (row := _read_row(part)) is not None:
            rows.append(row)
    if parts and not rows:
        raise SchemaError(f"none of the {len(parts)} rows is a device")
    return Rows(rows, invalid=len(parts) - len(rows), labels_short=False)


def _no_more_than(max_rows: int, found: _Found) -> _Found:
    if len(found) > max_rows:
        raise TooLargeError(f"the list has {len(found)} rows, more than {max_rows}")
    return found


def _split(body: bytes | bytearray, *, max_rows: int) -> list[msgspec.Raw]:
    if body.count(b",") > max_rows * _COMMAS_A_ROW:
        raise TooLargeError(f"the list is larger than {max_rows} rows can be")
    try:
        try:
            return _SPLIT.decode(body)
        except msgspec.ValidationError:
            msgspec.json.decode(body, type=msgspec.Raw)  # to tell JSON of another shape from what is none
            raise SchemaError("the body is JSON, but no list of devices") from None
        except msgspec.DecodeError:
            return _SPLIT.decode(_ESCAPES.sub(_mend_escape, body))
    except RecursionError:
        raise NotJsonError("the body is nested too deeply") from None
    except msgspec.DecodeError as error:
        # The library's message has a position in it, but no part of the body.
        raise NotJsonError(f"the body is not JSON: {error}") from None


def _mend_escape(matched: re.Match[bytes]) -> bytes:
    """Replace an escaped surrogate without a partner, which no encoding can carry, by U+FFFD."""
    return matched[0] if matched[1] is None else rb"\ufffd"


def _parse_int(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MAX_DIGITS else digits


def _read_row(part: msgspec.Raw) -> Row | None:
    text = bytes(part)
    if len(text) > _ROW_BYTES:
        return None
    try:
        found = json.loads(text, parse_int=_parse_int)
    except RecursionError:
        return None
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
        vars=msgspec.Raw(msgspec.json.encode(found.get("vars"))),
    )


def _read_last(found: Any) -> LastJob | None:
    """Read ``last``; only null says that there is no job, anything odd that there is one of which nothing is known."""
    if found is None:
        return None
    if not isinstance(found, dict):
        return LastJob()
    return LastJob(
        start=_text(found.get("start")),
        end=_text(found.get("end")),
        status=_text(found.get("status")),
        time=_number(found.get("time")),
    )


def _text(found: Any) -> str | None:
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, str | int):
        return str(found)
    if isinstance(found, float) and math.isfinite(found):
        return str(found)
    return None


def _number(found: Any) -> float | None:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if math.isfinite(found) else None
