"""Ages as people read them."""

from __future__ import annotations

from typing import Final

from oxidized_exporter.config.durations import format_duration

# From so many seconds on, parts smaller than the unit beside it are left out.
_COARSENESS: Final = ((7 * 86400, 86400), (86400, 3600), (60, 60), (0, 1))


def format_age(seconds: float) -> str:
    """Write an age as exactly as it matters, ``3d4h``, ``36m``; what lies ahead, by a clock that differs, is ``0s``."""
    whole = max(0.0, seconds)
    unit = next(unit for least, unit in _COARSENESS if whole >= least)
    return format_duration(whole // unit * unit)
