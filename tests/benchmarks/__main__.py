"""``make bench``: measures, prints, and writes the tables of docs/performance.md and docs/operations.md."""

from __future__ import annotations

import asyncio
import sys

from tests.benchmarks import serving
from tests.benchmarks.collectors import measure_collectors
from tests.benchmarks.figures import CONFIGS, LARGE, PAGE, SIZES, Figures
from tests.benchmarks.sizing import PAGE as SIZING_PAGE
from tests.benchmarks.sizing import Sizing, measure_sizing
from tests.benchmarks.stages import levels, measure
from tests.benchmarks.upstream import body
from tests.marked import show
from tests.system.program import EXPORTER, exporting


def rounds_of(devices: int) -> int:
    """Return how often a size is measured; odd, so that the median was measured."""
    return 7 if devices > LARGE else 15


async def run() -> Figures:
    """Measure everything, one thing after the other."""
    bodies = {devices: body(devices) for devices in SIZES}
    stages = {devices: measure(made, rounds=rounds_of(devices)) for devices, made in bodies.items()}
    async with serving.upstream(*SIZES, CONFIGS) as url:
        probes = {
            devices: await serving.probes(made, f"{url}/{devices}", rounds=rounds_of(devices))
            for devices, made in bodies.items()
        }
        return Figures(
            stages=stages,
            levels=levels(bodies[LARGE], rounds=7),
            probes=probes,
            health=await _health(f"{url}/{LARGE}"),
            memory=await serving.memory_growth(f"{url}/{LARGE}", first=20, last=200, rounds=5),
            start=await serving.start(rounds=5),
            collectors=await measure_collectors(url, configs=CONFIGS, large=LARGE, rounds=5),
        )


async def size() -> Sizing:
    """Measure what a target and a device take."""
    probes = {10: 400, 1_000: 150, LARGE: 30}
    async with serving.upstream(*probes, CONFIGS) as url:
        return await measure_sizing(url, probes=probes, configs=CONFIGS, waiting=400, at_once=8)


async def _health(target: str) -> serving.Health:
    async with exporting(*EXPORTER) as exporter:
        return await serving.health(target, rounds=5, exporter=exporter)


def main() -> None:
    """Measure, print and write; exits with 1 where a bar is missed."""
    figures = asyncio.run(run())
    print(figures.tables())  # noqa: T201 - what `make bench` is for
    show(figures.tables(), page=PAGE)
    sizing = asyncio.run(size()).table()
    print(f"\n{sizing}")  # noqa: T201 - likewise
    show(sizing, page=SIZING_PAGE)
    sys.exit(0 if all(bar.met for bar in figures.bars()) else 1)


if __name__ == "__main__":
    main()
