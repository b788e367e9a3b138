"""What became of the probes of a stop, as their clients and Oxidized saw them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from tests.stops.client import Attempt


class Outcome(StrEnum):
    """What became of one attempt."""

    ANSWERED = "answered"  # accepted, with a complete answer
    LOST = "lost"  # accepted, without one
    CLOSED_IDLE = "closed_idle"  # not taken: its connection was closed at the same moment, and the client asks again
    REFUSED = "refused"  # nobody listened any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One stop under load.

    Attributes:
        attempts: of all clients.
        taken: the numbers of those for which Oxidized was asked.
        signalled: when SIGTERM was sent, on the clients' clock.
        exited: when the process had ended.
        code: its exit code.
    """

    attempts: Sequence[Attempt]
    taken: AbstractSet[str]
    signalled: float
    exited: float
    code: int

    @property
    def milliseconds(self) -> float:
        """From the signal to the end."""
        return (self.exited - self.signalled) * 1000

    @property
    def in_flight(self) -> int:
        """How many had been sent and had no complete answer when the signal was sent."""
        return sum(a.sent is not None and a.sent <= self.signalled < a.ended for a in self.attempts)

    @property
    def being_read(self) -> int:
        """Of how many of them the client had begun to read the answer."""
        return sum(a.begun is not None and a.begun <= self.signalled < a.ended for a in self.attempts)

    def outcomes(self) -> Counter[Outcome]:
        """Count what became of them."""
        return Counter(map(self._outcome, self.attempts))

    def lost(self) -> list[Attempt]:
        """Return the accepted ones without a complete answer."""
        return [attempt for attempt in self.attempts if self._outcome(attempt) is Outcome.LOST]

    def _outcome(self, attempt: Attempt) -> Outcome:
        return outcome(attempt, taken=attempt.number in self.taken, signalled=self.signalled)


def outcome(attempt: Attempt, *, taken: bool, signalled: float) -> Outcome:
    """Tell what became of an attempt.

    Whoever has a connection is accepted, with one exception: a server may close a connection between two requests, and
    one that crosses this on the way was not taken. The client sees its connection closed before any byte of an answer,
    and asks again on a new one, as RFC 9112 (9.3.1) lets it do. Where Oxidized was asked, it was taken.
    """
    if not attempt.trouble:
        return Outcome.ANSWERED
    if attempt.refused and attempt.ended >= signalled:
        return Outcome.REFUSED
    closed = attempt.reused and attempt.begun is None
    return Outcome.CLOSED_IDLE if closed and not taken else Outcome.LOST
