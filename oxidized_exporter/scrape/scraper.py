"""One scrape of one or several targets; whatever goes wrong behind a target is part of the answer."""

from __future__ import annotations

import asyncio
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import structlog

from oxidized_exporter.errors import ProbeError, ProbeTimeoutError, ProtocolError, place
from oxidized_exporter.oxidized.client import OxidizedClient
from oxidized_exporter.oxidized.journal import Journal, Stage
from oxidized_exporter.oxidized.transport import open_session
from oxidized_exporter.scrape.nodes import collect_nodes
from oxidized_exporter.scrape.snapshot import CollectorRun, Failure, NodesSummary, Snapshot, TargetScrape

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from aiohttp.abc import AbstractResolver

    from oxidized_exporter.config import Limits, Module
    from oxidized_exporter.targets.url import Target

_log = structlog.stdlib.get_logger(__name__)


class Scraper:
    """Makes scrapes; keeps nothing of them."""

    def __init__(
        self,
        *,
        resolver: AbstractResolver,
        worker: Executor,
        limits: Limits,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Take what a scrape needs.

        Args:
            resolver: resolves and guards names; belongs to the caller.
            worker: decodes bodies off the loop; belongs to the caller.
            limits: what a target may cost.
            tls: how servers are verified; None for the system's certificate authorities.
            clock: monotonic seconds, for durations.
        """
        self._resolver = resolver
        self._worker = worker
        self._limits = limits
        self._tls = tls
        self._clock = clock

    async def scrape(self, targets: Sequence[Target], *, module: Module, seconds: float) -> Snapshot:
        """Ask all targets at once and return what is known when the time is over, or sooner.

        A target that fails or hangs does not touch the others. On cancellation every connection is dropped.

        Args:
            targets: one or more.
            module: what is collected.
            seconds: from now; encloses resolving, connecting, headers, body and decoding.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._scrape_target(target, module=module, deadline=deadline, seconds=seconds))
                for target in targets
            ]
        return Snapshot(scrapes=tuple(task.result() for task in tasks))

    async def _scrape_target(self, target: Target, *, module: Module, deadline: float, seconds: float) -> TargetScrape:
        journal = Journal()
        started = self._clock()
        summary: NodesSummary | None = None
        failure: Failure | None = None
        try:
            async with asyncio.timeout_at(deadline):
                summary = await self._nodes(target, journal=journal, deadline=deadline)
        except TimeoutError:
            failure = Failure(
                reason=ProbeTimeoutError.reason,
                detail=f"no complete answer within {seconds:g} s, given up while {journal.stage}",
            )
        except ProbeError as error:
            failure = Failure(reason=error.reason, detail=str(error))
        except Exception as error:  # noqa: BLE001 - a fault of this package must not cost the other targets
            failure = Failure(reason=ProtocolError.reason, detail=f"unexpected {type(error).__name__}")
            _log.error("bug: unexpected exception while scraping", target=target.label, error=place(error))
        duration = self._clock() - started
        return TargetScrape(
            target=target,
            duration=duration,
            summary=summary,
            failure=failure,
            collectors=tuple(
                CollectorRun(name=name, success=failure is None, duration=duration) for name in module.collectors
            ),
            requests=tuple(journal.requests),
            certificate_expiry=journal.certificate_expiry,
        )

    async def _nodes(self, target: Target, *, journal: Journal, deadline: float) -> NodesSummary:
        async with open_session(resolver=self._resolver, journal=journal, tls=self._tls) as session:
            client = OxidizedClient(
                session=session, target=target, journal=journal, limits=self._limits, deadline=deadline
            )
            body = await client.nodes()
        journal.enter(Stage.DECODE)
        abandoned = threading.Event()
        collect = partial(collect_nodes, body, limits=self._limits, check=partial(_give_up_if, abandoned))
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, collect)
        finally:
            abandoned.set()


class _AbandonedError(Exception):
    """Ends the decoding of a body for which nobody waits any more."""


def _give_up_if(abandoned: threading.Event) -> None:
    if abandoned.is_set():
        raise _AbandonedError
