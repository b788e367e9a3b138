"""Scrapes as Prometheus does: spread over the interval by a hash, one connection for each target, OpenMetrics, gzip."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

import aiohttp
import msgspec
from isal import isal_zlib

from tests.soak.answer import Truth, read
from tests.soak.judge import Probe, judge
from tests.soak.plan import name_of, offset_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.soak.judge import Outcome
    from tests.soak.plan import Outage, Setup

HEADERS: Final = {
    "Accept": "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "Accept-Encoding": "gzip",
    "User-Agent": "Prometheus/2.53.0",
}
_GZIP: Final = 31  # the format, and the largest window
_IDLE_SECONDS: Final = 300.0  # as long Prometheus keeps a connection
TIMEOUT: Final = "X-Prometheus-Scrape-Timeout-Seconds"


class Scraper:
    """Scrapes every instance until the time is over, and judges each probe at once.

    Args:
        url: of the exporter.
        control: URL of the process of the instances.
        setup: what is run.
        planned: who dies when.
        first: when it begins, on the clock of `time.monotonic`.
    """

    def __init__(self, *, url: str, control: str, setup: Setup, planned: Sequence[Outage], first: float) -> None:
        self.outcomes: list[Outcome] = []
        self._url = url
        self._control = control
        self._setup = setup
        self._first = first
        self._planned = [
            [outage for outage in planned if outage.instance == number] for number in range(setup.instances)
        ]

    @asynccontextmanager
    async def sessions(self) -> AsyncIterator[list[aiohttp.ClientSession]]:
        """Yield one for each instance; its connection is kept until the context ends."""
        headers = HEADERS | {TIMEOUT: str(self._setup.timeout)}
        timeout = aiohttp.ClientTimeout(total=self._setup.timeout)
        async with AsyncExitStack() as stack:
            yield [
                await stack.enter_async_context(
                    aiohttp.ClientSession(
                        self._url,
                        headers=headers,
                        timeout=timeout,
                        auto_decompress=False,
                        connector=aiohttp.TCPConnector(keepalive_timeout=_IDLE_SECONDS),
                    )
                )
                for _ in range(self._setup.instances)
            ]

    async def scrape(self, sessions: Sequence[aiohttp.ClientSession]) -> None:
        """Return when the last probe has ended."""
        async with aiohttp.ClientSession(self._control) as control, asyncio.TaskGroup() as group:
            for number, session in enumerate(sessions):
                group.create_task(self._scrape(number, session, control))

    async def _scrape(self, number: int, session: aiohttp.ClientSession, control: aiohttp.ClientSession) -> None:
        setup, due = self._setup, offset_of(number, interval=self._setup.interval)
        while due < setup.seconds:
            await asyncio.sleep(max(0.0, self._first + due - time.monotonic()))
            probe = await self._probe(number, session)
            up = probe.answer is not None and probe.answer.up
            truth = await _truth(control, number) if up else None
            self.outcomes.append(judge(probe, planned=self._planned[number], truth=truth, setup=setup))
            due += setup.interval

    async def _probe(self, number: int, session: aiohttp.ClientSession) -> Probe:
        begin = self._now()
        try:
            async with session.get("/probe", params={"target": name_of(number), "module": "default"}) as response:
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            return Probe(instance=number, begin=begin, end=self._now(), error=repr(error))
        end = self._now()
        answer = None
        if response.status == 200:
            gzipped = response.headers.get("Content-Encoding") == "gzip"
            answer = read(isal_zlib.decompress(body, wbits=_GZIP) if gzipped else body)
        return Probe(instance=number, begin=begin, end=end, status=response.status, answer=answer)

    def _now(self) -> float:
        return time.monotonic() - self._first


async def _truth(control: aiohttp.ClientSession, number: int) -> Truth:
    async with control.get(f"/truth/{number}") as response:
        return msgspec.json.decode(await response.read(), type=Truth)
