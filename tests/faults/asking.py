"""Asking the exporter, against the clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import aiohttp

from tests.faults.left import starved
from tests.harness import Exposition
from tests.process import SELF

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.faults.cells import Cell

UNHURRIED: Final = 30.0
"""Seconds of a probe that does not have to wait for its deadline."""
GRACE: Final = 0.3
"""Seconds after the deadline by which an answer has come."""


async def probe(port: int, cell: Cell, *targets: str, seconds: float, pid: int | str = SELF) -> Exposition:
    """Probe over a connection of its own what a cell asks for, and hold the answer to the deadline.

    Args:
        port: of the exporter.
        cell: which one.
        targets: all that are asked.
        seconds: of the deadline.
        pid: of the exporter's process.
    """
    params = [("module", cell.fault.module), *(("collect[]", collector) for collector in cell.asked)]
    pids = {pid, SELF}
    waited, began = starved(*pids), time.monotonic()
    text = await _ask(port, *targets, seconds=seconds, params=params)
    taken = time.monotonic() - began - (starved(*pids) - waited)
    assert taken <= seconds + GRACE, f"{taken:.3f} s, and {seconds:.3f} s is the deadline"
    return Exposition.parse(text)


async def ask(port: int, *targets: str) -> Exposition:
    """Probe over a connection of its own, with all collectors."""
    return Exposition.parse(await _ask(port, *targets, seconds=UNHURRIED, params=()))


async def _ask(port: int, *targets: str, seconds: float, params: Iterable[tuple[str, str]]) -> str:
    query = [("target", target) for target in targets] + list(params)
    headers = {"X-Prometheus-Scrape-Timeout-Seconds": f"{seconds:.3f}"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/probe", params=query, headers=headers) as response,
    ):
        text = await response.text()
    assert response.status == 200, text
    return text
