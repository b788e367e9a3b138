"""One scrape of one or several targets; whatever goes wrong behind a target is part of the answer."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import structlog

from oxidized_exporter.errors import ProbeError, ProbeTimeoutError, ProtocolError, place
from oxidized_exporter.oxidized.client import OxidizedClient
from oxidized_exporter.oxidized.journal import Journal, Stage
from oxidized_exporter.oxidized.request_settings import SettingsReader
from oxidized_exporter.oxidized.resolver import GuardedResolver
from oxidized_exporter.oxidized.transport import open_session
from oxidized_exporter.scrape.nodes import collect_nodes
from oxidized_exporter.scrape.snapshot import CollectorRun, Failure, NodesSummary, Snapshot, TargetScrape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from aiohttp.abc import AbstractResolver

    from oxidized_exporter.config import Config, Module
    from oxidized_exporter.scrape.plan import TargetPlan
    from oxidized_exporter.workers import Workers

_LARGE_BYTES: Final = 1024 * 1024  # about 3,000 devices

_log = structlog.stdlib.get_logger(__name__)


class Scraper:
    """Makes scrapes; keeps nothing of them."""

    def __init__(
        self,
        *,
        resolver: AbstractResolver,
        workers: Workers,
        reader: Executor,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Take what a scrape needs.

        Args:
            resolver: resolves names; belongs to the caller.
            workers: decode bodies off the loop; belong to the caller.
            reader: reads the files of credentials and certificates; belongs to the caller.
            clock: monotonic seconds, for durations.
        """
        self._resolver = resolver
        self._workers = workers
        self._clock = clock
        self._settings_reader = SettingsReader(reader)

    def forget_all_but(self, config: Config) -> None:
        """Let go of what is kept for connections that ``config`` does not have: their TLS contexts."""
        self._settings_reader.forget_all_but(config.connections)

    async def scrape(self, plans: Sequence[TargetPlan], *, module: Module, seconds: float) -> Snapshot:
        """Ask all targets at once and return what is known when the time is over, or sooner.

        A target that fails or hangs does not touch the others. On cancellation every connection is dropped.

        Args:
            plans: one or more targets, and how each is reached.
            module: what is collected.
            seconds: from now; encloses reading credentials, resolving, connecting, headers, body and decoding.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._scrape_target(plan, module=module, deadline=deadline, seconds=seconds))
                for plan in plans
            ]
        return Snapshot(scrapes=tuple(task.result() for task in tasks))

    async def _scrape_target(
        self, plan: TargetPlan, *, module: Module, deadline: float, seconds: float
    ) -> TargetScrape:
        journal = Journal()
        started = self._clock()
        summary: NodesSummary | None = None
        failure: Failure | None = None
        try:
            async with asyncio.timeout_at(deadline):
                summary = await self._nodes(plan, module=module, journal=journal, deadline=deadline)
        except TimeoutError:
            failure = Failure(
                reason=ProbeTimeoutError.reason,
                detail=f"no complete answer within {seconds:g} s, given up while {journal.stage}",
            )
        except ProbeError as error:
            failure = Failure(reason=error.reason, detail=str(error))
        except Exception as error:  # noqa: BLE001 - a fault of this package must not cost the other targets
            failure = Failure(reason=ProtocolError.reason, detail=f"unexpected {type(error).__name__}")
            _log.error("bug: unexpected exception while scraping", target=plan.target.label, error=place(error))
        duration = self._clock() - started
        nodes = CollectorRun(name="nodes", success=summary is not None and summary.complete, duration=duration)
        return TargetScrape(
            target=plan.target,
            duration=duration,
            summary=summary,
            failure=failure,
            collectors=(nodes,),
            requests=tuple(journal.requests),
            certificate_expiry=journal.certificate_expiry,
        )

    async def _nodes(self, plan: TargetPlan, *, module: Module, journal: Journal, deadline: float) -> NodesSummary:
        limits = plan.config.limits
        settings = await self._settings_reader.read(plan.connection)
        resolver = GuardedResolver(self._resolver, plan.policy)
        async with open_session(resolver=resolver, journal=journal, limits=limits, settings=settings) as session:
            client = OxidizedClient(
                session=session,
                target=plan.target,
                settings=settings,
                permits=plan.permits,
                journal=journal,
                limits=limits,
                deadline=deadline,
            )
            body = await client.nodes()
        journal.enter(Stage.DECODE)
        return await self._workers.run(
            lambda check: collect_nodes(body, module=module, limits=limits, check=check),
            large=len(body) > _LARGE_BYTES,
        )
