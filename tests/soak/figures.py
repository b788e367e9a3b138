"""The figures of a run: rows over time, the tables of docs/reliability.md, and the bars that must be met."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import astuple, dataclass, fields
from itertools import pairwise
from statistics import mean
from typing import TYPE_CHECKING, Final

from tests.marked import row
from tests.measured import machine, percentile
from tests.soak.plan import Death, Expected, dead_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.soak.run import Run

_SHARES: Final = (0.5, 0.9, 0.99, 1)
_GROWTH: Final = 1.05
_FEWEST_MORE: Final = 5
_MOST_MORE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What happened since the row before.

    Attributes:
        second: since the first scrape, at the end of the row.
        probes: that ended.
        unexpected: those of them that came out otherwise than planned.
        dead: instances that are dead at its end.
        p50_ms: of probes of instances that are alive; not a number where there was none, as the next three.
        p90_ms: likewise.
        p99_ms: likewise.
        max_ms: likewise.
        processor_cores: seconds of processor time for each second.
        rss_mib: resident memory at its end.
        pss_mib: the process's share of it.
        descriptors: at its end.
        threads: likewise.
    """

    second: float
    probes: int
    unexpected: int
    dead: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    processor_cores: float
    rss_mib: float
    pss_mib: float
    descriptors: int
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What must not be above its limit."""

    what: str
    limit: float
    measured: float
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether it is held."""
        return self.measured <= self.limit

    def cells(self) -> tuple[str, ...]:
        """Return its row of the table."""
        measured = f"{self.measured:.3f}" if self.unit else f"{self.measured:g}"
        return (
            self.what,
            f"≤ {self.limit:g}{self.unit}" if self.limit else "0",
            f"{measured}{self.unit}",
            "met" if self.met else "**missed**",
        )


def rows(run: Run) -> list[Row]:
    """Return a row for each reading of the process after the first."""
    ended = sorted(run.outcomes, key=lambda outcome: outcome.second)
    made = []
    for before, now in pairwise(run.readings):
        here = [outcome for outcome in ended if before.second < outcome.second <= now.second]
        taken = [outcome.taken for outcome in here if outcome.expected is Expected.UP]
        p50, p90, p99, most = (round(percentile(taken, share) * 1000, 1) for share in _SHARES)
        processor = (now.taken.processor - before.taken.processor) / (now.second - before.second)
        made.append(
            Row(
                second=round(now.second, 1),
                probes=len(here),
                unexpected=sum(bool(outcome.faults) for outcome in here),
                dead=dead_at(run.planned, now.second),
                p50_ms=p50,
                p90_ms=p90,
                p99_ms=p99,
                max_ms=most,
                processor_cores=round(processor, 3),
                rss_mib=round(now.taken.rss, 2),
                pss_mib=round(now.taken.pss, 2),
                descriptors=now.taken.descriptors,
                threads=now.taken.threads,
            )
        )
    return made


def as_csv(over_time: Sequence[Row]) -> str:
    """Write rows as CSV; what is not a number is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(Row))
    writer.writerows(
        ["" if isinstance(value, float) and math.isnan(value) else value for value in astuple(each)]
        for each in over_time
    )
    return text.getvalue()


def tables(run: Run) -> str:
    """Return the page's part as Markdown."""
    setup = run.setup
    came = ", ".join(f"{count:,} {manner}" for manner, count in run.rough.items())
    what = (
        f"{setup.seconds / 60:g} minutes, {setup.instances:,} instances × {setup.devices:,} devices, a scrape of each "
        f"every {setup.interval:g} s, {len(run.planned):,} deaths. Beside it {sum(run.rough.values()):,} clients that "
        f"behave badly: {came}. {machine()}."
    )
    parts = (_probes(run), _process(run), _bars(bars(run)))
    return "\n\n".join([what, *("\n".join(part) for part in parts)])


def _probes(run: Run) -> Iterator[str]:
    yield row("probes", "count", "50 %", "90 %", "99 %", "longest")
    yield row("---", *["---:"] * 5)
    minute, outcomes = run.setup.minute, run.outcomes
    alive = [outcome for outcome in outcomes if outcome.expected is Expected.UP]
    # Both are refused; that one of them has forgotten its jobs shows later.
    alike = {Death.RESTART: Death.REFUSED}
    groups = {
        "of instances that are alive": [outcome for outcome in alive if outcome.second >= minute],
        "the same in the first minute, which has to ask for every configuration": [
            outcome for outcome in alive if outcome.second < minute
        ],
        "while an instance dies or returns": [o for o in outcomes if o.expected is Expected.CHANGING],
    } | {
        f"of dead ones: {death}": [
            outcome
            for outcome in outcomes
            if outcome.expected is Expected.DOWN and outcome.death and alike.get(outcome.death, outcome.death) is death
        ]
        for death in Death
        if death not in alike
    }
    for name, group in groups.items():
        taken = [outcome.taken for outcome in group]
        times = (f"{percentile(taken, share) * 1000:,.0f} ms" if taken else "" for share in _SHARES)
        yield row(name, f"{len(group):,}", *times)


def _process(run: Run) -> Iterator[str]:
    first, (second, last) = run.readings[0].taken, _compared(run)
    yield row("the exporter's process", "before the first probe", "second minute", "last minute")
    yield row("---", *["---:"] * 3)
    yield row("processor", "", *(f"{mean(each.processor_cores for each in span):.3f} cores" for span in (second, last)))
    for name, before, read in (
        ("resident memory", first.rss, lambda each: each.rss_mib),
        ("its share of that (PSS)", first.pss, lambda each: each.pss_mib),
    ):
        yield row(name, f"{before:.1f} MiB", *(f"{mean(map(read, span)):.1f} MiB" for span in (second, last)))
    for name, count, read_count in (
        ("descriptors", first.descriptors, lambda each: each.descriptors),
        ("threads", first.threads, lambda each: each.threads),
    ):
        ranges = (f"{min(map(read_count, span))} to {max(map(read_count, span))}" for span in (second, last))
        yield row(name, str(count), *ranges)


def _compared(run: Run) -> tuple[list[Row], list[Row]]:
    """Return the rows of the second minute, and of the last."""
    setup, over_time = run.setup, rows(run)
    second = [each for each in over_time if setup.minute <= each.second < 2 * setup.minute]
    last = [each for each in over_time if setup.seconds - setup.minute <= each.second <= setup.seconds]
    return second, last


def bars(run: Run) -> tuple[Bar, ...]:
    """Return what must be held, and what was measured."""
    second, last = _compared(run)
    memory = mean(each.rss_mib for each in second)
    fewest, most = (pick(each.descriptors for each in second) for pick in (min, max))
    threads = max(each.threads for each in second)
    left = run.left
    return (
        Bar(
            what="probes that came out otherwise than planned",
            limit=0,
            measured=sum(bool(outcome.faults) for outcome in run.outcomes),
        ),
        Bar(
            what=f"resident memory of the last minute against the second ({memory:.1f} MiB), means",
            limit=_GROWTH,
            measured=mean(each.rss_mib for each in last) / memory,
            unit="×",
        ),
        Bar(
            what=f"descriptors, the fewest of the last minute: more than the fewest of the second ({fewest})",
            limit=_FEWEST_MORE,
            measured=min(each.descriptors for each in last) - fewest,
        ),
        Bar(
            what=f"the same, the most ({most})",
            limit=_MOST_MORE,
            measured=max(each.descriptors for each in last) - most,
        ),
        Bar(
            what=f"threads, the most of the last minute: more than the most of the second ({threads})",
            limit=0,
            measured=max(each.threads for each in last) - threads,
        ),
        Bar(
            what="descriptors when all clients have gone: more than before the first probe",
            limit=0,
            measured=left.descriptors,
        ),
        Bar(what="probes in flight then", limit=0, measured=left.in_flight),
        Bar(what="probes refused for want of room", limit=0, measured=left.rejected),
        Bar(what="lines of the log at level error", limit=0, measured=left.error_lines),
    )


def _bars(held: Sequence[Bar]) -> Iterator[str]:
    yield row("what", "bar", "measured", "")
    yield row("---", "---:", "---:", "---")
    yield from (row(*bar.cells()) for bar in held)
