"""What a process takes of the machine, as Linux counts it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One reading.

    Attributes:
        processor: seconds in user and in system mode since its start.
        rss: resident MiB.
        pss: of these its share: pages that several processes map count in parts.
        descriptors: that are open.
        threads: that there are.
    """

    processor: float
    rss: float
    pss: float
    descriptors: int
    threads: int


def read(pid: int) -> Taken:
    """Read what a process takes now."""
    proc = Path(f"/proc/{pid}")
    fields = (proc / "stat").read_text().rpartition(")")[2].split()
    status = _kibibytes((proc / "status").read_text(), "VmRSS")
    return Taken(
        processor=(int(fields[11]) + int(fields[12])) / _TICKS,
        rss=status / 1024,
        pss=_kibibytes((proc / "smaps_rollup").read_text(), "Pss") / 1024,
        descriptors=sum(1 for _ in (proc / "fd").iterdir()),
        threads=int(fields[17]),
    )


def _kibibytes(text: str, field: str) -> int:
    (line,) = (line for line in text.splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1])
