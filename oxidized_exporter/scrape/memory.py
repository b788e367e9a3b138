"""What is remembered of stored configurations from one scrape to the next: sizes, lines and results of checks.

Oxidized stores something new only when a device's ``last.end`` or ``mtime`` moves (0.30 to 0.37). What was counted
while both stood where they stand now still holds.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from cachetools import Cache, LRUCache

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from oxidized_exporter.config import Check, Config, Connection, Module
    from oxidized_exporter.oxidized.configuration import Skip
    from oxidized_exporter.scrape.plan import TargetPlan
    from oxidized_exporter.targets.url import Target

_LONGEST_SECONDS: Final = 24 * 3600.0
_SHORTEST_SECONDS: Final = 18 * 3600.0  # or a fleet that was read at once would be read anew at once


Key = tuple[str, str, str]
"""A device: its full name, which says what is stored, and its model and group, which say which checks apply."""


class Remembered(NamedTuple):
    """What was counted of one configuration, and when that holds.

    Attributes:
        end: ``last.end`` of the device in the list, Unix seconds, or None.
        modified: its ``mtime``, likewise.
        until: when it is forgotten, in the memory's own time.
        size: bytes, or None where there was no configuration.
        lines: likewise.
        checks: whether each check holds, in the order of the module's checks.
        skip: why it is not asked for, where Oxidized's answer showed that that is no use.
    """

    end: float | None
    modified: float | None
    until: float
    size: int | None
    lines: int | None
    checks: tuple[bool | None, ...]
    skip: Skip | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _TargetMemory:
    """Of one target as one module sees it; never changed but replaced."""

    target: Target
    connection: Connection | None
    checks: Mapping[str, Check]
    entries: Mapping[Key, Remembered]
    troubled: frozenset[str]

    def __len__(self) -> int:
        return len(self.entries)


class Memory:
    """Bounded by each module's ``remember``; of the targets the least recently scraped are forgotten first.

    Used from the event loop's thread only; the mappings that it hands out are never changed.
    """

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, uniform: Callable[[float, float], float] = random.uniform
    ) -> None:
        """Take a clock in seconds, and what draws a number between two."""
        self._clock = clock
        self._uniform = uniform
        self._modules: dict[str, LRUCache[str, _TargetMemory]] = {}
        self._config: Config | None = None  # until the first reload there is only one

    def __len__(self) -> int:
        """Return how many configurations are remembered."""
        return sum(len(Cache.__getitem__(cache, base)) for cache in self._modules.values() for base in cache)

    def now(self) -> float:
        """Return the present in the time of `Remembered.until`."""
        return self._clock()

    def until(self) -> float:
        """Return when something that is remembered now is forgotten: within 24 hours, not all of a fleet at once."""
        return self._clock() + self._uniform(_SHORTEST_SECONDS, _LONGEST_SECONDS)

    def of(self, plan: TargetPlan, module: Module) -> Mapping[Key, Remembered]:
        """Return what is remembered of a target; nothing where its connection or the checks changed."""
        known = self._known(plan, module)
        return known.entries if known is not None and _is_valid(known, plan.connection, module) else {}

    def troubled(self, plan: TargetPlan, module: Module) -> frozenset[str]:
        """Return the full names that failed, or were under way at the end, when they were asked for last."""
        known = self._known(plan, module)
        return frozenset() if known is None else known.troubled

    def keep(
        self,
        plan: TargetPlan,
        module: Module,
        fresh: Mapping[Key, Remembered],
        *,
        present: Container[Key],
        troubled: frozenset[str] = frozenset(),
    ) -> None:
        """Remember ``fresh`` and who was ``troubled``, and forget devices that are not ``present`` any more.

        What does not go into the module's bound is left out, the oldest first. A scrape that began before the last
        reload leaves nothing behind: its module may be gone, and its connection.
        """
        if self._config is not None and plan.config is not self._config:
            return
        cache = self._modules.get(module.name)
        if cache is None:
            cache = self._modules[module.name] = LRUCache(module.configs.remember, getsizeof=_size)
        entries = {key: entry for key, entry in self.of(plan, module).items() if key in present and key not in fresh}
        entries |= fresh
        for key in list(entries)[: max(0, len(entries) - int(cache.maxsize))]:
            del entries[key]
        cache.pop(plan.target.base, None)
        if cache.maxsize and (entries or troubled):
            cache[plan.target.base] = _TargetMemory(
                plan.target, plan.connection, module.configs.checks, entries, troubled
            )

    def forget_all_but(self, config: Config) -> None:
        """Forget what ``config``, which runs from now on, reaches otherwise, checks otherwise, or does not know."""
        self._config = config
        for name, cache in list(self._modules.items()):
            module = config.modules.get(name)
            if module is None or cache.maxsize != module.configs.remember:
                del self._modules[name]
                continue
            for base in list(cache):
                known = Cache.__getitem__(cache, base)  # a look that does not count as use
                if not _is_valid(known, config.connection_for(known.target), module):
                    del cache[base]

    def _known(self, plan: TargetPlan, module: Module) -> _TargetMemory | None:
        cache = self._modules.get(module.name)
        return None if cache is None else cache.get(plan.target.base)


def _size(known: _TargetMemory) -> int:
    return max(1, len(known))


def _is_valid(known: _TargetMemory, connection: Connection | None, module: Module) -> bool:
    # The order counts, too: results are remembered in it.
    return known.connection == connection and tuple(known.checks.items()) == tuple(module.configs.checks.items())
