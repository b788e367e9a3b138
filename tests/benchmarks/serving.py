"""The exporter as a process: whole probes over loopback, its loop under load, its memory, its start."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import statistics
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import aiohttp

from tests.measured import percentile
from tests.process import peak_bytes, resident_bytes
from tests.system.apart import apart
from tests.system.program import EXPORTER, Exporter, exporting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

MEBIBYTE: Final = 1024 * 1024
_AT_ONCE: Final = 8
_BEAT_SECONDS: Final = 0.01  # from one look at /-/healthy to the next


@dataclass(frozen=True, slots=True)
class Probes:
    """Medians in milliseconds of whole probes with gzip, and of `json.loads` of the same body between them."""

    probe: float
    yardstick: float
    peak_mebibytes: float

    @property
    def ratio(self) -> float:
        """Return the probe against the yardstick."""
        return self.probe / self.yardstick


@dataclass(frozen=True, slots=True)
class Health:
    """Milliseconds that each look at /-/healthy took while probes ran, and what one such probe takes alone."""

    alone: float
    taken: Sequence[float]

    def percentile(self, share: float) -> float:
        """Return what so large a share of the looks did not take longer than."""
        return percentile(self.taken, share)


def upstream(*counts: int) -> AbstractAsyncContextManager[str]:
    """Serve node lists of so many devices in a process of its own; yields the URL without the count."""
    return apart("tests.benchmarks.upstream", *counts)


async def probes(body: bytes, target: str, *, rounds: int) -> Probes:
    """Probe a list so many times, with an exporter of its own, so that the peak is of this list."""
    async with exporting(*EXPORTER) as exporter, _scraper() as client:
        await _require_all(client, exporter, target, devices=body.count(b'"full_name"'))
        probe, yardstick = [], []
        for _ in range(rounds):
            probe.append(await _probe(client, exporter, target))
            gc.collect()  # as before each stage: what lies about is not the yardstick's
            started = time.perf_counter()
            json.loads(body)
            yardstick.append((time.perf_counter() - started) * 1000)
        return Probes(
            statistics.median(probe), statistics.median(yardstick), peak_bytes(exporter.program.pid) / MEBIBYTE
        )


async def health(target: str, *, rounds: int, exporter: Exporter, module: str = "default") -> Health:
    """Look at /-/healthy again and again while probes of eight targets run at once, so many times."""
    async with _scraper() as client, aiohttp.ClientSession() as watcher:
        await _probe(client, exporter, target, module)
        alone = statistics.median([await _probe(client, exporter, target, module) for _ in range(9)])
        taken: list[float] = []

        async def look() -> None:
            started = time.perf_counter()
            async with watcher.get(f"{exporter.url}/-/healthy") as response:
                await response.read()
            taken.append((time.perf_counter() - started) * 1000)

        for _ in range(rounds):
            under_way = asyncio.gather(*(_probe(client, exporter, f"{target}/{n}", module) for n in range(_AT_ONCE)))
            looks = []
            while not under_way.done():  # on a beat: a look that takes long keeps no other from beginning
                looks.append(asyncio.create_task(look()))
                await asyncio.sleep(_BEAT_SECONDS)
            await asyncio.gather(under_way, *looks)
        return Health(alone, taken)


async def memory_growth(target: str, *, first: int, last: int, rounds: int) -> tuple[float, ...]:
    """Return the resident MiB after so many probes, and after so many.

    Each is the median of the last nine readings of several processes: the allocator gives some megabytes back, or not.
    """
    readings: list[list[float]] = []
    for _ in range(rounds):
        async with exporting(*EXPORTER) as exporter, _scraper() as client:
            readings.append([])
            for _ in range(last):
                await _probe(client, exporter, target)
                readings[-1].append(resident_bytes(exporter.program.pid) / MEBIBYTE)
    return tuple(
        statistics.median(reading for one in readings for reading in one[max(0, count - 9) : count])
        for count in (first, last)
    )


async def start(*, rounds: int) -> tuple[float, float]:
    """Return the median milliseconds to the first 200 of /-/ready, and of importing `aiohttp.web` alone."""
    ready, imported = [], []
    for _ in range(rounds):
        started = time.perf_counter()
        async with exporting(*EXPORTER) as exporter, aiohttp.ClientSession() as client:
            assert await exporter.status(client, "/-/ready") == 200
            ready.append((time.perf_counter() - started) * 1000)
        started = time.perf_counter()
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "import aiohttp.web")
        await process.wait()
        imported.append((time.perf_counter() - started) * 1000)
    return statistics.median(ready), statistics.median(imported)


def _scraper() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(auto_decompress=False, headers={"Accept-Encoding": "gzip"})


async def _probe(client: aiohttp.ClientSession, exporter: Exporter, target: str, module: str = "default") -> float:
    """Return the milliseconds of a probe, which must have succeeded and come compressed."""
    started = time.perf_counter()
    params = {"target": target, "module": module}
    async with client.get(f"{exporter.url}/probe", params=params) as response:
        body = await response.read()
        taken = (time.perf_counter() - started) * 1000
        assert response.status == 200
        assert response.headers["Content-Encoding"] == "gzip"
        assert len(body) > 500
        return taken


async def _require_all(client: aiohttp.ClientSession, exporter: Exporter, target: str, *, devices: int) -> None:
    """Probe once, and see that no device is missing: what is left out costs nothing."""
    async with client.get(f"{exporter.url}/probe", params={"target": target}) as response:
        text = gzip.decompress(await response.read())
    assert text.count(b"\noxidized_device_info{") == devices
