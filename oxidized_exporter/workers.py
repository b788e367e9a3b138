"""Threads for work that would hold the event loop."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

LARGE_BYTES: Final = 1024 * 1024
"""A body of more, about 3,000 devices, is large: it takes 20 ms and more, as long as twenty small ones."""
LARGE_DEVICES: Final = 3_000
"""The same for what is written of devices."""

_Result = TypeVar("_Result")


class Workers:
    """One thread for what is small and one for what is large, so that what is small never waits behind what is large.

    Not more for a kind of work: they compute in Python, and each keeps the loop from its turn (docs/performance.md).

    Attributes:
        beside: one more, for what work leaves to a library that lets go of the interpreter.
    """

    def __init__(self, name: str) -> None:
        """Name the threads."""
        self._small = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._large = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"{name}-large")
        self.beside = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"{name}-beside")

    async def run(self, work: Callable[[Callable[[], None]], _Result], *, large: bool) -> _Result:
        """Run ``work`` in a thread and return what it returns.

        On cancellation work that has not begun never does, and work under way ends when it next calls what it is given
        to call again and again.

        Args:
            work: takes a function that raises once nobody waits for the result any more.
            large: which thread.
        """
        abandoned = threading.Event()

        def still_wanted() -> None:
            if abandoned.is_set():
                raise _AbandonedError

        try:
            thread = self._large if large else self._small
            return await asyncio.get_running_loop().run_in_executor(thread, work, still_wanted)
        finally:
            abandoned.set()

    def close(self) -> None:
        """Let nothing more begin, and wait for nothing."""
        for executor in (self._small, self._large, self.beside):
            executor.shutdown(wait=False, cancel_futures=True)


class _AbandonedError(Exception):
    """Ends work for which nobody waits any more."""
