from __future__ import annotations

import asyncio
import io
import re
from typing import TYPE_CHECKING, cast

import pytest

from oxidized_exporter.commands.progress import progress_bars
from tests.commands.test_status import Terminal
from tests.system.program import eventually

if TYPE_CHECKING:
    from oxidized_exporter.scrape.scraper import Scraper


class Fetching:
    """A scraper as a progress bar sees it."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[int, int]] = {}

    def progress(self) -> dict[str, tuple[int, int]]:
        return self.known


async def test_a_bar_for_each_target_whose_configurations_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    terminal, scraper = Terminal(), Fetching()

    async def shows(pattern: str) -> None:
        async def shown() -> bool:
            return re.search(pattern, re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())) is not None

        await eventually(shown, every=0.02)

    with progress_bars(terminal) as watch:
        assert watch
        watching = asyncio.create_task(watch(cast("Scraper", scraper)))
        scraper.known = {"none": (0, 0), "[red]one": (0, 7)}
        await shows(r"\[red\]one configurations .* 0/7 ")
        scraper.known = {"[red]one": (3, 7), "two": (1, 2)}
        await shows(r"\[red\]one configurations .* 3/7 .*\n*two configurations .* 1/2 ")
        watching.cancel()
    assert "none" not in terminal.getvalue()
    assert terminal.getvalue().rstrip("\r").endswith("\x1b[2K")  # the last thing done is to take the bars away


@pytest.mark.parametrize(
    "stream, variables", [(io.StringIO(), {"FORCE_COLOR": "1", "TERM": "xterm"}), (Terminal(), {"TERM": "dumb"})]
)
def test_nobody_watches_where_no_bar_can_be_drawn(
    stream: io.StringIO, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with progress_bars(stream) as watch:
        assert watch is None
    assert stream.getvalue() == ""


async def test_what_was_never_fetched_leaves_nothing_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with progress_bars(terminal) as watch:
        assert watch
        watching = asyncio.create_task(watch(cast("Scraper", Fetching())))
        await asyncio.sleep(0)
        watching.cancel()
    assert terminal.getvalue() == ""
