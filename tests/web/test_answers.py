"""Answers that nobody waits for any more."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp.test_utils import make_mocked_request
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from oxidized_exporter.web.answers import exposition
from oxidized_exporter.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterator


class Endless(Collector):
    """Families without end."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.ended = threading.Event()
        self.stop = threading.Event()  # or a failed test would keep the thread for ever

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            while not self.stop.is_set():
                self.begun.set()
                yield GaugeMetricFamily("oxidized_status", "Up.", value=1)
        finally:
            self.ended.set()


async def test_writing_an_answer_ends_when_its_scraper_hangs_up() -> None:
    workers, collector = Workers("test"), Endless()
    request = make_mocked_request("GET", "/probe")
    task = asyncio.create_task(exposition(request, collector, workers=workers, large=True))
    assert await asyncio.to_thread(collector.begun.wait, 20)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    try:
        assert await asyncio.to_thread(collector.ended.wait, 20)
    finally:
        collector.stop.set()
        workers.close()
