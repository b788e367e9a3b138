"""How a device is, as people and monitoring want to know it: one word for each."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from oxidized_exporter.scrape.snapshot import TargetScrape


class Condition(StrEnum):
    """What is the matter with a device, the worst first."""

    FAILING = "failing"
    STALE = "stale"
    NEVER = "never"
    WAITING = "waiting"
    OK = "ok"


TROUBLE: Final = frozenset({Condition.FAILING, Condition.STALE, Condition.NEVER})
"""Conditions that somebody should look at."""


def conditions(scrape: TargetScrape, *, now: float, max_age: float) -> list[Condition]:
    """Return the condition of each device that is shown.

    Args:
        scrape: what one target gave.
        now: Unix seconds.
        max_age: seconds; a last success that is older is stale.
    """
    if scrape.summary is None:
        return []
    devices = scrape.summary.shown
    facts = zip(devices.succeeded, scrape.last_successes(), devices.modified, strict=True)
    return [
        _condition(succeeded=succeeded, last_success=last_success, modified=modified, now=now, max_age=max_age)
        for succeeded, last_success, modified in facts
    ]


def _condition(
    *, succeeded: bool | None, last_success: float | None, modified: float | None, now: float, max_age: float
) -> Condition:
    if succeeded is False:
        return Condition.FAILING
    if last_success is not None and now - last_success > max_age:
        return Condition.STALE
    if succeeded:
        return Condition.OK
    # There is no last job: before the first one, and from each retry's beginning to its end. Where a success is known
    # even so, or a change that was stored, the device has been backed up since Oxidized's start.
    return Condition.NEVER if last_success is None and modified is None else Condition.WAITING


def so_many_devices(count: int) -> str:
    """Write how many devices."""
    return f"{count} device" if count == 1 else f"{count} devices"
