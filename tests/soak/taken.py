"""What is read of the exporter's process again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests import process

_MEBIBYTE: Final = 1024 * 1024


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


def taken_by(pid: int) -> Taken:
    """Read what a process takes now."""
    return Taken(
        processor=process.processor_seconds(pid),
        rss=process.resident_bytes(pid) / _MEBIBYTE,
        pss=process.share_bytes(pid) / _MEBIBYTE,
        descriptors=len(process.descriptors(pid)),
        threads=len(process.threads(pid)),
    )
