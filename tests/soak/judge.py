"""Whether a probe came out as the plan and the simulated instance say it must."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.soak.plan import REASONS, Death, Expected, Setup, expected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.soak.answer import Answer, Truth
    from tests.soak.plan import Outage


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A scrape of one instance, seen by the scraper; times in seconds since the first one.

    Attributes:
        status: of HTTP; None where there was no answer.
        error: why there was none.
        answer: what it says; None where the status is not 200.
    """

    instance: int
    begin: float
    end: float
    status: int | None = None
    error: str = ""
    answer: Answer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What remains of a probe once it is judged.

    Attributes:
        instance: its number.
        second: when it ended, since the first one.
        taken: seconds.
        expected: what it should find.
        death: of the instance, where it should find one.
        faults: all that is not as it must be, in words.
    """

    instance: int
    second: float
    taken: float
    expected: Expected
    death: Death | None
    faults: tuple[str, ...]


def judge(probe: Probe, *, planned: Sequence[Outage], truth: Truth | None, setup: Setup) -> Outcome:
    """Judge a probe.

    Args:
        probe: what came of it.
        planned: outages of its instance.
        truth: of its instance, asked for after the probe; None where the answer is not up.
        setup: what is run.
    """
    should, outage = expected(planned, begin=probe.begin, end=probe.end, grace=setup.grace)
    return Outcome(
        instance=probe.instance,
        second=probe.end,
        taken=probe.end - probe.begin,
        expected=should,
        death=outage.death if outage else None,
        faults=tuple(_faults(probe, should=should, outage=outage, truth=truth, setup=setup)),
    )


def _faults(
    probe: Probe, *, should: Expected, outage: Outage | None, truth: Truth | None, setup: Setup
) -> Iterator[str]:
    answer = probe.answer
    if answer is None:
        yield f"no answer: {probe.error}" if probe.status is None else f"the answer was {probe.status}"
        return
    if not answer.whole:
        yield "the answer was cut off"
    if probe.end - probe.begin > setup.timeout:
        yield "it took longer than its time-out"
    if answer.up:
        if should is Expected.DOWN:
            yield "it is up, and should be down"
        asking = probe.begin < setup.minute  # for the first time: for every configuration there is
        yield from _wrong(answer, truth, devices=setup.devices, asking=asking, whole=should is Expected.UP)
    elif should is Expected.UP:
        yield f"it is down ({answer.reason}), and should be up"
    elif should is Expected.DOWN and outage is not None and answer.reason != REASONS[outage.death]:
        yield f"it is down for {answer.reason}, and should be for {REASONS[outage.death]}"


def _wrong(answer: Answer, truth: Truth | None, *, devices: int, asking: bool, whole: bool) -> Iterator[str]:
    """Compare an answer with what the instance had said."""
    if truth is None:
        yield "nobody knows what the instance had said"
        return
    if answer.rows != devices:
        yield f"{answer.rows} devices have series, and {devices} should"
    if answer.nodes not in truth.nodes:
        yield f"of the devices it says {answer.nodes}, the instance said {truth.nodes}"
    for name in ("nodes", "configs", "stats") if whole else ():
        if not answer.collectors.get(name) and not (name == "configs" and asking):
            yield f"the collector {name} failed"
    if answer.collectors.get("stats") and answer.jobs not in truth.jobs:
        yield f"it says {answer.jobs} jobs, the instance said {truth.jobs}"
    if answer.collectors.get("configs") and (answer.config_bytes, answer.pending) != (truth.config_bytes, 0):
        yield f"it says {answer.config_bytes} bytes and {answer.pending} pending of {truth.config_bytes} bytes"
