"""A run: the instances, the exporter as the real command, who scrapes it, and what is read of its process meanwhile."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp
import msgspec

from tests.soak.fleet import Outages
from tests.soak.plan import name_of
from tests.soak.rough import Rough
from tests.soak.scraper import Scraper
from tests.soak.taken import taken_by
from tests.system.program import EXPORTER, exporting, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from tests.soak.judge import Outcome
    from tests.soak.plan import Outage, Setup
    from tests.soak.rough import Manner
    from tests.soak.taken import Taken
    from tests.system.program import Exporter

_MODULES: Final = """\
modules:
  default: {collectors: [nodes, configs, stats]}
  rough: {collectors: [nodes, stats]}
targets:
"""
_FLEET_STARTS_SECONDS: Final = 120.0  # it makes two hours of history first
_SETTLES_SECONDS: Final = 30.0
_AT_ONCE: Final = 0.5  # seconds from here to the first scrape


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the exporter's process had taken at this second after the first scrape."""

    second: float
    taken: Taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What was left when all clients had gone.

    Attributes:
        descriptors: more than before the first probe.
        in_flight: probes.
        rejected: probes that were refused in the whole run.
        error_lines: of the log, in the whole run.
    """

    descriptors: int
    in_flight: int
    rejected: int
    error_lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All that came of a run.

    Attributes:
        setup: what was run.
        planned: who died when.
        outcomes: of all probes.
        readings: of the exporter's process, in the order of time.
        rough: clients that behaved badly, by manner.
        left: at the end.
    """

    setup: Setup
    planned: Sequence[Outage]
    outcomes: Sequence[Outcome]
    readings: Sequence[Reading]
    rough: Mapping[Manner, int]
    left: Left


async def run(setup: Setup, *, planned: Sequence[Outage], unplanned: Sequence[Outage] = ()) -> Run:
    """Run it.

    Args:
        setup: what is run.
        planned: who dies when.
        unplanned: who dies as well without the judge's knowing.
    """
    async with _fleet(setup) as (control, ports), _exporter(ports) as exporter:
        before = taken_by(exporter.program.pid)
        first = time.monotonic() + _AT_ONCE
        told = Outages(first=first, planned=(*planned, *unplanned))
        async with (
            aiohttp.ClientSession() as client,
            client.put(f"{control}/outages", data=msgspec.json.encode(told)) as response,
        ):
            assert response.status == 200
        scraper = Scraper(url=exporter.url, control=control, setup=setup, planned=planned, first=first)
        rough = Rough(address=exporter.address, setup=setup, first=first)
        readings: list[Reading] = []
        over = asyncio.Event()
        async with scraper.sessions() as sessions, asyncio.TaskGroup() as group:
            group.create_task(_sample(exporter, setup, first, readings, over))
            await asyncio.gather(scraper.scrape(sessions), rough.come())
            over.set()
        left = await _left(exporter, before)
    return Run(setup=setup, planned=planned, outcomes=scraper.outcomes, readings=readings, rough=rough.came, left=left)


@asynccontextmanager
async def _fleet(setup: Setup) -> AsyncIterator[tuple[str, list[int]]]:
    """Start the instances; yields the URL of their process, and their ports."""
    command = (sys.executable, "-m", "tests.soak.fleet", str(setup.instances), str(setup.devices))
    async with running(*command) as program:
        (line,) = await program.out.first("[", seconds=_FLEET_STARTS_SECONDS)
        control, *ports = msgspec.json.decode(line, type=list[int])
        yield f"http://127.0.0.1:{control}", ports


@asynccontextmanager
async def _exporter(ports: Sequence[int]) -> AsyncIterator[Exporter]:
    """Start the exporter with a configuration that names all instances."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "config.yml"
        targets = (f"  {name_of(number)}: {{url: 'http://127.0.0.1:{port}'}}\n" for number, port in enumerate(ports))
        file.write_text(_MODULES + "".join(targets))
        async with exporting(*EXPORTER, f"--config.file={file}") as exporter:
            yield exporter


async def _sample(exporter: Exporter, setup: Setup, first: float, readings: list[Reading], over: asyncio.Event) -> None:
    """Read what the process takes at each full span, and once more when the last probe has ended."""
    due = 0.0
    while not over.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), max(0.0, first + due - time.monotonic()))
        readings.append(Reading(second=time.monotonic() - first, taken=taken_by(exporter.program.pid)))
        due += setup.sampled


async def _left(exporter: Exporter, before: Taken) -> Left:
    """Give what has ended time to be cleared away, and say what is left after it."""
    deadline = time.monotonic() + _SETTLES_SECONDS
    while True:
        async with aiohttp.ClientSession() as client, client.get(f"{exporter.url}/metrics") as response:
            metrics = await response.text()
        more = taken_by(exporter.program.pid).descriptors - before.descriptors
        in_flight = _total(metrics, "oxidized_exporter_probes_in_flight")
        if (more <= 0 and not in_flight) or time.monotonic() > deadline:
            return Left(
                descriptors=more,
                in_flight=in_flight,
                rejected=_total(metrics, "oxidized_exporter_probes_rejected_total"),
                error_lines=sum("level=error" in line for line in exporter.program.err.seen),
            )
        await asyncio.sleep(0.1)


def _total(metrics: str, name: str) -> int:
    samples = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", metrics, re.MULTILINE)
    return int(sum(map(float, samples)))
