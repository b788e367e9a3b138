"""nodes.json: whatever the bytes are, it is read or refused in known words, and no row is lost or made up."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from oxidized_exporter.config import Limits, Module
from oxidized_exporter.errors import NotJsonError, ProbeError, SchemaError, TooLargeError
from oxidized_exporter.scrape.nodes import STATUSES, collect_nodes
from tests.fuzz.exposition import MOST_PARSED, checked_exposition, is_sampled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from oxidized_exporter.oxidized.models import Device
    from oxidized_exporter.scrape.snapshot import NodesSummary

_MODULE: Final = Module(name="fuzz")
_LIMITS: Final = Limits()
_NARROW: Final = Limits(rows=3, label_bytes=16)
_SPACE: Final = b" \t\r\n"
_SHALLOW: Final = 300  # brackets in a body that no reader finds too deep
_SHORTEST_SECRET: Final = 6  # characters; a shorter one stands in half of all texts by chance
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_SECRET: Final = re.compile(r"enable|pass|secret|community|token|key", re.IGNORECASE)
_TEXTS: Final = ("full_name", "name", "group", "model", "ip", "status")


def check(data: bytes) -> None:
    """Read a body by wide and by narrow limits, and hold the result to Python's json and to the body's other forms."""
    found = _read(data, _LIMITS)
    _check_narrow(_read(data, _NARROW))
    rows = _plain(data)
    if isinstance(found, ProbeError):
        if isinstance(found, NotJsonError):
            assert rows is None, "JSON is refused as none"
        _check_message(data, found)
        return
    devices = found.nodes.devices
    _check_counts(found)
    if data.count(b"[") + data.count(b"{") > _SHALLOW:
        return
    assert rows is not None, "what is no JSON is taken"
    assert len(devices) + found.nodes.duplicates + found.nodes.invalid == len(rows), "a row is lost or made up"
    if not (found.nodes.duplicates or found.nodes.invalid):
        _check_values(rows, devices, names=_HALF.search(data) is None)
    _check_order(data, found)
    _check_one_odd_row_more(data, found)
    if len(devices) <= MOST_PARSED and is_sampled(data):
        samples = checked_exposition(found)
        assert sum(name == "oxidized_device_status" for name, _ in samples) == len(devices), "a device has no series"
        labels = {value for _, series in samples if "full_name" in dict(series) for _, value in series}
        for secret in _secrets(rows):
            assert not any(secret in label for label in labels), "a variable is shown"


def _read(data: bytes, limits: Limits) -> NodesSummary | ProbeError:
    try:
        return collect_nodes(data, module=_MODULE, limits=limits)
    except (NotJsonError, SchemaError, TooLargeError) as error:
        return error


def _check_narrow(found: NodesSummary | ProbeError) -> None:
    if isinstance(found, ProbeError):
        return
    devices = found.nodes.devices
    assert len(devices) <= _NARROW.rows, "more rows than are allowed"
    texts = [text for column in _TEXTS for text in getattr(devices, column)]
    assert all(len(text.encode()) <= _NARROW.label_bytes for text in texts), "a label is too long"


def _check_message(data: bytes, error: ProbeError) -> None:
    said = str(error)
    for secret in re.findall(rb"hunter2\w*", data):
        assert secret.decode() not in said, "a message quotes the body"


def _check_counts(found: NodesSummary) -> None:
    devices = found.nodes.devices
    assert sum(found.by_status.values()) == len(devices), "a status is not counted"
    assert len({(d.full_name, d.name, d.group, d.model) for d in devices}) == len(devices), "labels stand twice"
    assert found.exposing_secrets == sum(devices.exposes_secrets)
    for column in (devices.start, devices.end, devices.duration, devices.modified):
        assert all(number is None or abs(number) < float("inf") for number in column), "a number is not finite"


def _check_values(rows: Sequence[Any], devices: Sequence[Device], *, names: bool) -> None:
    for row, device in zip(rows, devices, strict=True):
        if names and isinstance(row["name"], str) and len(row["name"].encode()) <= _LIMITS.label_bytes:
            assert device.name == row["name"], "another name"
        exposes = any(_SECRET.search(key) for key, _ in _entries(row.get("vars")))
        assert device.exposes_secrets == exposes, "secrets are shown and not told of, or told of and not shown"


def _check_order(data: bytes, found: NodesSummary) -> None:
    if _HALF.search(data):
        return  # what is to be mended cannot be split
    parts = [bytes(part) for part in msgspec.json.decode(data, type=list[msgspec.Raw])]
    if len(parts) > 1:
        turned = _read(b"[" + b",".join(reversed(parts)) + b"]", _LIMITS)
        assert not isinstance(turned, ProbeError), "the order decides whether a list is read"
        assert _as_set(turned) == _as_set(found), "the order of the list means something"


def _check_one_odd_row_more(data: bytes, found: NodesSummary) -> None:
    """Hold what is read at once to what is read row by row, as the list is with an odd row in it."""
    if not found.nodes.devices:
        return
    more = _read(data.rstrip(_SPACE)[:-1] + b",0]", _LIMITS)
    assert not isinstance(more, ProbeError), "one odd row loses the list"
    assert more.nodes.invalid == found.nodes.invalid + 1, "one odd row makes others odd"
    assert more.nodes.devices == found.nodes.devices, "one odd row changes others"


def _as_set(found: NodesSummary) -> tuple[set[str], int, int, int]:
    nodes = found.nodes
    return set(map(repr, nodes.devices)), nodes.duplicates, nodes.invalid, nodes.cut_labels


def _plain(data: bytes) -> list[Any] | None:
    """Return the list as Python's json reads it; None where that finds no list."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    try:
        found = json.loads(data.decode(), parse_constant=refuse, parse_int=_whole)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _SHALLOW else digits


def _entries(found: Any) -> Iterator[tuple[str, str]]:
    """Yield each key that has a text that is not empty, however deep, and the text."""
    if isinstance(found, dict):
        for key, value in found.items():
            if isinstance(value, str) and value:
                yield key, value
            yield from _entries(value)
    elif isinstance(found, list):
        for value in found:
            yield from _entries(value)


def _secrets(rows: Sequence[Any]) -> Iterator[str]:
    """Yield what stands in variables and nowhere else."""
    told = {*STATUSES, "unknown"}
    told |= {text for row in rows if isinstance(row, dict) for text in _texts({**row, "vars": None})}
    for row in rows:
        for _, value in _entries(row.get("vars") if isinstance(row, dict) else None):
            if len(value) >= _SHORTEST_SECRET and not any(value in text for text in told):
                yield value


def _texts(found: Any) -> Iterator[str]:
    """Yield all values, however deep, as text."""
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, list):
        for value in found:
            yield from _texts(value)
    else:
        yield str(found)
