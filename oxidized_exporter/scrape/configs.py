"""The collector ``configs``: sizes, lines and checks of stored configurations, remembered while nothing happens."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from oxidized_exporter.errors import HttpStatusError, ProbeError, SchemaError, TooLargeError
from oxidized_exporter.oxidized.configuration import Skip, fetch_path
from oxidized_exporter.scrape.memory import Remembered
from oxidized_exporter.scrape.snapshot import ConfigsSummary, Failure
from oxidized_exporter.workers import LARGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping

    from oxidized_exporter.config import Check, Module
    from oxidized_exporter.oxidized.client import OxidizedClient
    from oxidized_exporter.oxidized.configuration import Configuration
    from oxidized_exporter.oxidized.models import Devices
    from oxidized_exporter.scrape.memory import Key, Memory
    from oxidized_exporter.scrape.plan import TargetPlan
    from oxidized_exporter.scrape.snapshot import NodesSummary
    from oxidized_exporter.workers import Workers

_MOST_FAILURES: Final = 20  # then it is not the devices
_OF_ONE_DEVICE: Final = (HttpStatusError, TooLargeError, SchemaError)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A configuration to ask for: the place of its device, and the path."""

    place: int
    path: str


@dataclass(slots=True, kw_only=True)
class Progress:
    """What is known so far, a column each over the devices that are shown; written by one scrape alone.

    Attributes:
        size: bytes; None where there is none, or none was had yet.
        lines: likewise.
        checks: for each check a column.
        wanted: what is asked for: first what was never seen, then what has changed.
        had: how many of ``wanted`` have been answered, one way or the other.
        skipped: devices that are not asked for, by reason.
        remembered: devices of which everything is known already.
        failures: requests that failed.
        failure: of the first of them.
        given_up: whether nothing more is asked.
        answers_ungrouped: whether a device without a group was ever had of this target.
        troubled: full names that failed when they were asked for last, or are under way.
        fresh: what is to be remembered.
    """

    size: list[int | None]
    lines: list[int | None]
    checks: dict[str, list[bool | None]]
    wanted: list[Wanted]
    skipped: Counter[str]
    remembered: int
    had: int = 0
    failures: int = 0
    failure: Failure | None = None
    given_up: bool = False
    answers_ungrouped: bool = False
    troubled: set[str] = field(default_factory=set)
    fresh: dict[Key, Remembered] = field(default_factory=dict)

    def failed(self, error: ProbeError) -> None:
        """Note that a request failed; after some of one device each, or one of the target, nothing more is asked."""
        self.failures += 1
        self.failure = self.failure or Failure(reason=error.reason, detail=str(error))
        self.given_up = self.failures >= _MOST_FAILURES or not isinstance(error, _OF_ONE_DEVICE)

    def summary(self) -> ConfigsSummary:
        """Return what is known at this moment."""
        return ConfigsSummary(
            size=tuple(self.size),
            lines=tuple(self.lines),
            checks=MappingProxyType({name: tuple(column) for name, column in self.checks.items()}),
            pending=len(self.wanted) - self.had,
            skipped=MappingProxyType({reason.value: self.skipped[reason] for reason in Skip}),
        )


def plan_fetches(
    nodes: NodesSummary,
    *,
    known: Mapping[Key, Remembered],
    checks: Mapping[str, Check],
    now: float,
    troubled: Container[str] = (),
    shuffle: Callable[[list[Wanted]], None] = random.shuffle,
    still_wanted: Callable[[], None] = lambda: None,
) -> Progress:
    """Fill in what is remembered, and decide what to ask for; takes time, so call it off the loop.

    Args:
        nodes: the list as it is now.
        known: what is remembered of the target.
        checks: of the module.
        now: in the memory's time.
        troubled: full names that are asked for last, since they failed or hung when they were asked for before.
        shuffle: brings what is asked for into another order each time.
        still_wanted: called again and again; what it raises ends the work.
    """
    devices = nodes.shown
    count = len(devices)
    progress = Progress(
        size=[None] * count,
        lines=[None] * count,
        checks={name: [None] * count for name in checks},
        wanted=[],
        skipped=Counter(),
        remembered=0,
    )
    progress.answers_ungrouped = any("/" not in key[0] and entry.size is not None for key, entry in known.items())
    unseen: list[Wanted] = []
    changed: list[Wanted] = []
    last: list[Wanted] = []
    namesakes = _Namesakes(nodes.nodes.devices)
    columns_of_checks = tuple(progress.checks.values())
    rows = zip(
        devices.full_name, devices.name, devices.group, devices.model, devices.end, devices.modified, strict=True
    )
    for place, (full_name, name, group, model, end, modified) in enumerate(rows):
        entry = known.get((full_name, model, group))
        if entry is not None and entry[:2] == (end, modified) and now < entry.until:
            progress.size[place], progress.lines[place] = entry.size, entry.lines
            for column, holds in zip(columns_of_checks, entry.checks, strict=False):
                column[place] = holds
            if entry.skip is not None:
                progress.skipped[entry.skip] += 1
            progress.remembered += 1
            continue
        still_wanted()
        path = fetch_path(full_name=full_name, name=name, group=group)
        if full_name == name and not isinstance(path, Skip) and name in namesakes:
            path = Skip.NAMESAKE
        if isinstance(path, Skip):
            progress.skipped[path] += 1
        else:
            (last if full_name in troubled else unseen if entry is None else changed).append(Wanted(place, path))
    for wanted in (unseen, changed, last):
        shuffle(wanted)
    progress.wanted = unseen + changed + last
    progress.troubled = {devices.full_name[wanted.place] for wanted in last}  # until they answer
    return progress


class _Namesakes:
    """The names that stand in a group; made when first asked for, since most fleets have groups throughout."""

    def __init__(self, devices: Devices) -> None:
        self._devices = devices
        self._names: set[str] | None = None

    def __contains__(self, name: str) -> bool:
        if self._names is None:
            pairs = zip(self._devices.full_name, self._devices.name, strict=True)
            self._names = {name for full_name, name in pairs if full_name != name}
        return name in self._names


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigsCollector:
    """Asks for what is wanted, a few at a time, and remembers what was counted, however the scrape ends."""

    client: OxidizedClient
    plan: TargetPlan
    module: Module
    memory: Memory
    workers: Workers

    async def collect(self, nodes: NodesSummary, progress: Progress) -> None:
        """Ask until all is had, or something fails that concerns more than one device.

        On cancellation what was had is remembered even so.
        """
        queue = iter(progress.wanted)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.module.configs.concurrency, len(progress.wanted))):
                    group.create_task(self._work(queue, nodes.shown, progress))
        finally:
            troubled = frozenset(progress.troubled)
            if progress.fresh or troubled or self.memory.troubled(self.plan, self.module):
                present = set(zip(nodes.shown.full_name, nodes.shown.model, nodes.shown.group, strict=True))
                self.memory.keep(self.plan, self.module, progress.fresh, present=present, troubled=troubled)

    async def _work(self, queue: Iterator[Wanted], devices: Devices, progress: Progress) -> None:
        """Ask for one after the other; there are thousands, so this calls no more than it must."""
        checks, nothing = self.module.configs.checks, MappingProxyType[str, bool]({})
        for wanted in queue:
            if progress.given_up:
                return
            place = wanted.place
            full_name = devices.full_name[place]
            progress.troubled.add(full_name)
            applying = self._applying(devices, place) if checks else checks
            try:
                found = await self.client.configuration(wanted.path, hold=bool(applying))
                results = await self._results(applying, found) if applying else nothing
            except ProbeError as error:
                if not self._says_ungrouped(error, devices, place, progress):
                    progress.failed(error)
                    continue
                progress.skipped[Skip.UNGROUPED] += 1
                self._remember(devices, place, None, nothing, progress, skip=Skip.UNGROUPED)
            else:
                if found is not None:
                    progress.size[place], progress.lines[place] = found.size, found.lines
                    progress.answers_ungrouped |= full_name == devices.name[place]
                    for name, holds in results.items():
                        progress.checks[name][place] = holds
                # That there is none may be an error of git's that is over in a moment, unless nothing was ever stored.
                if found is not None or (devices.succeeded[place] is False and devices.modified[place] is None):
                    self._remember(devices, place, found, results, progress)
            progress.had += 1
            progress.troubled.discard(full_name)

    def _applying(self, devices: Devices, place: int) -> Mapping[str, Check]:
        model, group = devices.model[place], devices.group[place]
        return {name: one for name, one in self.module.configs.checks.items() if one.applies(model=model, group=group)}

    async def _results(self, checks: Mapping[str, Check], found: Configuration | None) -> Mapping[str, bool]:
        if found is None or (content := found.content) is None:
            return {}
        return await self.workers.run(
            lambda still_wanted: _held(checks, content, still_wanted), large=found.size > LARGE_BYTES
        )

    @staticmethod
    def _says_ungrouped(error: ProbeError, devices: Devices, place: int, progress: Progress) -> bool:
        """Tell whether an error is what the file output answers for a device without a group."""
        refused = isinstance(error, HttpStatusError) and not error.retryable
        return refused and devices.full_name[place] == devices.name[place] and not progress.answers_ungrouped

    def _remember(
        self,
        devices: Devices,
        place: int,
        found: Configuration | None,
        results: Mapping[str, bool],
        progress: Progress,
        *,
        skip: Skip | None = None,
    ) -> None:
        end, modified = devices.end[place], devices.modified[place]
        if (end is None and modified is None) or not self.module.configs.remember:
            return  # without a time nothing would tell, after a restart of Oxidized, whether something was stored since
        progress.fresh[devices.full_name[place], devices.model[place], devices.group[place]] = Remembered(
            end,
            modified,
            self.memory.until(),
            None if found is None else found.size,
            None if found is None else found.lines,
            tuple(map(results.get, self.module.configs.checks)),
            skip,
        )


def _held(checks: Mapping[str, Check], content: bytearray, still_wanted: Callable[[], None]) -> dict[str, bool]:
    results = {}
    for name, one in checks.items():
        still_wanted()
        results[name] = one.holds(content)
    return results
