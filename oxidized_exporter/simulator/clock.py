"""The time that a simulated daemon lives in."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias

Clock: TypeAlias = Callable[[], float]
"""Answers the present as Unix seconds; `time.time` is one."""

RECORDED = 1_795_335_968.0
"""2026-11-22 08:26:08 UTC, when the nodes.json of Oxidized 0.37.0 in the tests was recorded."""


class ManualClock:
    """A clock that stands still until it is told to advance.

    Args:
        now: the first present, in Unix seconds.
    """

    def __init__(self, now: float = RECORDED) -> None:
        self._now = now

    def __call__(self) -> float:
        """Answer the present as Unix seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the present `seconds` ahead.

        Raises:
            ValueError: `seconds` is negative, infinite or not a number.
        """
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(f"a clock advances by a finite number of seconds, zero or more, not {seconds!r}")
        self._now += seconds


@lru_cache(maxsize=65_536)
def timestamp(seconds: int) -> str:
    """Spell out Unix seconds as Oxidized does."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
