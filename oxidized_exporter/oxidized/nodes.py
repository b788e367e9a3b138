"""From rows to devices: one for each set of labels, labels within bounds, secrets looked at and dropped."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

import msgspec

from oxidized_exporter.oxidized.decode import decode_rows
from oxidized_exporter.oxidized.models import NEVER, SUCCESS, Device, Job, LastJob, NodeList, Row
from oxidized_exporter.oxidized.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxidized_exporter.config import Limits

_SECRET_KEY: Final = re.compile(r"enable|pass|secret|community|token|key", re.IGNORECASE)
_WITHOUT_VARIABLES: Final = frozenset({b"null", b"{}", b'{"enable":""}'})  # most rows have one of these
_VARIABLES_BYTES: Final = 64 * 1024  # decoding cannot be interrupted; real variables have less than 1 KiB
_MAX_UTF8_WIDTH: Final = 4


def read_nodes(body: bytes | bytearray, *, limits: Limits, check: Callable[[], None] = lambda: None) -> NodeList:
    """Read the body of nodes.json; takes time in proportion to its rows.

    Args:
        body: is not kept, nor is any part of its ``vars``.
        limits: bounds of the rows and of a label's value.
        check: called again and again; what it raises ends the work.

    Raises:
        NotJsonError: not UTF-8, not JSON, or nested too deeply.
        SchemaError: no list, or rows of which none is readable.
        TooLargeError: too many rows.
    """
    rows, invalid = decode_rows(body, max_rows=limits.rows, check=check)
    cutter = _Cutter(limits.label_bytes)
    devices: dict[tuple[str, ...], Device] = {}
    for row in rows:
        check()
        device = _device(row, cutter)
        rival = devices.get(device.labels)
        if rival is None or _precedence(device) > _precedence(rival):
            devices[device.labels] = device
    return NodeList(
        devices=tuple(devices.values()),
        duplicates=len(rows) - len(devices),
        invalid=invalid,
        cut_labels=cutter.cuts,
    )


class _Cutter:
    """Cuts texts to a number of UTF-8 bytes, on a character boundary, and counts how often it had to."""

    def __init__(self, label_bytes: int) -> None:
        self._limit = label_bytes
        self.cuts = 0

    def __call__(self, text: str) -> str:
        if len(text) * _MAX_UTF8_WIDTH <= self._limit:
            return text
        encoded = text.encode()
        if len(encoded) <= self._limit:
            return text
        self.cuts += 1
        return encoded[: self._limit].decode(errors="ignore")


def _device(row: Row, cut: _Cutter) -> Device:
    status = row.status or (row.last.status if row.last else NEVER) or "unknown"
    job = None if row.last is None else _job(row.last, status=status)
    return Device(
        full_name=cut(row.name if row.full_name is None else row.full_name),
        name=cut(row.name),
        group=cut(row.group or ""),
        model=cut(row.model or ""),
        ip=cut(row.ip or ""),
        status=cut(status),
        job=job,
        modified=parse_time(row.mtime),
        exposes_secrets=_exposes_secrets(row.vars),
    )


def _job(last: LastJob, *, status: str) -> Job:
    return Job(
        succeeded=(last.status or status) == SUCCESS,
        start=parse_time(last.start),
        end=parse_time(last.end),
        duration=last.time,
    )


def _precedence(device: Device) -> tuple[object, ...]:
    """Order rows of the same labels by what they say: the list is a queue, whose order changes all the time.

    The latest end of a job comes first, then the ip; the rest makes sure that no two different rows are equal.
    """
    job = device.job
    times = (None,) * 3 if job is None else (job.end, job.start, job.duration)
    end, *others = (-math.inf if time is None else time for time in (*times, device.modified))
    succeeded = job is not None and job.succeeded
    return (end, device.ip, job is not None, succeeded, *others, device.status, device.exposes_secrets)


def _exposes_secrets(variables: msgspec.Raw) -> bool:
    """Tell whether a non-empty string stands under a key that names a secret, however deep (hence no recursion)."""
    text = bytes(variables)
    if text in _WITHOUT_VARIABLES or len(text) > _VARIABLES_BYTES:
        return False
    try:
        pending = [msgspec.json.decode(text)]
    except (msgspec.DecodeError, RecursionError):
        return False  # half a character, or nested as no variables are; the row is sound without them
    while pending:
        found = pending.pop()
        if isinstance(found, dict):
            for key, value in found.items():
                if isinstance(value, str) and value and _SECRET_KEY.search(key):
                    return True
            pending.extend(found.values())
        elif isinstance(found, list):
            pending.extend(found)
    return False
