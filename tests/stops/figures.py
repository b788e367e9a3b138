"""The figures of `make stops`, and the tables of docs/reliability.md that are made of them."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.marked import row
from tests.stops.judging import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.stops.client import Attempt
    from tests.stops.judging import Stop
    from tests.stops.upgrade import Upgrade

PAGE: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
PART: Final = "stops"
GRACE_MILLISECONDS: Final = 35_000
"""What the chart gives a pod to end in, beside the delay."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the probes of stops of one kind; times in milliseconds from the signal to the end."""

    stops: int
    fewest_in_flight: int
    in_flight: int
    being_read: int
    outcomes: Counter[Outcome]
    median: float
    longest: float
    failed_exits: int

    @classmethod
    def of(cls, stops: Sequence[Stop]) -> Counts:
        """Count what became of them; there is one at least."""
        outcomes: Counter[Outcome] = Counter()
        for stop in stops:
            outcomes.update(stop.outcomes())
        return cls(
            stops=len(stops),
            fewest_in_flight=min(stop.in_flight for stop in stops),
            in_flight=sum(stop.in_flight for stop in stops),
            being_read=sum(stop.being_read for stop in stops),
            outcomes=outcomes,
            median=statistics.median(stop.milliseconds for stop in stops),
            longest=max(stop.milliseconds for stop in stops),
            failed_exits=sum(stop.code != 0 for stop in stops),
        )

    @property
    def accepted(self) -> int:
        """Probes that had a right to an answer."""
        return self.outcomes[Outcome.ANSWERED] + self.outcomes[Outcome.LOST]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All that was counted in one run.

    Attributes:
        plain: stops without TLS.
        tls: stops with it.
        unread: milliseconds of a stop, plain and with TLS, where a client does not read its answer.
        upgrade: the restarts behind a balancer.
    """

    plain: Sequence[Stop]
    tls: Sequence[Stop]
    unread: tuple[float, float]
    upgrade: Upgrade

    @property
    def met(self) -> bool:
        """Whether all bars are."""
        return not any("missed" in line for line in self._lines())

    def tables(self) -> str:
        """Return the tables as Markdown."""
        return "\n".join(self._lines())

    def troubles(self) -> list[str]:
        """Say what happened to each probe that was lost and each scrape that failed."""
        lost = [attempt for stop in (*self.plain, *self.tls) for attempt in stop.lost()]
        return [
            f"{attempt.number}: {attempt.trouble} ({'kept' if attempt.reused else 'new'} connection, "
            f"{'not ' if attempt.sent is None else ''}sent, answer {'not ' if attempt.begun is None else ''}begun)"
            for attempt in (*lost, *self.upgrade.failed())
        ]

    def _lines(self) -> Iterator[str]:
        both = Counts.of(self.plain), Counts.of(self.tls)
        yield row("stops under load", "plain", "TLS", "bar", "")
        yield row("---", "---:", "---:", "---:", "---")
        yield _counted("stops", *(one.stops for one in both))
        yield _counted("probes accepted", *(one.accepted for one in both))
        yield _counted("of them in flight when the signal came", *(one.in_flight for one in both))
        yield _counted("of these with an answer begun, and not read to its end", *(one.being_read for one in both))
        yield _bar("fewest in flight at a stop", *(one.fewest_in_flight for one in both), at_least=1)
        yield _bar("**accepted probes lost**", *(one.outcomes[Outcome.LOST] for one in both), at_most=0)
        yield _counted(
            "closed between two requests, and made again", *(one.outcomes[Outcome.CLOSED_IDLE] for one in both)
        )
        yield _counted("refused, since nobody listened any more", *(one.outcomes[Outcome.REFUSED] for one in both))
        yield _bar("exit codes other than 0", *(one.failed_exits for one in both), at_most=0)
        yield row(
            "from the signal to the end of the process, median", *(f"{one.median:,.0f} ms" for one in both), "", ""
        )
        yield row("the same, longest", *(f"{one.longest:,.0f} ms" for one in both), "", "")
        yield _bar(
            "the same, milliseconds, where a client does not read its answer",
            *map(round, self.unread),
            at_most=GRACE_MILLISECONDS,
        )
        yield ""
        attempts: list[Sequence[Attempt]] = [
            [attempt for attempt in self.upgrade.attempts if attempt.kept is kept] for kept in (False, True)
        ]
        yield row("two replicas behind a balancer", "a connection each", "kept connections", "bar", "")
        yield row("---", "---:", "---:", "---:", "---")
        yield _counted("restarts", self.upgrade.restarts, self.upgrade.restarts)
        yield _bar("scrapes", *map(len, attempts), at_least=self.upgrade.restarts)
        yield _bar("**failed scrapes**", *(sum(bool(one.trouble) for one in kind) for kind in attempts), at_most=0)


def _counted(what: str, *counts: int) -> str:
    return row(what, *(f"{count:,}" for count in counts), "", "")


def _bar(what: str, *counts: int, at_least: int = 0, at_most: int | None = None) -> str:
    met = all(count >= at_least and (at_most is None or count <= at_most) for count in counts)
    limit = f"≥ {at_least}" if at_most is None else f"≤ {at_most:,}"
    return row(what, *(f"{count:,}" for count in counts), limit, "met" if met else "**missed**")
