"""What can be read of a daemon: frozen, and as true as the moment it was read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oxidized_exporter.simulator.device import Device


class Output(StrEnum):
    """Where Oxidized stores configurations; decides when `mtime` moves."""

    GIT = "git"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job that ended. `start` and `end` in Unix seconds, `seconds` its duration."""

    start: float
    end: float
    status: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStats:
    """What the statistics page knows of one name, counted since the daemon started. Times in Unix seconds.

    Attributes:
        runs: jobs that ended, retries included.
        failures: those of them that did not succeed.
        average_seconds: the page's average run time.
        last_success: None until one succeeds.
        last_no_connection: when the connection last failed; other failures leave no time.
    """

    runs: int
    failures: int
    average_seconds: float
    last_success: float | None
    last_no_connection: float | None

    @property
    def shown_status(self) -> str:
        """The last status as the page has it: it knows of two, and judges by their times."""
        if self.last_success is None:
            return "no_connection"
        later = self.last_no_connection is not None and self.last_no_connection >= self.last_success
        return "no_connection" if later else "success"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """What a daemon holds about one device at one moment.

    Attributes:
        device: the device as it behaves now.
        last: the job that ended last; None before the first, before a retry and after `next`.
        mtime: when something was last stored, in Unix seconds; None until then.
        retries: attempts of the present round that failed and are retried.
        running: a job is under way.
    """

    device: Device
    last: Job | None = None
    mtime: float | None = None
    retries: int = 0
    running: bool = False

    @property
    def full_name(self) -> str:
        """The device's full name."""
        return self.device.full_name

    @property
    def status(self) -> str:
        """The status as the web part shows it: `never` where there is no last job."""
        return "never" if self.last is None else self.last.status
