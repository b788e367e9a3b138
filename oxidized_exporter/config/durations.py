"""Durations as Prometheus writes them: ``1m30s``, ``500ms``."""

from __future__ import annotations

import re
from typing import Final

# Milliseconds of each unit, in the order in which they stand.
_UNITS: Final = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_ONLY_WHOLE: Final = {"y", "w"}  # written only where nothing is left over
DURATION: Final = f"^(?:{''.join(f'(?:([0-9]+){unit})?' for unit in _UNITS)}|0)$"
"""Regular expression that every duration matches."""
_MAX: Final = (2**63 - 1) // 1_000_000  # what Prometheus can hold


def parse_duration(text: str) -> float:
    """Return the seconds of ``text``; ``0`` needs no unit.

    Raises:
        ValueError: it is no duration. The message says what would be right.
    """
    if text == "0":
        return 0.0
    matched = re.fullmatch(DURATION, text)
    if not text or matched is None:
        raise ValueError("must be a duration, units from the largest to the smallest: 1m30s, 500ms, 2h")
    milliseconds = sum(
        int(count.lstrip("0")[:20] or "0") * size
        for count, size in zip(matched.groups("0"), _UNITS.values(), strict=True)
    )
    if milliseconds > _MAX:
        raise ValueError("must be a duration of less than 292 years")
    return milliseconds / 1000


def format_duration(seconds: float) -> str:
    """Write ``seconds``, which are 0 or more, to the millisecond."""
    rest = round(seconds * 1000)
    written = ""
    for unit, size in _UNITS.items():
        if rest >= size and not (unit in _ONLY_WHOLE and rest % size):
            written += f"{rest // size}{unit}"
            rest %= size
    return written or "0s"
