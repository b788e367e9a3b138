"""A device in a daemon's queue, with all that the daemon remembers of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oxidized_exporter.simulator.device import Outcome
from oxidized_exporter.simulator.state import NodeState, NodeStats

if TYPE_CHECKING:
    from oxidized_exporter.simulator.device import Device
    from oxidized_exporter.simulator.state import Job

_HISTORY = 11
"""Oxidized's `history_size` is 10, and it drops the oldest one job late."""


@dataclass(slots=True, eq=False)
class JobHistory:
    """What the statistics page is made of. Every attempt counts, retries too.

    Attributes:
        successes: jobs that ended with `success`.
        failures: jobs that ended otherwise.
        success_seconds: durations of the last successes.
        no_connection_seconds: durations of the last jobs that ended with `no_connection`.
        last_success: when a job last succeeded, in Unix seconds.
        last_no_connection: when one last ended with `no_connection`; the page knows no other failure's time.
    """

    successes: int = 0
    failures: int = 0
    success_seconds: list[float] = field(default_factory=list)
    no_connection_seconds: list[float] = field(default_factory=list)
    last_success: float | None = None
    last_no_connection: float | None = None

    def add(self, job: Job) -> None:
        """Count a job that ended."""
        if job.status == Outcome.SUCCESS:
            self.successes += 1
            self.last_success = job.end
            _push(self.success_seconds, job.seconds)
            return
        self.failures += 1
        if job.status == Outcome.NO_CONNECTION:
            self.last_no_connection = job.end
            _push(self.no_connection_seconds, job.seconds)

    def read(self) -> NodeStats:
        """Return what the page shows."""
        return NodeStats(
            runs=self.successes + self.failures,
            failures=self.failures,
            average_seconds=self._average(),
            last_success=self.last_success,
            last_no_connection=self.last_no_connection,
        )

    def _average(self) -> float:
        # As the page computes it: the last durations, divided by the number of all jobs since the start.
        averages = [
            sum(seconds) / jobs
            for seconds, jobs in (
                (self.success_seconds, self.successes),
                (self.no_connection_seconds, self.failures),
            )
            if seconds
        ]
        return sum(averages) / len(averages) if averages else 0.0


def _push(seconds: list[float], newest: float) -> None:
    if len(seconds) == _HISTORY:
        del seconds[0]
    seconds.append(newest)


@dataclass(slots=True, eq=False)
class Node:
    """A device in the queue. `revision` is its configuration's, on the device."""

    device: Device
    revision: int = 0
    last: Job | None = None
    mtime: float | None = None
    retries: int = 0
    jobs: int = 0
    running: bool = False
    history: JobHistory = field(default_factory=JobHistory)

    def forget(self) -> None:
        """Lose what Oxidized holds in memory; what is stored stays."""
        self.last = self.mtime = None
        self.retries = self.jobs = 0
        self.running = False
        self.history = JobHistory()

    def take_over(self, namesake: Node) -> None:
        """Carry on for a node of the same name, as one that a reload changes does."""
        self.last, self.mtime, self.history = namesake.last, namesake.mtime, namesake.history
        self.revision, self.jobs = namesake.revision, namesake.jobs

    def next_job_seconds(self) -> float:
        """Say how long the next job takes, in seconds."""
        hangs = self.device.hangs_after is not None and self.jobs >= self.device.hangs_after
        return math.inf if hangs else self.device.job_seconds

    def read(self) -> NodeState:
        """Return the present state."""
        return NodeState(
            device=self.device,
            last=self.last,
            mtime=self.mtime,
            retries=self.retries,
            running=self.running,
        )
