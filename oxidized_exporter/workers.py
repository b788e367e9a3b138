"""Threads for work that would hold the event loop."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Executor


class Workers:
    """One thread for what is small and one for what is large, so that what is small never waits behind what is large.

    Not more: they compute in Python, and each keeps the loop from its turn (docs/performance.md).
    """

    def __init__(self, name: str) -> None:
        """Name the threads."""
        self._small = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._large = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"{name}-large")

    def choose(self, *, large: bool) -> Executor:
        """Return where to run something."""
        return self._large if large else self._small

    def close(self) -> None:
        """Let nothing more begin, and wait for nothing."""
        for executor in (self._small, self._large):
            executor.shutdown(wait=False, cancel_futures=True)
