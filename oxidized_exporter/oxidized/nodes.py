"""From rows to devices: one for each set of labels, labels within bounds, secrets looked at and dropped."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from oxidized_exporter.oxidized.decode import decode_rows
from oxidized_exporter.oxidized.models import NEVER, SHORT_CHARACTERS, SUCCESS, Device, Devices, NodeList, Row
from oxidized_exporter.oxidized.times import Times

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from oxidized_exporter.config import Limits

_SECRET_KEY: Final = re.compile(r"enable|pass|secret|community|token|key", re.IGNORECASE)
_VARIABLES_BYTES: Final = 64 * 1024  # decoding cannot be interrupted; real variables have less than 1 KiB
_REMEMBERED_BYTES: Final = 256
_MAX_UTF8_WIDTH: Final = 4


def read_nodes(body: bytes | bytearray, *, limits: Limits, still_wanted: Callable[[], None] = lambda: None) -> NodeList:
    """Read the body of nodes.json; takes time in proportion to its rows.

    Args:
        body: is not kept, nor is any part of its ``vars``.
        limits: bounds of the rows and of a label's value.
        still_wanted: called again and again; what it raises ends the work.

    Raises:
        NotJsonError: not UTF-8, not JSON, or nested too deeply.
        SchemaError: no list, or rows of which none is readable.
        TooLargeError: too many rows.
    """
    found = decode_rows(body, max_rows=limits.rows, still_wanted=still_wanted)
    cutter = _Cutter(limits.label_bytes, longest=SHORT_CHARACTERS if found.labels_short else None)
    devices = _columns(found.rows, cut=cutter, still_wanted=still_wanted)
    kept = _without_duplicates(devices, still_wanted=still_wanted)
    return NodeList(devices=kept, duplicates=len(devices) - len(kept), invalid=found.invalid, cut_labels=cutter.cuts)


class _Cutter:
    """Cuts texts to a number of UTF-8 bytes, on a character boundary, and counts how often it had to."""

    def __init__(self, label_bytes: int, *, longest: int | None = None) -> None:
        """Take the limit, and how many characters no text has more than, where that is known."""
        self._limit = label_bytes
        self._nothing_to_do = longest is not None and longest * _MAX_UTF8_WIDTH <= label_bytes
        self.cuts = 0

    def __call__(self, texts: list[str]) -> list[str]:
        return texts if self._nothing_to_do else [self._cut(text) for text in texts]

    def _cut(self, text: str) -> str:
        if len(text) * _MAX_UTF8_WIDTH <= self._limit:
            return text
        encoded = text.encode()
        if len(encoded) <= self._limit:
            return text
        self.cuts += 1
        return encoded[: self._limit].decode(errors="ignore")


class _Exposures(dict[bytes, bool]):
    """Remembers what was found in the variables of one list, where they are short: most devices have the same few."""

    def __init__(self, still_wanted: Callable[[], None]) -> None:
        super().__init__()
        self._still_wanted = still_wanted

    def __missing__(self, variables: bytes) -> bool:
        self._still_wanted()
        exposed = _exposes_secrets(variables)
        if len(variables) <= _REMEMBERED_BYTES:
            self[variables] = exposed
        return exposed


def _columns(rows: Sequence[Row], *, cut: _Cutter, still_wanted: Callable[[], None]) -> Devices:
    """Read column after column, each in a loop that Python runs fast."""
    times = Times(still_wanted)
    exposures = _Exposures(still_wanted)
    jobs = [row.last for row in rows]
    statuses = [row.status or (row.last.status if row.last else NEVER) or "unknown" for row in rows]
    still_wanted()
    succeeded = [
        None if job is None else (job.status or status) == SUCCESS for job, status in zip(jobs, statuses, strict=True)
    ]
    start = list(map(times.__getitem__, [None if job is None else job.start for job in jobs]))
    end = list(map(times.__getitem__, [None if job is None else job.end for job in jobs]))
    still_wanted()
    return Devices(
        full_name=cut([row.name if row.full_name is None else row.full_name for row in rows]),
        name=cut([row.name for row in rows]),
        group=cut([row.group or "" for row in rows]),
        model=cut([row.model or "" for row in rows]),
        ip=cut([row.ip or "" for row in rows]),
        status=cut(statuses),
        succeeded=succeeded,
        start=start,
        end=end,
        # of -0.0 that is 0.0: which of two equal rows is kept must not show
        duration=[None if job is None or job.time is None else job.time + 0.0 for job in jobs],
        modified=list(map(times.__getitem__, [row.mtime for row in rows])),
        exposes_secrets=list(map(exposures.__getitem__, [bytes(row.vars) for row in rows])),
    )


def _without_duplicates(devices: Devices, *, still_wanted: Callable[[], None]) -> Devices:
    if len(set(devices.full_name)) == len(devices):
        return devices
    kept: dict[tuple[str, ...], Device] = {}
    for device in devices:
        still_wanted()
        identity = (device.full_name, device.name, device.group, device.model)
        rival = kept.get(identity)
        if rival is None or _precedence(device) > _precedence(rival):
            kept[identity] = device
    return Devices.of(kept.values())


def _precedence(device: Device) -> tuple[object, ...]:
    """Order rows of the same labels by what they say: the list is a queue, whose order changes all the time.

    The latest end of a job comes first, then the ip; the rest makes sure that no two different rows are equal.
    """
    times = (device.end, device.start, device.duration, device.modified)
    end, *others = (-math.inf if time is None else time for time in times)
    has_job, succeeded = device.succeeded is not None, bool(device.succeeded)
    return (end, device.ip, has_job, succeeded, *others, device.status, device.exposes_secrets)


def _decode_variables(variables: bytes) -> Any:
    try:
        return msgspec.json.decode(variables)
    except msgspec.DecodeError:  # half a character, or a number beyond all floats
        return json.loads(variables, parse_int=float)


def _exposes_secrets(variables: bytes) -> bool:
    """Tell whether a non-empty string stands under a key that names a secret, however deep (hence no recursion)."""
    if len(variables) > _VARIABLES_BYTES:
        return False
    try:
        pending = [_decode_variables(variables)]
    except (ValueError, RecursionError):
        return False  # nested as no variables are; the row is sound without them
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
