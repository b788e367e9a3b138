"""One scrape of one or several targets; whatever goes wrong behind a target is part of the answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from oxidized_exporter.oxidized.trace import Trace
from oxidized_exporter.scrape.scraping import Scraping
from oxidized_exporter.scrape.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oxidized_exporter.config import Config, Module
    from oxidized_exporter.oxidized.journal import Journal
    from oxidized_exporter.oxidized.trace import Step
    from oxidized_exporter.scrape.plan import TargetPlan
    from oxidized_exporter.scrape.scraping import Means
    from oxidized_exporter.scrape.snapshot import TargetScrape

_Key = tuple[object, ...]


@dataclass(slots=True)
class _Patience:
    """Until when the most patient caller waits, in the running loop's time."""

    deadline: float

    def __call__(self) -> float:
        return self.deadline


@dataclass(slots=True, eq=False)
class _Shared:
    """A target that is being asked, and for how many callers.

    Whoever comes after ``open_until``, the first caller's deadline, begins anew: callers that overlap would keep a
    scrape that hangs, or a node list that grows old, for ever.
    """

    label: str
    open_until: float
    patience: _Patience
    scraping: Scraping
    task: asyncio.Task[None]
    callers: int = 0


class Traced(NamedTuple):
    """A scrape, and for each target its steps."""

    snapshot: Snapshot
    steps: tuple[tuple[Step, ...], ...]


class Scraper:
    """Makes scrapes; identical ones at the same time are made once."""

    def __init__(self, means: Means) -> None:
        """Take what a scrape needs; all of it belongs to the caller."""
        self._means = means
        self._in_flight: dict[_Key, _Shared] = {}
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself would let go of one that nobody waits for

    def forget_all_but(self, config: Config) -> None:
        """Let go of what is kept of connections, modules and checks that ``config`` does not have."""
        self._means.settings_reader.forget_all_but(config.connections)
        self._means.memory.forget_all_but(config)

    def progress(self) -> dict[str, tuple[int, int]]:
        """Return how many stored configurations were had and are asked for, by the label of each target under way."""
        return {shared.label: shared.scraping.progress for shared in self._in_flight.values()}

    async def scrape(self, plans: Sequence[TargetPlan], *, module: Module, seconds: float) -> Snapshot:
        """Ask all targets at once and return what is known when the time is over, or sooner.

        A target that fails or hangs does not touch the others. A target that is being asked the same already is not
        asked again: its answer is shared, each caller waiting no longer than its own time. On cancellation every
        connection is dropped that nobody else waits for.

        Args:
            plans: one or more targets, and how each is reached.
            module: what is collected.
            seconds: from now; encloses reading credentials, resolving, connecting, headers, bodies and decoding.
        """
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._scrape_target(plan, module=module, seconds=seconds)) for plan in plans]
        results = [task.result() for task in tasks]
        return Snapshot(scrapes=tuple(scrape for scrape, _ in results), coalesced=sum(joined for _, joined in results))

    async def trace(self, plans: Sequence[TargetPlan], *, module: Module, seconds: float) -> Traced:
        """Ask all targets at once as `scrape` does, each for this caller alone, and return the steps as well."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._trace_target(plan, module=module, seconds=seconds)) for plan in plans]
        results = [task.result() for task in tasks]
        snapshot = Snapshot(scrapes=tuple(scrape for scrape, _ in results))
        return Traced(snapshot, tuple(steps for _, steps in results))

    async def _trace_target(
        self, plan: TargetPlan, *, module: Module, seconds: float
    ) -> tuple[TargetScrape, tuple[Step, ...]]:
        began, journal = self._means.clock(), Trace(clock=self._means.clock)
        own = self._begin(plan, module=module, deadline=asyncio.get_running_loop().time() + seconds, journal=journal)
        try:
            await asyncio.wait({own.task}, timeout=seconds)
            if not own.task.done():
                journal.note("the time is over, while {}", journal.stage)
        finally:
            own.task.cancel()
        await asyncio.wait({own.task})
        for request, attempts in sorted(journal.requests.items()):
            journal.note("requests in all: {}, {}: {}", request.route, request.result, attempts)
        return own.scraping.told(seconds=seconds, duration=self._means.clock() - began), journal.steps

    async def _scrape_target(self, plan: TargetPlan, *, module: Module, seconds: float) -> tuple[TargetScrape, bool]:
        """Return what is known of a target at this caller's deadline, and whether it was being asked already."""
        began, now = self._means.clock(), asyncio.get_running_loop().time()
        deadline = now + seconds
        key = (plan.target, id(plan.config), module.name, module.collectors)
        shared = self._in_flight.get(key)
        joined = shared is not None and not shared.task.done() and now < shared.open_until
        if shared is None or not joined:
            shared = self._in_flight[key] = self._begin(plan, module=module, deadline=deadline)
        shared.callers += 1
        shared.patience.deadline = max(shared.patience.deadline, deadline)
        try:
            await asyncio.wait({shared.task}, timeout=seconds)
        finally:
            shared.callers -= 1
            if not shared.callers:
                if self._in_flight.get(key) is shared:
                    del self._in_flight[key]
                shared.task.cancel()
        if not shared.callers:
            await asyncio.wait({shared.task})
        return shared.scraping.told(seconds=seconds, duration=self._means.clock() - began), joined

    def _begin(self, plan: TargetPlan, *, module: Module, deadline: float, journal: Journal | None = None) -> _Shared:
        patience = _Patience(deadline)
        # Nothing here refers to itself in a circle: what was scraped must not lie about until somebody collects it.
        scraping = Scraping(plan, module=module, means=self._means, deadline=patience, journal=journal)
        task = asyncio.get_running_loop().create_task(scraping.run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return _Shared(plan.target.label, deadline, patience, scraping, task)
