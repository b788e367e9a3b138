"""Whole scrapes in a time of the test's own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from oxidized_exporter.oxidized.request_settings import SettingsReader
from oxidized_exporter.oxidized.resolver import system_resolver
from oxidized_exporter.scrape.memory import Memory
from oxidized_exporter.scrape.plan import plan
from oxidized_exporter.scrape.scraper import Scraper
from oxidized_exporter.scrape.scraping import Means
from oxidized_exporter.simulator import ManualClock
from oxidized_exporter.targets.url import parse_target
from oxidized_exporter.workers import Workers
from tests.web.instances import configuring, instance, switches

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOUR = 3600.0


@asynccontextmanager
async def scraper(memory: Memory, hits: list[int]) -> AsyncIterator[Scraper]:
    resolver, workers, reader = system_resolver(), Workers("decode"), ThreadPoolExecutor(max_workers=1)
    try:
        yield Scraper(
            Means(
                resolver=resolver,
                workers=workers,
                checkers=workers,
                settings_reader=SettingsReader(reader),
                memory=memory,
                asked=lambda _route, _result, _attempts: None,
                remembered=hits.append,
            )
        )
    finally:
        workers.close()
        reader.shutdown()
        await resolver.close()


async def test_what_is_remembered_is_asked_for_again_when_its_time_is_over_though_oxidized_did_nothing() -> None:
    """The node list stands still; the fleet is not forgotten at once, but all of it within 24 hours."""
    clock, hits = ManualClock(), list[int]()
    hours = iter((18.0, 20.0, 24.0, 24.0, 24.0, 24.0))
    memory = Memory(clock=clock, uniform=lambda _low, _high: next(hours) * HOUR)
    config = configuring()
    module = config.modules["default"]
    async with instance(*switches(3)) as oxidized, scraper(memory, hits) as one:
        plans = (plan(parse_target(oxidized.url), config=config),)
        for advance, fetched in ((0, 3), (18, 1), (1, 0), (1, 1), (4, 1)):
            clock.advance(advance * HOUR)
            [scrape] = (await one.scrape(plans, module=module, seconds=10)).scrapes
            assert scrape.configs is not None
            assert None not in scrape.configs.size
            assert len(oxidized.asked()) == 1 + fetched
    assert hits == [0, 2, 3, 2, 2]
