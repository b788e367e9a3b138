"""One target while it is asked: what is known of it so far, and what is told of it at any moment."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from oxidized_exporter.errors import ProbeError, ProbeTimeoutError, ProtocolError, SchemaError, first_of, place
from oxidized_exporter.oxidized.client import OxidizedClient
from oxidized_exporter.oxidized.journal import Journal, Stage
from oxidized_exporter.oxidized.resolver import GuardedResolver
from oxidized_exporter.oxidized.transport import open_session
from oxidized_exporter.scrape.configs import ConfigsCollector, plan_fetches
from oxidized_exporter.scrape.nodes import collect_nodes
from oxidized_exporter.scrape.snapshot import CollectorRun, Failure, TargetScrape
from oxidized_exporter.scrape.stats import collect_stats
from oxidized_exporter.workers import LARGE_BYTES, LARGE_DEVICES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiohttp.abc import AbstractResolver

    from oxidized_exporter.config import Module
    from oxidized_exporter.oxidized.request_settings import SettingsReader
    from oxidized_exporter.scrape.configs import Progress
    from oxidized_exporter.scrape.memory import Memory
    from oxidized_exporter.scrape.plan import TargetPlan
    from oxidized_exporter.scrape.snapshot import NodesSummary, StatsSummary
    from oxidized_exporter.workers import Workers

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What every scrape uses.

    Attributes:
        resolver: resolves names.
        workers: decode bodies off the loop.
        checkers: look into configurations, which may take long and cannot be interrupted.
        settings_reader: reads the files of credentials and certificates.
        memory: of stored configurations.
        asked: is told, when a target has been asked, its route, how attempts ended, and how many did.
        remembered: is told then of how many devices the configuration was remembered.
        clock: monotonic seconds, for durations.
    """

    resolver: AbstractResolver
    workers: Workers
    checkers: Workers
    settings_reader: SettingsReader
    memory: Memory
    asked: Callable[[str, str, int], None]
    remembered: Callable[[int], None]
    clock: Callable[[], float] = time.perf_counter


class Scraping:
    """Asks one target, and can be asked at any moment what is known."""

    def __init__(
        self,
        plan: TargetPlan,
        *,
        module: Module,
        means: Means,
        deadline: Callable[[], float],
        journal: Journal | None = None,
    ) -> None:
        """Bind to one target.

        Args:
            plan: whom to ask, and how.
            module: what is collected.
            means: what is used for it.
            deadline: tells until when somebody waits, in the running loop's time.
            journal: what happens on the way is written into it; None for one that nobody reads.
        """
        self._plan = plan
        self._module = module
        self._means = means
        self._deadline = deadline
        self._journal = journal or Journal()
        self._began: dict[str, float] = {}
        self._runs: dict[str, CollectorRun] = {}
        self._failure: Failure | None = None
        self._nodes: NodesSummary | None = None
        self._stats: StatsSummary | None = None
        self._configs: Progress | None = None

    @property
    def progress(self) -> tuple[int, int]:
        """How many stored configurations were had so far, and how many are asked for."""
        return (0, 0) if self._configs is None else (self._configs.had, len(self._configs.wanted))

    async def run(self) -> None:
        """Collect everything; raises nothing but CancelledError, on which all connections are dropped.

        What was asked is counted at the end, however it comes: callers may have left by then.
        """
        try:
            await self._collect()
        finally:
            for request, attempts in self._journal.requests.items():
                self._means.asked(request.route, request.result, attempts)
            if self._configs is not None:
                self._means.remembered(self._configs.remembered)

    async def _collect(self) -> None:
        plan, limits, settings = self._plan, self._plan.config.limits, None
        async with self._running("nodes"):
            settings = await self._means.settings_reader.read(plan.connection)
        if settings is None:
            return
        self._journal.note("the settings of the connection are read")
        resolver = GuardedResolver(self._means.resolver, plan.policy, self._journal)
        connections = max(limits.connections, self._module.configs.concurrency)
        async with open_session(
            resolver=resolver, journal=self._journal, connections=connections, settings=settings
        ) as session:
            client = OxidizedClient(
                session=session,
                target=plan.target,
                settings=settings,
                permits=plan.permits,
                journal=self._journal,
                limits=limits,
                deadline=self._deadline,
            )
            async with self._running("nodes"):
                await self._collect_nodes(client)
            if self._nodes is not None:
                async with asyncio.TaskGroup() as group:
                    if "stats" in self._module.collectors:
                        group.create_task(self._collect_stats(client, self._nodes))
                    if "configs" in self._module.collectors:
                        group.create_task(self._collect_configs(client, self._nodes))

    def told(self, *, seconds: float, duration: float) -> TargetScrape:
        """Return what is known now; what has not ended counts as cut off by the deadline.

        Args:
            seconds: the time that the caller had.
            duration: seconds since the caller asked.
        """
        failure = self._failure
        if failure is None and self._nodes is None:
            failure = self._cut_off(seconds, f", given up while {self._journal.stage}")
        return TargetScrape(
            target=self._plan.target,
            duration=duration,
            summary=None if failure is not None else self._nodes,
            failure=failure,
            collectors=tuple(self._run_of(name, seconds=seconds) for name in self._module.collectors),
            certificate_expiry=self._journal.certificate_expiry,
            configs=None if self._configs is None else self._configs.summary(),
            stats=self._stats,
        )

    def _run_of(self, name: str, *, seconds: float) -> CollectorRun:
        if name in self._runs:
            return self._runs[name]
        if name not in self._began:
            return CollectorRun(name=name, success=False, duration=0.0)
        duration = self._means.clock() - self._began[name]
        failure = None if self._nodes is None else self._cut_off(seconds)
        return CollectorRun(name=name, success=False, duration=duration, failure=failure)

    @staticmethod
    def _cut_off(seconds: float, where: str = "") -> Failure:
        return Failure(reason=ProbeTimeoutError.reason, detail=f"no complete answer within {seconds:g} s{where}")

    @asynccontextmanager
    async def _running(self, name: str) -> AsyncIterator[None]:
        """Note how a collector ended; a fault of this package must cost neither the others nor other targets."""
        if name not in self._began:
            self._began[name] = self._means.clock()
        failure: Failure | None = None
        try:
            yield
        except ProbeError as error:
            failure = Failure(reason=error.reason, detail=str(error))
            self._journal.note("collector {} failed, {}: {}", name, error.reason, error)
        except Exception as error:  # noqa: BLE001 - see above
            detail = f"unexpected {type(first_of(error)).__name__}"
            failure = Failure(reason=ProtocolError.reason, detail=detail, unexpected=True)
            self._journal.note("collector {} failed: a bug, see the log", name)
            _log.error(
                "bug: unexpected exception while scraping",
                target=self._plan.target.label,
                collector=name,
                error=place(error),
            )
        if failure is None:
            return
        if name == "nodes":
            self._failure = failure
            self._ended(name, success=False)
        else:
            self._ended(name, success=False, failure=failure)

    def _ended(self, name: str, *, success: bool, failure: Failure | None = None) -> None:
        duration = self._means.clock() - self._began[name]
        self._runs[name] = CollectorRun(name=name, success=success, duration=duration, failure=failure)

    async def _collect_nodes(self, client: OxidizedClient) -> None:
        body = await client.nodes()
        self._journal.enter(Stage.DECODE)
        self._nodes = await self._means.workers.run(
            lambda still_wanted: collect_nodes(
                body, module=self._module, limits=self._plan.config.limits, still_wanted=still_wanted
            ),
            large=len(body) > LARGE_BYTES,
        )
        found, shown = len(self._nodes.nodes.devices), len(self._nodes.shown)
        self._journal.note("the node list has {} devices, {} of them are shown", found, shown)
        if not self._nodes.complete:
            self._journal.note("there are more devices than max_devices ({})", self._module.max_devices)
        self._ended("nodes", success=self._nodes.complete)

    async def _collect_stats(self, client: OxidizedClient, nodes: NodesSummary) -> None:
        async with self._running("stats"):
            body = await client.stats()
            self._journal.enter(Stage.DECODE)
            self._stats = stats = await self._means.workers.run(
                lambda still_wanted: collect_stats(
                    body, nodes, limits=self._plan.config.limits, still_wanted=still_wanted
                ),
                large=len(body) > LARGE_BYTES,
            )
            self._journal.note("the statistics page is read")
            failure = None
            if stats.unreadable:
                detail = f"{stats.unreadable} rows of the statistics page cannot be read"
                failure = Failure(reason=SchemaError.reason, detail=detail)
                self._journal.note("collector stats failed, {}: {}", failure.reason, detail)
            self._ended("stats", success=failure is None, failure=failure)

    async def _collect_configs(self, client: OxidizedClient, nodes: NodesSummary) -> None:
        async with self._running("configs"):
            memory, module = self._means.memory, self._module
            known, troubled = memory.of(self._plan, module), memory.troubled(self._plan, module)
            self._configs = progress = await self._means.workers.run(
                lambda still_wanted: plan_fetches(
                    nodes,
                    known=known,
                    checks=module.configs.checks,
                    now=memory.now(),
                    troubled=troubled,
                    still_wanted=still_wanted,
                ),
                large=len(nodes.shown) > LARGE_DEVICES,
            )
            self._journal.note(
                "configurations: {} are remembered, {} are to be asked for, {} are skipped{}",
                progress.remembered,
                len(progress.wanted),
                progress.skipped.total(),
                "".join(f" ({count} {reason})" for reason, count in progress.skipped.items()),
            )
            collector = ConfigsCollector(
                client=client, plan=self._plan, module=module, memory=memory, workers=self._means.checkers
            )
            await collector.collect(nodes, progress)
            self._journal.note(
                "configurations: {} of {} are had, {} requests failed{}",
                progress.had,
                len(progress.wanted),
                progress.failures,
                ", nothing more is asked" if progress.given_up else "",
            )
            self._ended("configs", success=progress.had == len(progress.wanted), failure=progress.failure)
