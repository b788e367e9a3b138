"""What all tables of measurements have: percentiles, and the machine that they were made on."""

from __future__ import annotations

import math
import os
import platform
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """Return what so large a share of the values does not exceed; not a number where there is none."""
    return sorted(values)[max(1, math.ceil(len(values) * share)) - 1] if values else math.nan


def machine() -> str:
    """Return which Python it is, and what it runs on."""
    linux = platform.release().split("-")[0]
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}, Linux {linux}"
