"""What is run, which instance is dead when, and what a probe may find then: pure functions of a seed."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A run; all times in seconds.

    Attributes:
        instances: simulated Oxidized instances.
        devices: of each.
        seconds: how long they are scraped.
        interval: between two scrapes of one instance.
        timeout: of a scrape.
        minute: how long the spans are in which memory and descriptors are compared.
        sampled: between two readings of the exporter's process.
        rough: between two clients that behave badly.
        grace: for a change of an instance to be complete.
        seed: of the deaths, and of whom the rough clients ask for.
    """

    instances: int = 200
    devices: int = 500
    seconds: float = 600.0
    interval: float = 30.0
    timeout: float = 10.0
    minute: float = 60.0
    sampled: float = 5.0
    rough: float = 1.0
    grace: float = 2.0
    seed: int = 0


class Death(StrEnum):
    """How an instance is dead, on the wire."""

    REFUSED = "connections refused"
    RESTART = "connections refused, then a restart"  # it has forgotten its jobs when it returns
    HANG = "hanging"
    BAD_GATEWAY = "502 of a proxy"
    RESET = "connections reset"


REASONS: Final = {
    Death.REFUSED: "connect",
    Death.RESTART: "connect",
    Death.HANG: "timeout",
    Death.BAD_GATEWAY: "http_status",
    Death.RESET: "connect",
}
"""What the exporter must say of a target that is dead."""

# A restart is rare: afterwards every scrape asks for the configurations of all devices that have had no job yet.
_WEIGHTS: Final = {Death.REFUSED: 4, Death.RESTART: 1, Death.HANG: 4, Death.BAD_GATEWAY: 4, Death.RESET: 4}
_ALIVE_SECONDS: Final = 1500.0  # on average
_SHORTEST_DEATH: Final = 30.0
_LONGEST_DEATH: Final = 120.0
_BETWEEN_SECONDS: Final = 30.0  # at least


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One death of the instance of this number; from its beginning to its end in seconds since the first scrape."""

    instance: int
    death: Death
    begin: float
    end: float


class Expected(StrEnum):
    """What a probe should find."""

    UP = "up"
    DOWN = "down"
    CHANGING = "changing"  # it dies or returns meanwhile: one or the other, or a part


def outages(*, instances: int, seconds: float, seed: int) -> tuple[Outage, ...]:
    """Return who dies when, by instance and time; the same arguments give the same deaths, and those of an instance
    do not depend on how many there are.
    """
    return tuple(outage for number in range(instances) for outage in _of_instance(number, seconds=seconds, seed=seed))


def _of_instance(number: int, *, seconds: float, seed: int) -> Iterable[Outage]:
    rng = random.Random(f"{seed}/{number}")  # noqa: S311 - a made-up history
    begin = rng.expovariate(1 / _ALIVE_SECONDS)
    while begin < seconds:
        (death,) = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        end = begin + rng.uniform(_SHORTEST_DEATH, _LONGEST_DEATH)
        yield Outage(instance=number, death=death, begin=begin, end=end)
        begin = end + _BETWEEN_SECONDS + rng.expovariate(1 / _ALIVE_SECONDS)


def expected(planned: Sequence[Outage], *, begin: float, end: float, grace: float) -> tuple[Expected, Outage | None]:
    """Return what a probe should find that lasted from ``begin`` to ``end``, and the outage that it met, if any.

    Args:
        planned: outages of the probe's instance.
        begin: of the probe, in seconds since the first scrape.
        end: of the probe.
        grace: seconds that a change may take from its moment on.
    """
    for outage in planned:
        if end < outage.begin or begin > outage.end + grace:
            continue
        inside = begin > outage.begin + grace and end < outage.end
        return (Expected.DOWN if inside else Expected.CHANGING), outage
    return Expected.UP, None


def dead_at(planned: Iterable[Outage], second: float) -> int:
    """Count the instances that are dead at a moment."""
    return sum(outage.begin <= second < outage.end for outage in planned)


def name_of(instance: int) -> str:
    """Return the name of an instance in the exporter's configuration."""
    return f"oxidized-{instance:03d}"


def offset_of(instance: int, *, interval: float) -> float:
    """Return how far into each interval an instance is scraped: as Prometheus does, by a hash of its name."""
    hashed = hashlib.sha256(name_of(instance).encode()).digest()
    return int.from_bytes(hashed[:8]) / 2**64 * interval
