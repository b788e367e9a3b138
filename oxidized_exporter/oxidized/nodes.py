"""From rows to devices: one for each set of labels, labels within bounds, secrets looked at and dropped."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from oxidized_exporter.oxidized.decode import decode_rows
from oxidized_exporter.oxidized.models import NEVER, SUCCESS, Device, Job, LastJob, NodeList, Row
from oxidized_exporter.oxidized.times import parse_time

_SECRET_KEY: Final = re.compile(r"enable|pass|secret|community|token|key", re.IGNORECASE)
_MAX_UTF8_WIDTH: Final = 4


def read_nodes(body: bytes | bytearray, *, label_bytes: int) -> NodeList:
    """Read the body of nodes.json.

    Args:
        body: is not kept, nor is any part of its ``vars``.
        label_bytes: bound of a label's value.

    Raises:
        NotJsonError: not UTF-8, not JSON, or nested too deeply.
        SchemaError: no list, or rows of which none is readable.
    """
    rows, invalid = decode_rows(body)
    cutter = _Cutter(label_bytes)
    devices: dict[tuple[str, ...], Device] = {}
    for row in rows:
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
    job = None if row.last is None else _job(row.last)
    status = row.status or (row.last.status if row.last else NEVER) or "unknown"
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


def _job(last: LastJob) -> Job:
    duration = last.time
    return Job(
        succeeded=last.status == SUCCESS,
        start=parse_time(last.start),
        end=parse_time(last.end),
        duration=duration if duration is not None and math.isfinite(duration) else None,
    )


def _precedence(device: Device) -> tuple[object, ...]:
    """Order rows of the same labels by what they say: the list is a queue, whose order changes all the time."""
    job = device.job
    end = -math.inf if job is None or job.end is None else job.end
    return (end, device.ip, device.modified or 0.0, device.status, device.exposes_secrets)


def _exposes_secrets(variables: Any) -> bool:
    """Tell whether a non-empty string stands under a key that names a secret, however deep (hence no recursion)."""
    pending = [variables]
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
