"""What a device is, and how a backup of it goes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_GROUP = "default"
"""What nodes.json shows as the group of a device that has none."""

SHORTEST_JOB = 0.0001
"""Seconds. Shorter ones would be lost in the precision of a Unix time (2e-7 s)."""


class Outcome(StrEnum):
    """How a job ends, as `last.status` spells it.

    `timelimit` is reported since Oxidized 0.34.2; for the same event earlier versions say something else
    (`no_connection`, or `success` after 30 s as 0.30.1 was recorded). A device may also be given any other
    string: hooks and forks of Oxidized add statuses of their own.
    """

    SUCCESS = "success"
    NO_CONNECTION = "no_connection"
    FAIL = "fail"
    TIMELIMIT = "timelimit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One device as Oxidized's source names it, and how it behaves.

    Attributes:
        name: not unique: it may stand in several groups.
        group: None for a device without a group; may be empty and may hold `/`.
        model: Ruby class name of the model, such as `IOS`.
        ip: address or name.
        vars: its variables, which may hold secrets; None is shown as null.
        outcome: how its jobs end.
        job_seconds: how long a job takes; infinite for one that never ends.
        hangs_after: so many jobs end (retries count), the next never does. None: it does not hang.
        configuration: what it answers a backup with; None: something made up.
    """

    name: str
    group: str | None = None
    model: str = "IOS"
    ip: str = "192.0.2.1"
    vars: Mapping[str, object] | None = field(default_factory=dict, hash=False, repr=False)
    outcome: str = Outcome.SUCCESS
    job_seconds: float = 5.0
    hangs_after: int | None = None
    configuration: str | bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if math.isnan(self.job_seconds) or self.job_seconds < SHORTEST_JOB:
            raise ValueError(f"a job takes {SHORTEST_JOB} seconds or more, not {self.job_seconds!r}")
        if self.hangs_after is not None and self.hangs_after < 0:
            raise ValueError(f"a device hangs after zero or more jobs, not {self.hangs_after!r}")

    @property
    def full_name(self) -> str:
        """`group/name`; `name` without a group, `/name` where the group is empty."""
        return self.name if self.group is None else f"{self.group}/{self.name}"

    @property
    def shown_group(self) -> str:
        """The group as nodes.json has it."""
        return DEFAULT_GROUP if self.group is None else self.group
