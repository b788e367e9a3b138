"""What a cell of the fault matrix is: a fault of one kind, at one stage of a scrape, met by one collector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from oxidized_exporter.config import COLLECTORS

if TYPE_CHECKING:
    import trustme

    from tests.faults.names import Names

ANSWERED: Final = "answered"
"""In place of a reason: the collector does all that it was asked for."""


class Stage(StrEnum):
    """Where on the way a fault is met, in the order of the way."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "TLS"
    PROXY = "proxy"
    REQUEST = "request"
    STATUS = "status"
    HEADERS = "headers"
    BODY = "body"
    DECODE = "decode"
    ROWS = "rows"


class Kind(StrEnum):
    """What a fault is like."""

    ABSENT = "absent"  # what should come does not, and no more is to be waited for
    SLOW = "slow"  # it comes, later or in smaller pieces than it should
    STUCK = "stuck"  # it begins, or not even that, and then nothing comes
    CUT = "cut"  # it begins, and is broken off
    WRONG = "wrong"  # something else comes
    HUGE = "huge"  # more comes than anybody should hold
    HOSTILE = "hostile"  # what comes was made to do harm


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a fault is made with.

    Attributes:
        collector: who is to meet it.
        names: the name server that the exporter asks.
        authority: what it trusts.
    """

    collector: str
    names: Names
    authority: trustme.CA

    @property
    def passes(self) -> int:
        """How many connections, or answers to a name, are right before the fault: for others that of the node list."""
        return 0 if self.collector == "nodes" else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    """A target that has the fault.

    Attributes:
        url: as it is to be named.
        connection: settings of the connection that serves it; empty where none does.
        verify: looks at the end whether what the target saw is right.
    """

    url: str
    connection: Mapping[str, Any] = field(default_factory=dict)
    verify: Callable[[], None] = lambda: None


Way = Callable[[Scene], AbstractAsyncContextManager[Faulty]]
"""How a fault is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault that is made in one way, and what each collector that meets it says.

    Attributes:
        stage: where it is met.
        kind: what it is like.
        what: happens.
        way: how it is made.
        says: the reason, or `ANSWERED`, of each collector that this way is for.
        stalls: whether only the deadline ends it.
        heavy: whether it takes so much that the exporter is watched in a process of its own.
        module: with which the targets are asked.
        same: whether what the collector says is the same as without the fault, where it is `ANSWERED`.
        others: which other collectors, if they are asked for, say the same as without the fault.
        samples: of the target, by name: each a sample without further labels.
        series: how many series of a name the target has.
    """

    stage: Stage
    kind: Kind
    what: str
    way: Way
    says: Mapping[str, str]
    stalls: bool = False
    heavy: bool = False
    module: str = "default"
    same: bool = True
    others: tuple[str, ...] = COLLECTORS
    samples: Mapping[str, float] = field(default_factory=dict)
    series: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """Combinations that do not exist.

    Attributes:
        stage: where nothing can be met.
        kind: of which there is nothing.
        why: it is so.
        collectors: for whom.
    """

    stage: Stage
    kind: Kind
    why: str
    collectors: tuple[str, ...] = COLLECTORS


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A fault as one collector meets it."""

    fault: Fault
    collector: str

    @property
    def says(self) -> str:
        """The reason, or `ANSWERED`."""
        return self.fault.says[self.collector]

    @property
    def asked(self) -> tuple[str, ...]:
        """Which collectors are asked for: only one more than `nodes` where nobody can tell their connections apart."""
        below_http = self.fault.stage in {Stage.RESOLVE, Stage.CONNECT, Stage.TLS, Stage.PROXY}
        alone = below_http or self.fault.module == "narrow"
        return tuple(dict.fromkeys(("nodes", self.collector))) if alone else COLLECTORS


def everybody(says: str) -> dict[str, str]:
    """Let all collectors say the same."""
    return dict.fromkeys(COLLECTORS, says)
