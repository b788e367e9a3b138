"""The collectors configs and stats: against a bare client, against `nodes` alone, and what they hold in memory."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import statistics
import tempfile
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp

from oxidized_exporter.config import Limits, Module
from oxidized_exporter.oxidized.configuration import Skip, fetch_path
from oxidized_exporter.scrape.nodes import collect_nodes
from oxidized_exporter.scrape.stats import collect_stats
from tests.benchmarks.serving import MEBIBYTE, health
from tests.benchmarks.upstream import body, page
from tests.process import peak_bytes
from tests.system.program import EXPORTER, Exporter, exporting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from tests.benchmarks.serving import Health

_CONCURRENCY: Final = 2
_MODULES: Final = f"""\
modules:
  asking: {{collectors: [nodes, configs], configs: {{concurrency: {_CONCURRENCY}, remember: 0}}}}
  remembering: {{collectors: [nodes, configs], configs: {{concurrency: {_CONCURRENCY}}}}}
  stats: {{collectors: [nodes, stats]}}
"""
_TIMEOUT: Final = {"X-Prometheus-Scrape-Timeout-Seconds": "120", "Accept-Encoding": "gzip"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Collectors:
    """What was measured of the collectors.

    Attributes:
        bare: milliseconds that a bare client needs for the configurations of the fleet.
        first: milliseconds of the collector that asks for all of them.
        nodes: milliseconds of a scrape with `nodes` alone.
        again: milliseconds of a scrape with `configs` that remembers all.
        again_requests: requests to Oxidized of such a scrape.
        stats: milliseconds of reading the statistics page.
        yardstick: of `json.loads` of the node list of the same devices.
        health: of the loop while probes read statistics pages.
        held: MiB that the peak grows by with large configurations.
    """

    bare: float
    first: float
    nodes: float
    again: float
    again_requests: float
    stats: float
    yardstick: float
    health: Health
    held: float


async def measure_collectors(url: str, *, configs: int, large: int, rounds: int) -> Collectors:
    """Measure the collectors, with the upstream at ``url``.

    Args:
        url: of `serving.upstream`, which has both sizes.
        configs: devices whose configurations are asked for.
        large: devices of the statistics page.
        rounds: how often each is measured.
    """
    bare, first = await configurations(f"{url}/{configs}", body(configs), rounds=rounds)
    nodes, again, requests = await remembered(f"{url}/{configs}", rounds=rounds * 3)
    read, yardstick = statistics_page(body(large), page(large), rounds=rounds * 3)
    async with exporter_with_modules() as exporter:
        loop = await health(f"{url}/{large}", rounds=rounds, exporter=exporter, module="stats")
    return Collectors(
        bare=bare,
        first=first,
        nodes=nodes,
        again=again,
        again_requests=requests,
        stats=read,
        yardstick=yardstick,
        health=loop,
        held=await held(f"{url}/large"),
    )


@asynccontextmanager
async def exporter_with_modules() -> AsyncIterator[Exporter]:
    """Start an exporter that has the modules of these measurements."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "config.yml"
        file.write_text(_MODULES)
        async with exporting(*EXPORTER, f"--config.file={file}") as exporter:
            yield exporter


async def configurations(target: str, body: bytes, *, rounds: int) -> tuple[float, float]:
    """Return milliseconds of a bare client loop for all configurations of a list, and of the collector, medians."""
    paths = paths_of(body)
    bare, first = [], []
    async with exporter_with_modules() as exporter, aiohttp.ClientSession() as client:
        await scrape(client, exporter, target, "default")
        for _ in range(rounds):
            bare.append(await _bare_loop(target, paths))
            text = await _exposition(client, exporter, target, "asking")
            [line] = re.findall(r'oxidized_collector_duration_seconds{collector="configs"} (.*)', text)
            first.append(float(line) * 1000)
    return statistics.median(bare), statistics.median(first)


async def remembered(target: str, *, rounds: int) -> tuple[float, float, float]:
    """Return milliseconds of scrapes with `nodes` alone and with all remembered, and requests of the latter."""
    nodes, again = [], []
    async with exporter_with_modules() as exporter, aiohttp.ClientSession() as client:
        await scrape(client, exporter, target, "remembering")
        fetched = await _requests(client, exporter)
        for _ in range(rounds):
            nodes.append(await scrape(client, exporter, target, "default"))
            again.append(await scrape(client, exporter, target, "remembering"))
        requests = await _requests(client, exporter) - fetched - rounds
    return statistics.median(nodes), statistics.median(again), requests / rounds


def statistics_page(body: bytes, page: bytes, *, rounds: int) -> tuple[float, float]:
    """Return milliseconds of reading a statistics page, and of `json.loads` of the node list, medians."""
    limits = Limits()
    nodes = collect_nodes(body, module=Module(name="default"), limits=limits)
    works: tuple[Callable[[], object], ...] = (
        lambda: collect_stats(page, nodes, limits=limits),
        lambda: json.loads(body),
    )
    taken: tuple[list[float], ...] = ([], [])
    for _ in range(rounds):
        for times, work in zip(taken, works, strict=True):
            gc.collect()
            started = time.perf_counter()
            work()
            times.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken[0]), statistics.median(taken[1])


async def held(target: str) -> float:
    """Return the MiB by which the peak of the process grows with the configurations of a target."""
    async with exporter_with_modules() as exporter, aiohttp.ClientSession() as client:
        for _ in range(3):
            await scrape(client, exporter, target, "default")
        before = peak_bytes(exporter.program.pid)
        await scrape(client, exporter, target, "asking")
        return (peak_bytes(exporter.program.pid) - before) / MEBIBYTE


async def scrape(client: aiohttp.ClientSession, exporter: Exporter, target: str, module: str) -> float:
    """Return the milliseconds of a probe, in which every collector must have succeeded."""
    started = time.perf_counter()
    text = await _exposition(client, exporter, target, module)
    taken = (time.perf_counter() - started) * 1000
    assert "\noxidized_collector_success{" in text
    assert not re.search(r"^oxidized_collector_success{.* 0\.0$", text, re.MULTILINE)
    return taken


async def _exposition(client: aiohttp.ClientSession, exporter: Exporter, target: str, module: str) -> str:
    params = {"target": target, "module": module}
    async with client.get(f"{exporter.url}/probe", params=params, headers=_TIMEOUT) as response:
        return await response.text()


def paths_of(body: bytes) -> list[str]:
    """Return the paths of the configurations of a list."""
    rows = json.loads(body)
    paths = [fetch_path(full_name=row["full_name"], name=row["name"], group=row["group"]) for row in rows]
    assert not any(isinstance(path, Skip) for path in paths)
    return [str(path) for path in paths]


async def _bare_loop(target: str, paths: Sequence[str]) -> float:
    queue = iter(paths)

    async def work(session: aiohttp.ClientSession) -> None:
        for path in queue:
            async with session.get(target + path) as response:
                await response.read()

    async with aiohttp.ClientSession() as session:
        started = time.perf_counter()
        await asyncio.gather(*(work(session) for _ in range(_CONCURRENCY)))
        return (time.perf_counter() - started) * 1000


async def _requests(client: aiohttp.ClientSession, exporter: Exporter) -> float:
    async with client.get(f"{exporter.url}/metrics") as response:
        text = await response.text()
    name = "oxidized_exporter_upstream_requests_total{"
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))
