"""Two replicas behind a balancer, restarted one at a time while they are scraped."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.stops.balancer import PERIOD_SECONDS, balancing
from tests.stops.client import STEADY, Scraper
from tests.system.held_port import LOOPBACK, held_port
from tests.system.program import COMMAND, Exporter, exporting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.stops.client import Attempt, Kind
    from tests.stops.upstream import Upstream

DELAY_SECONDS: Final = 5 * PERIOD_SECONDS
"""How long a replica that ends serves on: what the balancer needs to notice, with something to spare."""

_EVERY_SECONDS: Final = 0.05  # a scraper begins a scrape


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """What became of the scrapes while replicas were restarted.

    Attributes:
        restarts: how many there were, of either replica in turn.
        attempts: the scrapes; none was made again.
    """

    restarts: int
    attempts: Sequence[Attempt]

    def failed(self) -> list[Attempt]:
        """Return those without a complete answer."""
        return [attempt for attempt in self.attempts if attempt.trouble]


async def upgrade(
    *, restarts: int, upstream: Upstream, kinds: Sequence[Kind] = STEADY, delay: float = DELAY_SECONDS
) -> Upgrade:
    """Restart one replica after the other, so many times altogether, each once the other one is back."""
    async with AsyncExitStack() as stack:
        ports = [stack.enter_context(held_port()) for _ in range(2)]
        replicas = [Replica(port=port, delay=delay) for port in ports]
        for replica in replicas:
            await replica.start()
            stack.push_async_callback(replica.kill)
        balancer, port = await stack.enter_async_context(balancing(*ports))
        await balancer.ready(*ports)
        scrapers = [
            Scraper(name=f"upgrade-{number}", kind=kind, port=port, upstream=upstream.url)
            for number, kind in enumerate(kinds)
        ]
        async with _steady(scrapers):
            for turn in range(restarts):
                replica = replicas[turn % len(replicas)]
                await replica.restart()
                await balancer.ready(*ports)
    return Upgrade(restarts=restarts, attempts=[attempt for scraper in scrapers for attempt in scraper.attempts])


class Replica:
    """An exporter that is started again and again on the same port."""

    def __init__(self, *, port: int, delay: float) -> None:
        self._command = (*COMMAND, f"--web.listen-address={LOOPBACK}:{port}", f"--web.shutdown-delay={delay}")
        self._running = AsyncExitStack()
        self._exporter: Exporter | None = None

    async def start(self) -> None:
        """Return when it listens."""
        self._exporter = await self._running.enter_async_context(exporting(*self._command))

    async def restart(self) -> None:
        """End it by SIGTERM and start it anew, as what supervises it would."""
        assert self._exporter is not None
        assert await self._exporter.stop() == 0
        await self._running.aclose()
        await self.start()

    async def kill(self) -> None:
        """End it, however it is."""
        await self._running.aclose()


@asynccontextmanager
async def _steady(scrapers: Sequence[Scraper]) -> AsyncIterator[None]:
    """Let each scrape on a beat of its own, until this is over."""
    over = threading.Event()

    def scrape(scraper: Scraper, late: float) -> None:
        beat = time.monotonic() + late
        while not over.wait(max(beat - time.monotonic(), 0)):
            scraper.scrape()
            beat = max(beat + _EVERY_SECONDS, time.monotonic())
        scraper.close()

    with ThreadPoolExecutor(len(scrapers)) as threads:
        loop = asyncio.get_running_loop()
        late = [_EVERY_SECONDS * number / len(scrapers) for number in range(len(scrapers))]
        load = [loop.run_in_executor(threads, scrape, *one) for one in zip(scrapers, late, strict=True)]
        try:
            yield
        finally:
            over.set()
            await asyncio.gather(*load)
