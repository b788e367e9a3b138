"""Progress bars while configurations are fetched, where somebody looks."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from rich.progress import TaskID

    from oxidized_exporter.scrape.scraper import Scraper

_EVERY_SECONDS: Final = 0.1


@contextmanager
def progress_bars(stream: TextIO) -> Iterator[Callable[[Scraper], Coroutine[None, None, None]] | None]:
    """Yield what watches a scrape and shows a bar for each target whose configurations are fetched.

    It is drawn by a thread of its own, so that a terminal that is held does not hold the scrape.

    Args:
        stream: where to; None is yielded where that is no terminal, or one that cannot move its cursor.
    """
    console = Console(file=stream, force_terminal=stream.isatty())
    if not console.is_terminal or console.is_dumb_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bars = Progress(*columns, console=console, transient=True)
    tasks: dict[str, TaskID] = {}

    async def watch(scraper: Scraper) -> None:
        while True:
            for label, (had, wanted) in scraper.progress().items():
                if wanted and label not in tasks:
                    tasks[label] = bars.add_task(f"{label} configurations", total=wanted)
                    bars.start()
                if wanted:
                    bars.update(tasks[label], completed=had)
            await asyncio.sleep(_EVERY_SECONDS)

    try:
        yield watch
    finally:
        if tasks:
            bars.stop()
