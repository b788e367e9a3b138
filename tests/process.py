"""What a process takes of the machine, as Linux counts it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

SELF: Final = "self"
"""In place of a number: the process that asks."""

Pid = int | str
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: Pid = SELF) -> int:
    """Return how much memory of a process is in place."""
    return _bytes_of(pid, "status", "VmRSS")


def peak_bytes(pid: Pid = SELF) -> int:
    """Return how much that was at most, since the start or `forget_peak`."""
    return _bytes_of(pid, "status", "VmHWM")


def forget_peak(pid: Pid = SELF) -> None:
    """Let the peak begin anew."""
    (_proc(pid) / "clear_refs").write_text("5")


def share_bytes(pid: Pid) -> int:
    """Return a process's share of its resident memory: pages that several processes map count in parts."""
    return _bytes_of(pid, "smaps_rollup", "Pss")


def processor_seconds(pid: Pid) -> float:
    """Return the processor time since the start of a process, in user and in system mode."""
    fields = (_proc(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def descriptors(pid: Pid) -> list[Path]:
    """Return the open descriptors of a process, each a link; one may be gone when it is looked at."""
    return list((_proc(pid) / "fd").iterdir())


def threads(pid: Pid = SELF) -> list[Path]:
    """Return the folders of the threads of a process; likewise."""
    return list((_proc(pid) / "task").iterdir())


def _proc(pid: Pid) -> Path:
    return Path(f"/proc/{pid}")


def _bytes_of(pid: Pid, file: str, field: str) -> int:
    (line,) = (line for line in (_proc(pid) / file).read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024
