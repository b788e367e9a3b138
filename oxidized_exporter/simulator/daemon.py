"""The state of one Oxidized daemon: its queue of nodes, its jobs, and what it remembers of them.

Modelled on the worker, queue and nodes of Oxidized 0.30 to 0.37 with `use_max_threads: true`. Not modelled: the
worker's tick (it looks at its jobs once a second, so a real `mtime` is up to a second later than `last.end`), and
that a retry or "next" looks a node up by its name alone and so can hit its namesake in another group.
"""

from __future__ import annotations

import heapq
import math
import time
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from oxidized_exporter.simulator.device import Outcome
from oxidized_exporter.simulator.state import Job, NodeState, Output

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oxidized_exporter.simulator.clock import Clock
    from oxidized_exporter.simulator.device import Device


@dataclass(slots=True, eq=False)
class _Node:
    """A device in the queue. `revision` is its configuration's, `stored` the one kept on disk."""

    device: Device
    revision: int = 0
    stored: int | None = None
    last: Job | None = None
    mtime: float | None = None
    retries: int = 0
    jobs: int = 0
    running: bool = False

    def forget(self) -> None:
        """Lose what Oxidized holds in memory; what is stored stays."""
        self.last = self.mtime = None
        self.retries = self.jobs = 0
        self.running = False

    def next_job_seconds(self) -> float:
        hangs = self.device.hangs_after is not None and self.jobs >= self.device.hangs_after
        return math.inf if hangs else self.device.job_seconds


class Daemon:
    """One Oxidized daemon, brought forward to its clock's present whenever it is read or changed.

    It owns no task and no thread, and the same calls at the same times give the same states. A clock that steps
    back changes nothing until it has caught up. Several devices may have the same full name, as in Oxidized: what
    is done by full name is then done to all of them.

    Args:
        devices: in the order of the source.
        clock: answers the present in Unix seconds.
        interval: seconds from a job's end until the device is due again; 0 as in Oxidized: never by itself.
        retries: how often a failed job is repeated before its status stands.
        threads: how many jobs may run at once.
        output: where configurations go.
        started: when the daemon started, in Unix seconds; by default now. From a start in the past the first read
            replays what has happened since.

    Raises:
        ValueError: a setting outside its range, or a start in the future.
    """

    def __init__(
        self,
        devices: Iterable[Device],
        *,
        clock: Clock = time.time,
        interval: float = 3600.0,
        retries: int = 3,
        threads: int = 30,
        output: Output = Output.GIT,
        started: float | None = None,
    ) -> None:
        if not (interval == 0 or (math.isfinite(interval) and interval >= 1)):
            raise ValueError(f"interval is 0, or 1 second or more, not {interval!r}")
        if retries < 0 or threads < 1:
            raise ValueError(f"retries ({retries}) starts at 0, threads ({threads}) at 1")
        now = clock()
        if started is not None and not (math.isfinite(started) and started <= now):
            raise ValueError(f"the daemon starts now ({now!r}) or earlier, not at {started!r}")
        self._clock = clock
        self._interval = interval
        self._retries = retries
        self._threads = threads
        self._output = output
        self._now = now if started is None else started
        self._order = count()
        self._configured: list[_Node] = []
        self._named: defaultdict[str, list[_Node]] = defaultdict(list)
        for device in devices:
            self._configure(device)
        self._begin()

    def nodes(self) -> tuple[NodeState, ...]:
        """Return every device's state in the order of the queue, which is the order of nodes.json."""
        self._catch_up()
        return tuple(
            NodeState(
                device=node.device,
                last=node.last,
                mtime=node.mtime,
                retries=node.retries,
                running=node.running,
            )
            for node in self._queue
        )

    def set_outcome(self, full_name: str, outcome: str, *, job_seconds: float | None = None) -> None:
        """Let a device's jobs end otherwise from now on, the one that is running included.

        Args:
            full_name: of the device.
            outcome: an `Outcome`, or any other status.
            job_seconds: how long its next jobs take, `math.inf` for ever; None leaves it.

        Raises:
            KeyError: no device has this full name.
            ValueError: a duration that no job has.
        """
        for node in self._find(full_name):
            seconds = node.device.job_seconds if job_seconds is None else job_seconds
            node.device = replace(node.device, outcome=outcome, job_seconds=seconds)

    def change_config(self, full_name: str) -> None:
        """Change a device's configuration: its next successful job stores something new.

        Raises:
            KeyError: no device has this full name.
        """
        for node in self._find(full_name):
            node.revision += 1

    def next(self, full_name: str) -> None:
        """Do what /node/next does: forget the last job and move the device to the head of the queue.

        A device that is running is left alone.

        Raises:
            KeyError: no device has this full name.
        """
        for node in self._find(full_name):
            if not node.running:
                self._move_to_head(node)
        self._catch_up()

    def add(self, device: Device) -> None:
        """Take in a device as a reload does: at the head of the queue, where what never ran goes."""
        self._catch_up()
        node = self._configure(device)
        self._queue[node] = None
        self._move_to_head(node)
        self._catch_up()

    def remove(self, full_name: str) -> None:
        """Drop a device; a running job of it ends without a trace, but holds its thread until then.

        Raises:
            KeyError: no device has this full name.
        """
        for node in self._find(full_name):
            self._configured.remove(node)
            del self._queue[node]
        del self._named[full_name]

    def restart(self) -> None:
        """Start anew at the present: all that is only in memory is lost, running and hung jobs with it."""
        self._catch_up()
        self._begin()
        self._catch_up()

    def _configure(self, device: Device) -> _Node:
        node = _Node(device)
        self._configured.append(node)
        self._named[device.full_name].append(node)
        return node

    def _begin(self) -> None:
        for node in self._configured:
            node.forget()
        self._queue: OrderedDict[_Node, None] = OrderedDict.fromkeys(self._configured)
        # End, a tie-breaker in the order of starting, node, start, seconds.
        self._ends: list[tuple[float, int, _Node, float, float]] = []
        self._running = 0

    def _find(self, full_name: str) -> list[_Node]:
        self._catch_up()
        if full_name not in self._named:
            raise KeyError(f"no device has the full name {full_name!r}")
        return self._named[full_name]

    def _catch_up(self) -> None:
        """Go from event to event, a job's end or the head of the queue falling due, up to the present."""
        present = self._clock()
        if present < self._now:
            return
        self._start_due_jobs()
        while (event := self._next_event()) <= present:
            self._now = event
            while self._ends and self._ends[0][0] <= event:
                self._end_job()
            self._start_due_jobs()
        self._now = present

    def _next_event(self) -> float:
        end = self._ends[0][0] if self._ends else math.inf
        return min(end, self._due(next(iter(self._queue)))) if self._has_free_thread() else end

    def _has_free_thread(self) -> bool:
        # No more jobs than nodes, or a queue of running nodes would be turned for ever.
        return self._running < min(self._threads, len(self._queue))

    def _due(self, node: _Node) -> float:
        if node.last is None:
            return self._now
        return node.last.end + self._interval if self._interval else math.inf

    def _start_due_jobs(self) -> None:
        while self._has_free_thread():
            node = next(iter(self._queue))
            # Only the head counts: one that is not due yet holds up those behind it.
            if self._due(node) > self._now:
                return
            self._queue.move_to_end(node)
            if not node.running:
                self._start_job(node)

    def _start_job(self, node: _Node) -> None:
        node.running = True
        self._running += 1
        seconds = node.next_job_seconds()
        if math.isfinite(seconds):
            heapq.heappush(self._ends, (self._now + seconds, next(self._order), node, self._now, seconds))

    def _end_job(self) -> None:
        end, _, node, start, seconds = heapq.heappop(self._ends)
        self._running -= 1
        if node not in self._queue:
            return
        node.running = False
        node.jobs += 1
        node.last = Job(start=start, end=end, status=node.device.outcome, seconds=seconds)
        if node.device.outcome == Outcome.SUCCESS:
            node.retries = 0
            self._store(node)
        elif node.retries < self._retries:
            node.retries += 1
            self._move_to_head(node)
        else:
            node.retries = 0

    def _store(self, node: _Node) -> None:
        # Oxidized 0.30.1 and 0.34.3 commit a device in the empty group at every run, changed or not (recorded).
        always = self._output is Output.FILE or node.device.group == ""
        if always or node.stored != node.revision:
            node.stored = node.revision
            node.mtime = self._now

    def _move_to_head(self, node: _Node) -> None:
        node.last = None
        self._queue.move_to_end(node, last=False)
