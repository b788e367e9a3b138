"""The state of one Oxidized daemon: its queue of nodes, its jobs, and what it remembers of them.

Modelled on the worker, queue and nodes of Oxidized 0.30 to 0.37 with `use_max_threads: true`. Not modelled: the
worker's tick (it looks at its jobs once a second, so a real `mtime` is up to a second later than `last.end`), and
that a retry looks a node up by its name alone and so can hit its namesake in another group.
"""

from __future__ import annotations

import heapq
import math
import time
from collections import OrderedDict, defaultdict
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from oxidized_exporter.simulator.configurations import Configuration
from oxidized_exporter.simulator.device import Outcome
from oxidized_exporter.simulator.node import Node
from oxidized_exporter.simulator.source import read_again
from oxidized_exporter.simulator.state import Job, NodeState, NodeStats, Output
from oxidized_exporter.simulator.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oxidized_exporter.simulator.clock import Clock
    from oxidized_exporter.simulator.device import Device


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
        self._storage = Storage(output)
        self._now = now if started is None else started
        self._order = count()
        self._queue: OrderedDict[Node, None] = OrderedDict()
        self._source: tuple[Device, ...] | None = None
        self._configure(Node(device) for device in devices)
        self._begin()

    def nodes(self) -> tuple[NodeState, ...]:
        """Return every device's state in the order of the queue, which is the order of nodes.json."""
        self._catch_up()
        return tuple(node.read() for node in self._queue)

    def stats(self) -> dict[str, NodeStats]:
        """Return the statistics by name, in the order of the queue; of namesakes one stands for all, as in Oxidized."""
        self._catch_up()
        return {name: node.history.read() for name, node in {node.device.name: node for node in self._queue}.items()}

    def fetch(self, name: str, group: str | None) -> bytes | None:
        """Return what is stored for a name under the group that is asked for: `Storage.fetch`.

        Raises:
            KeyError: no device has this name.
            NoFileError: the file output fails on it.
        """
        self._catch_up()
        if name not in self._names:
            raise KeyError(f"no device has the name {name!r}")
        return self._storage.fetch(name, group)

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
        """Change a device's configuration to another made-up one: its next successful job stores it.

        Raises:
            KeyError: no device has this full name.
        """
        for node in self._find(full_name):
            node.revision += 1
            node.device = replace(node.device, configuration=None)

    def set_configuration(self, full_name: str, text: str | bytes) -> None:
        """Change a device's configuration to exactly this: its next successful job stores it.

        Raises:
            KeyError: no device has this full name.
        """
        for node in self._find(full_name):
            node.device = replace(node.device, configuration=text)

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

    def next_named(self, name: str) -> None:
        """Do what the web's /node/next does with a name, or an address, whatever the group.

        The first device of this name moves to the head of the queue; none does while one of this name is running.

        Raises:
            KeyError: no device has this name.
        """
        self._catch_up()
        found = [node for node in self._queue if name in {node.device.name, node.device.ip}]
        if not found:
            raise KeyError(f"no device has the name {name!r}")
        if not any(node.running for node in found):
            self._move_to_head(found[0])
            self._catch_up()

    def add(self, device: Device) -> None:
        """Take in a device as if it had been there: at the head of the queue, where what never ran goes."""
        self._catch_up()
        self._configure([*self._configured, node := Node(device)])
        self._queue[node] = None
        self._move_to_head(node)
        self._catch_up()

    def remove(self, full_name: str) -> None:
        """Drop a device; a running job of it ends without a trace, but holds its thread until then.

        Raises:
            KeyError: no device has this full name.
        """
        for node in (dropped := self._find(full_name)):
            del self._queue[node]
        self._configure(node for node in self._configured if node not in dropped)

    def change_source(self, devices: Iterable[Device]) -> None:
        """Let the source name these devices from the next reload or restart on."""
        self._source = tuple(devices)

    def reload(self) -> None:
        """Do what /reload does: read the source again, as Oxidized 0.37 does.

        A device of which the source says the same goes on as it was, one that is gone is dropped as `remove` does.
        A changed one is new, but has the last job, `mtime` and statistics of whichever had its name.
        """
        self._catch_up()
        if self._source is not None:
            self._configure(read_again(self._source, self._configured))
            self._source = None
        # What never ran first, then by the end of the last job.
        kept = [node for node in self._queue if node in self._configured]
        ends = {node: -math.inf if node.last is None else node.last.end for node in self._configured}
        self._queue = OrderedDict.fromkeys(sorted([*kept, *self._configured], key=ends.__getitem__))
        self._catch_up()

    def restart(self) -> None:
        """Start anew at the present: all that is only in memory is lost, running and hung jobs with it."""
        self.reload()
        self._begin()
        self._catch_up()

    def _configure(self, nodes: Iterable[Node]) -> None:
        """Know these nodes and no others; the queue is the caller's."""
        self._configured = dict.fromkeys(nodes)
        self._named: defaultdict[str, list[Node]] = defaultdict(list)
        for node in self._configured:
            self._named[node.device.full_name].append(node)
        self._names = {node.device.name for node in self._configured}

    def _begin(self) -> None:
        for node in self._configured:
            node.forget()
        self._queue = OrderedDict.fromkeys(self._configured)
        # End, a tie-breaker in the order of starting, node, start, seconds.
        self._ends: list[tuple[float, int, Node, float, float]] = []
        self._running = 0

    def _find(self, full_name: str) -> list[Node]:
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

    def _due(self, node: Node) -> float:
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

    def _start_job(self, node: Node) -> None:
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
        node.history.add(node.last)
        if node.device.outcome == Outcome.SUCCESS:
            node.retries = 0
            if self._storage.store(node.device, Configuration.of(node.device, node.revision)):
                node.mtime = self._now
        elif node.retries < self._retries:
            node.retries += 1
            self._move_to_head(node)
        else:
            node.retries = 0

    def _move_to_head(self, node: Node) -> None:
        node.last = None
        self._queue.move_to_end(node, last=False)
