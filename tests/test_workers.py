"""Work beside the event loop: small beside large, and none for which nobody waits."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from oxidized_exporter.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers("test")
    yield workers
    workers.close()


async def test_what_is_small_does_not_wait_behind_what_is_large(workers: Workers) -> None:
    release = threading.Event()
    large = asyncio.create_task(workers.run(lambda _check: release.wait(timeout=20), large=True))

    assert await workers.run(lambda _check: threading.current_thread().name, large=False) == "test_0"
    assert not large.done()

    release.set()
    assert await large


async def test_work_under_way_ends_at_its_next_check_once_nobody_waits(workers: Workers) -> None:
    begun, ended = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def work(check: Callable[[], None]) -> None:
        try:
            while True:
                begun.set()
                check()
        finally:
            loop.call_soon_threadsafe(ended.set)

    task = asyncio.create_task(workers.run(work, large=False))
    await asyncio.to_thread(begun.wait, 20)
    assert not ended.is_set()

    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    async with asyncio.timeout(20):
        await ended.wait()


async def test_work_that_waits_for_its_turn_never_begins_once_nobody_waits(workers: Workers) -> None:
    release = threading.Event()
    first = asyncio.create_task(workers.run(lambda _check: release.wait(timeout=20), large=True))
    begun: list[str] = []
    second = asyncio.create_task(workers.run(lambda _check: begun.append("second"), large=True))
    await asyncio.sleep(0)

    second.cancel()
    release.set()
    assert await first
    await workers.run(lambda _check: begun.append("third"), large=True)

    assert second.cancelled()
    assert begun == ["third"]


async def test_what_work_raises_reaches_who_waits(workers: Workers) -> None:
    def work(_check: Callable[[], None]) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await workers.run(work, large=False)
