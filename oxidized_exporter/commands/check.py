"""``oxidized-exporter check``: a plugin for Nagios, Icinga and their kin.

Output, exit codes and ranges are those of the Monitoring Plugins Development Guidelines.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from nagiosplugin import Performance

from oxidized_exporter.commands.ages import format_age
from oxidized_exporter.commands.asking import (
    ask,
    collectors_that_failed,
    module_of,
    said,
    seconds_for,
    with_every_device,
)
from oxidized_exporter.commands.condition import TROUBLE, Condition, conditions, so_many_devices
from oxidized_exporter.commands.cutting import cut
from oxidized_exporter.commands.plugin import UNKNOWN, plugin_line
from oxidized_exporter.config import config_from
from oxidized_exporter.errors import TargetDeniedError, printable
from oxidized_exporter.scrape.request import judge_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nagiosplugin import Range

    from oxidized_exporter.config import SingleInstance
    from oxidized_exporter.scrape.snapshot import TargetScrape

_MOST_NAMED: Final = 20
_NAME_CHARACTERS: Final = 60
_STATUS_CHARACTERS: Final = 30
_REMARK_CHARACTERS: Final = 120
_LABEL_CHARACTERS: Final = 200
_WHY_CHARACTERS: Final = 400
_MOST_BYTES: Final = 1000  # version 2 of NRPE carries 1,024
_MORE_BYTES: Final = len(", and 100000 more")


class State(IntEnum):
    """What a plugin says, and its exit code."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """When a number of devices in trouble is too many.

    Attributes:
        max_age: seconds; a device whose last success is older is stale.
        warning: range in which the number is no warning.
        critical: range in which it is not critical; None where no number is.
    """

    max_age: float
    warning: Range
    critical: Range | None

    def state(self, trouble: int) -> State:
        """Return the state of so many devices in trouble."""
        if self.critical is not None and not self.critical.match(trouble):
            return State.CRITICAL
        return State.OK if self.warning.match(trouble) else State.WARNING


def check(
    target: str,
    *,
    module: str | None,
    config_file: str | None,
    single: SingleInstance | None,
    timeout: float | None,
    thresholds: Thresholds,
    clock: Callable[[], float],
) -> tuple[State, str]:
    """Ask ``target``; returns the state, and the line that says it.

    Args:
        target: URL, ``host:port`` or the name of a configured target.
        module: name of it, None for the target's own; its filters count, and its collectors but ``configs``.
        config_file: None for none.
        single: the one Oxidized of the command line, if there is one.
        timeout: seconds, or None for the module's, or the server's own.
        thresholds: what is too much.
        clock: tells the present in Unix seconds.

    Raises:
        CallerError: what is asked for cannot be done.
        ConfigError: the configuration file has faults.
    """
    config = config_from(config_file, single=single)
    module = module_of([target], module=module, config=config)
    request = judge_request([target], module=module, config=config)
    cheap = tuple(name for name in request.module.collectors if name != "configs") or ("nodes",)
    request = replace(request, module=replace(request.module, collectors=cheap))
    request = with_every_device(request, config=config)
    seconds = seconds_for(request.module, timeout=timeout)
    [scrape] = asyncio.run(ask(request, config=config, seconds=seconds)).scrapes
    return verdict(scrape, thresholds=thresholds, now=clock())


def verdict(scrape: TargetScrape, *, thresholds: Thresholds, now: float) -> tuple[State, str]:
    """Judge what a target gave; returns the state, and the line that says it."""
    duration = Performance("time", f"{scrape.duration:.3f}", "s", min=0)
    label = cut(scrape.target.label, most=_LABEL_CHARACTERS)
    if scrape.failure is not None:
        # Neither a bug nor that it may not be asked, which is a matter of configuration, says anything of Oxidized.
        ours = scrape.failure.unexpected or scrape.failure.reason == TargetDeniedError.reason
        state = State.UNKNOWN if ours else State.CRITICAL
        return state, _line(state, f"{label}: {cut(printable(said(scrape.failure)), most=_WHY_CHARACTERS)}", [duration])
    found = conditions(scrape, now=now, max_age=thresholds.max_age)
    if not found:
        text = f"{label} lists no device, or the module selects none of them"
        return State.UNKNOWN, _line(State.UNKNOWN, text, [duration])
    counted = Counter(found)
    trouble = sum(counted[condition] for condition in TROUBLE)
    state = thresholds.state(trouble)
    text = (
        f"{trouble} of {so_many_devices(len(found))} in trouble: {counted[Condition.FAILING]} failing, "
        f"{counted[Condition.STALE]} stale, {counted[Condition.NEVER]} never backed up"
    )
    if waiting := counted[Condition.WAITING]:
        text += f", {waiting} waiting for a job"
    data = [
        Performance("trouble", trouble, "", str(thresholds.warning), str(thresholds.critical or ""), 0, len(found)),
        *(Performance(name, counted[name], "", min=0, max=len(found)) for name in Condition if name in TROUBLE),
        Performance("devices", len(found), min=0),
        duration,
    ]
    remarks = "".join(f"; {cut(printable(remark), most=_REMARK_CHARACTERS)}" for remark in _remarks(scrape))
    if trouble:
        room = _MOST_BYTES - len(_line(state, f"{text} - {remarks}", data).encode())
        text += " - " + ", ".join(_named(scrape, found, now=now, room=room))
    return state, _line(state, text + remarks, data)


def _remarks(scrape: TargetScrape) -> Iterator[str]:
    """Yield what makes the counts less than they could be."""
    for failed in collectors_that_failed(scrape):
        yield f"collector {failed}"
    if scrape.summary is not None and (invalid := scrape.summary.nodes.invalid):
        yield f"{invalid} rows of the list could not be read"


def _named(scrape: TargetScrape, found: Sequence[Condition], *, now: float, room: int) -> Iterator[str]:
    """Yield the devices in trouble, the worst first, as many as ``room`` bytes hold; then how many more there are."""
    order = list(Condition)
    devices = scrape.summary.shown if scrape.summary is not None else ()
    told = zip(found, devices, scrape.last_successes(), strict=True)
    troubled = sorted(
        ((condition, device, success) for condition, device, success in told if condition in TROUBLE),
        key=lambda one: (order.index(one[0]), one[1].full_name),
    )
    room -= _MORE_BYTES
    for number, (condition, device, success) in enumerate(troubled):
        why = str(condition)
        if condition is Condition.FAILING:
            why = cut(printable(device.status), most=_STATUS_CHARACTERS) or condition
        elif success is not None:
            why = f"last success {format_age(now - success)} ago"
        text = f"{cut(printable(device.full_name), most=_NAME_CHARACTERS)} ({why})"
        room -= len(plugin_line(text).encode()) + 2
        if number >= _MOST_NAMED or room < 0:
            yield f"and {len(troubled) - number} more"
            return
        yield text


def _line(state: State, text: str, data: Sequence[Performance]) -> str:
    return f"{plugin_line(f'OXIDIZED {state.name} - {text}')} | {' '.join(map(str, data))}"
