"""What a process has: tasks, threads, open files and sockets; and how long it waited for a processor."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests import process
from tests.process import SELF, Pid

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE: Final = 10.0  # less than the 15 s after which the HTTP library lets go of an idle connection by itself
_A_WHILE: Final = 0.1
_AT_REST: Final = 0.01  # seconds of work in a while
# Threads that are made when they are needed first, and kept: the exporter's, and one in which pycares ends channels.
_KEPT: Final = re.compile(r"(decode|encode|check)(-large|-beside)?_0|read_[0-3]|.*_run_safe_shutdown_loop.*")
_NUMBER: Final = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What this process has.

    Attributes:
        tasks: of the running loop.
        threads: by name, without those that are kept when they are made once.
        natives: threads that Python has not made.
        files: how many of each sort, sockets included.
    """

    tasks: frozenset[asyncio.Task[object]]
    threads: Counter[str]
    natives: int
    files: Counter[str] = field(default_factory=Counter)

    @classmethod
    def now(cls) -> Left:
        threads = threading.enumerate()
        present = {int(thread.name) for thread in process.threads()}
        return cls(
            tasks=frozenset(task for task in asyncio.all_tasks() if not task.done()),
            threads=Counter(_NUMBER.sub("", t.name) for t in threads if not _KEPT.fullmatch(t.name)),
            natives=len(present - {thread.native_id for thread in threads}),
            files=files(),
        )

    def beyond(self, before: Left) -> str:
        """Say what there is more than before; nothing where there is not."""
        more = (
            self.tasks - before.tasks,
            self.threads - before.threads,
            max(0, self.natives - before.natives),
            self.files - before.files,
        )
        return " ".join(map(str, filter(None, more)))


async def no_more_than(before: Left) -> None:
    """Wait until this process has no more than it had."""
    await nothing_of(lambda: Left.now().beyond(before))


async def nothing_of(more: Callable[[], object]) -> None:
    """Wait until there is nothing left of something."""
    end = time.monotonic() + _PATIENCE
    while left := more():
        assert time.monotonic() < end, f"left behind: {left}"
        await asyncio.sleep(0.01)  # nothing tells of the end of a thread, or of a socket


def files(pid: Pid = SELF) -> Counter[str]:
    """Count the open files of a process by sort: what of a name is no number."""
    found: Counter[str] = Counter()
    for file in process.descriptors(pid):
        with suppress(FileNotFoundError):  # closed meanwhile, as that of this listing
            found[_NUMBER.sub("", str(file.readlink()))] += 1
    return found


async def work_after(pid: Pid) -> float:
    """Wait until a process has nothing to do, and return for how many seconds it had."""
    began = last = _worked(pid)
    end = time.monotonic() + _PATIENCE
    while True:
        await asyncio.sleep(_A_WHILE)  # nothing tells of the end of work in a thread that is kept
        now = _worked(pid)
        if now - last < _AT_REST:
            return now - began
        assert time.monotonic() < end, "it works on and on"
        last = now


def _worked(pid: Pid) -> float:
    """Return how many seconds the threads that a process has were on a processor."""
    spent = (int((thread / "schedstat").read_text().split()[0]) for thread in process.threads(pid))
    return sum(spent) / 1e9


def starved(*pids: Pid) -> float:
    """Return how many seconds the threads of processes were ready to run, and the machine had no processor for them.

    It is the time that is to be taken off a duration on a machine that does other things. 0 where the kernel does not
    tell it.
    """
    waited = 0
    for pid in pids:
        for thread in process.threads(pid):
            with suppress(FileNotFoundError, ProcessLookupError):
                waited += int((thread / "schedstat").read_text().split()[1])
    return waited / 1e9
