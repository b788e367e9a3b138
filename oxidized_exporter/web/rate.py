"""A limit on how often something may happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class TokenBucket:
    """Holds ``burst`` tokens at first and at most, and one more after each ``interval`` seconds."""

    def __init__(self, *, interval: float, burst: int, clock: Callable[[], float]) -> None:
        """Fill the bucket; ``clock`` tells monotonic seconds, ``interval`` is more than 0."""
        self._interval = interval
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._then = clock()

    def take(self) -> bool:
        """Take one token, or tell that there is none."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._then) / self._interval)
        self._then = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
