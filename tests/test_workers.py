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


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    """Ends what hangs, or a failed test would keep its thread, and the run, for ever."""
    event = threading.Event()
    yield event
    event.set()


async def held(workers: Workers, release: threading.Event, *, large: bool) -> asyncio.Task[bool]:
    """Occupy a thread until it is released."""
    begun = threading.Event()

    def work(_check: Callable[[], None]) -> bool:
        begun.set()
        return release.wait(20)

    task = asyncio.create_task(workers.run(work, large=large))
    assert await asyncio.to_thread(begun.wait, 20)
    return task


@pytest.mark.parametrize("large", [True, False])
async def test_small_and_large_work_do_not_wait_for_each_other(
    workers: Workers, stop: threading.Event, *, large: bool
) -> None:
    holding = await held(workers, stop, large=large)

    assert await workers.run(lambda _check: "done", large=not large) == "done"
    assert not holding.done()

    stop.set()
    assert await holding


async def test_work_under_way_ends_at_its_next_check_once_nobody_waits(workers: Workers, stop: threading.Event) -> None:
    begun, ended = threading.Event(), threading.Event()

    def work(check: Callable[[], None]) -> None:
        begun.set()
        try:
            while not stop.is_set():
                check()
        except Exception:
            ended.set()
            raise

    task = asyncio.create_task(workers.run(work, large=False))
    assert await asyncio.to_thread(begun.wait, 20)
    assert not ended.is_set()

    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert await asyncio.to_thread(ended.wait, 20)


@pytest.mark.parametrize("large", [True, False])
async def test_work_that_waits_for_its_turn_never_begins_once_nobody_waits(
    workers: Workers, stop: threading.Event, *, large: bool
) -> None:
    first = await held(workers, stop, large=large)
    begun: list[str] = []
    second = asyncio.create_task(workers.run(lambda _check: begun.append("second"), large=large))
    await asyncio.sleep(0)

    second.cancel()
    with suppress(asyncio.CancelledError):
        await second
    stop.set()
    assert await first
    await workers.run(lambda _check: begun.append("third"), large=large)

    assert begun == ["third"]


async def test_after_closing_nothing_begins(workers: Workers, stop: threading.Event) -> None:
    first = await held(workers, stop, large=True)
    begun: list[str] = []
    second = asyncio.create_task(workers.run(lambda _check: begun.append("second"), large=True))
    await asyncio.sleep(0)

    workers.close()
    stop.set()

    assert await first
    with pytest.raises(asyncio.CancelledError):
        await second
    with pytest.raises(RuntimeError):
        await workers.run(lambda _check: begun.append("third"), large=False)
    assert not begun


async def test_what_work_raises_reaches_who_waits(workers: Workers) -> None:
    def work(_check: Callable[[], None]) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await workers.run(work, large=False)
