"""Connections that wait for their client: to hold one costs it nothing, so there are not more than so many."""

from __future__ import annotations

import asyncio
import resource
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST: Final = 1000
# Of the files that the process may open. A connection waits in one of three ways (see `connections`); what all three
# together leave is for requests, and for Oxidized.
_SHARE: Final = 4


class Waiter(Protocol):
    """A connection that waits for its client."""

    def give_up(self, *, late: bool) -> None:
        """End it; ``late`` where its time is over, and not where it has to make room."""


class Waiting:
    """Those that wait for the same thing, the longest first.

    One more than may wait takes the place of the one that has waited longest: who asks at once is served, however many
    there are that do not.
    """

    def __init__(
        self, *, seconds: float | None, crowded: Callable[[], None], too_much: Callable[[], bool] = lambda: False
    ) -> None:
        """Let none be there before :meth:`begin`.

        Args:
            seconds: for which each may wait; None for any time.
            crowded: told of each that had to make room.
            too_much: whether those that are there hold too much, however few they are; one may always be there.
        """
        self.most = most_waiting()
        self._seconds = seconds
        self._crowded = crowded
        self._too_much = too_much
        self._timers: dict[Waiter, asyncio.TimerHandle | None] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._timers)

    def begin(self, waiter: Waiter) -> None:
        """Let one more wait."""
        self.end(waiter)
        while self._timers and (len(self._timers) >= self.most or self._too_much()):
            longest = next(iter(self._timers))
            self.end(longest)
            self._crowded()
            longest.give_up(late=False)
        timer = None
        if self._seconds is not None:
            timer = asyncio.get_running_loop().call_later(self._seconds, self._late, waiter)
        self._timers[waiter] = timer

    def end(self, waiter: Waiter) -> None:
        """Let one wait no longer; nothing where it does not."""
        if timer := self._timers.pop(waiter, None):
            timer.cancel()

    def _late(self, waiter: Waiter) -> None:
        self.end(waiter)
        waiter.give_up(late=True)


def most_waiting() -> int:
    """Return how many may wait: fewer where the process may open few files."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST if files == resource.RLIM_INFINITY else min(_MOST, max(files // _SHARE, 1))
