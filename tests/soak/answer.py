"""What a probe's answer says, as far as it is judged: read off the text, without a parser's time for 7,000 samples."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """Sums over a node list.

    Attributes:
        by_status: devices by status, without zeros.
        newest: when the latest job ended, Unix seconds; None where none has.
    """

    by_status: dict[str, int]
    newest: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What a simulated instance has answered of late, and what its configurations are.

    Attributes:
        nodes: sums over its last node lists.
        jobs: how many jobs had ended, by its last statistics pages.
        config_bytes: sum over the configurations that it has stored.
    """

    nodes: tuple[Nodes, ...]
    jobs: tuple[int, ...]
    config_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an answer says.

    Attributes:
        whole: whether it ends as OpenMetrics does.
        up: `oxidized_status`; None where it is missing.
        reason: of `oxidized_probe_failure_info`.
        collectors: which of them succeeded.
        rows: devices that have series.
        nodes: sums over the devices.
        jobs: sum over `oxidized_device_backups_total`.
        config_bytes: sum over `oxidized_device_config_size`.
        pending: configurations that there was no time for.
    """

    whole: bool
    up: bool | None
    reason: str | None = None
    collectors: dict[str, bool] = field(default_factory=dict)
    rows: int = 0
    nodes: Nodes = field(default_factory=lambda: Nodes(by_status={}, newest=None))
    jobs: int = 0
    config_bytes: int = 0
    pending: int = 0


_LABEL = re.compile(rb'="(\w+)"')


def read(text: bytes) -> Answer:
    """Read an exposition in OpenMetrics format."""
    up, newest = _value(text, b"oxidized_status"), _value(text, b"oxidized_newest_job_timestamp_seconds")
    return Answer(
        whole=text.endswith(b"\n# EOF\n"),
        up=None if up is None else up == 1,
        reason=next(iter(_by_label(text, b"oxidized_probe_failure_info")), None),
        collectors={name: value == 1 for name, value in _by_label(text, b"oxidized_collector_success").items()},
        rows=len(_family(text, b"oxidized_device_info")),
        nodes=Nodes(
            by_status={name: int(value) for name, value in _by_label(text, b"oxidized_devices").items() if value},
            newest=None if newest is None else int(newest),
        ),
        jobs=int(sum(map(_of_line, _family(text, b"oxidized_device_backups_total")))),
        config_bytes=int(sum(map(_of_line, _family(text, b"oxidized_device_config_size")))),
        pending=int(_value(text, b"oxidized_configs_pending") or 0),
    )


def _value(text: bytes, name: bytes) -> float | None:
    """Return the value of a sample without labels."""
    start = text.find(b"\n" + name + b" ")
    return None if start < 0 else _of_line(text[start + 1 : text.index(b"\n", start + 1)])


def _by_label(text: bytes, name: bytes) -> dict[str, float]:
    """Return the values of a family by its only label."""
    return {label[1].decode(): _of_line(line) for line in _family(text, name) if (label := _LABEL.search(line))}


def _family(text: bytes, name: bytes) -> list[bytes]:
    """Return the lines of samples with labels, which stand together."""
    before = b"\n" + name + b"{"
    first, last = text.find(before), text.rfind(before)
    return [] if first < 0 else text[first + 1 : text.index(b"\n", last + 1)].split(b"\n")


def _of_line(line: bytes) -> float:
    return float(line.rpartition(b" ")[2])
