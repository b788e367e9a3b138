"""What a target and a device take of processor and memory: the constants of docs/operations.md."""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp

from tests.benchmarks.collectors import exporter_with_modules
from tests.benchmarks.serving import MEBIBYTE
from tests.marked import row
from tests.process import peak_bytes, processor_seconds, resident_bytes
from tests.system.program import eventually

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.system.program import Exporter

PAGE: Final = Path(__file__).parents[2] / "docs" / "operations.md"
_TIMEOUT: Final = {"X-Prometheus-Scrape-Timeout-Seconds": "120", "Accept-Encoding": "gzip"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """Constants of one run.

    Attributes:
        target: processor milliseconds of a scrape, whatever its size.
        device: processor microseconds of each device in it.
        config: processor microseconds of each configuration that is asked for.
        rest: MiB at rest.
        asked: KiB of each target that is being asked.
        answered: bytes of each device in answers that are made at the same time.
    """

    target: float
    device: float
    config: float
    rest: float
    asked: float
    answered: float

    def table(self) -> str:
        """Return the table as Markdown."""
        rows = (
            ("processor time of a scrape, whatever its size", f"{self.target:.1f} ms"),
            ("of each device in it", f"{self.device:.1f} µs"),
            ("of each configuration that is asked for", f"{self.config:.0f} µs"),
            ("memory at rest", f"{self.rest:.0f} MiB"),
            ("of each target that is being asked", f"{self.asked:.0f} KiB"),
            ("of each device in answers that are made at the same time", f"{self.answered / 1024:.1f} KiB"),
        )
        return "\n".join([row("what", "takes"), row("---", "---:"), *(row(*cells) for cells in rows)])


async def measure_sizing(url: str, *, probes: Mapping[int, int], configs: int, waiting: int, at_once: int) -> Sizing:
    """Measure the constants, with the upstream at ``url``.

    Args:
        url: of `serving.upstream`.
        probes: how often an Oxidized of so many devices is probed, so that each size takes seconds.
        configs: devices whose configurations are asked for.
        waiting: targets that are being asked at the same time.
        at_once: probes of the largest size at the same time.
    """
    async with exporter_with_modules() as exporter, _scraper() as client:
        rest = resident_bytes(exporter.program.pid) / MEBIBYTE
        asked = await _memory_of_waiting(client, exporter, url, count=waiting)
        spent = {
            devices: await _processor_seconds(client, exporter, f"{url}/{devices}", "default", count=count) / count
            for devices, count in probes.items()
        }
        fitted = statistics.linear_regression(list(spent), list(spent.values()))
        with_configs = await _processor_seconds(client, exporter, f"{url}/{configs}", "asking", count=1)
    largest = max(probes)
    async with exporter_with_modules() as exporter, _scraper() as client:
        await _probe(client, exporter, f"{url}/{min(probes)}", "default")
        before = resident_bytes(exporter.program.pid)
        await asyncio.gather(
            *(_probe(client, exporter, f"{url}/{largest}/{number}", "default") for number in range(at_once))
        )
        answered = (peak_bytes(exporter.program.pid) - before) / (largest * at_once)
    return Sizing(
        target=fitted.intercept * 1e3,
        device=fitted.slope * 1e6,
        config=(with_configs - fitted.intercept - configs * fitted.slope) / configs * 1e6,
        rest=rest,
        asked=asked,
        answered=answered,
    )


def _scraper() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers=_TIMEOUT, connector=aiohttp.TCPConnector(limit=0))


async def _processor_seconds(
    client: aiohttp.ClientSession, exporter: Exporter, target: str, module: str, *, count: int
) -> float:
    before = processor_seconds(exporter.program.pid)
    for _ in range(count):
        await _probe(client, exporter, target, module)
    return processor_seconds(exporter.program.pid) - before


async def _memory_of_waiting(client: aiohttp.ClientSession, exporter: Exporter, url: str, *, count: int) -> float:
    """Return the KiB by which the process grows with each target that does not answer."""
    before = resident_bytes(exporter.program.pid)
    waiting = [
        asyncio.create_task(_probe(client, exporter, f"{url}/waiting/{number}", "default")) for number in range(count)
    ]
    await eventually(lambda: _are_in_flight(client, exporter, count))
    grown = resident_bytes(exporter.program.pid) - before
    for probe in waiting:
        probe.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await eventually(lambda: _are_in_flight(client, exporter, 0))
    return grown / 1024 / count


async def _are_in_flight(client: aiohttp.ClientSession, exporter: Exporter, count: int) -> bool:
    async with client.get(f"{exporter.url}/metrics") as response:
        return f"\noxidized_exporter_probes_in_flight {count:.1f}\n" in await response.text()


async def _probe(client: aiohttp.ClientSession, exporter: Exporter, target: str, module: str) -> None:
    async with client.get(f"{exporter.url}/probe", params={"target": target, "module": module}) as response:
        text = await response.text()
    assert "\noxidized_status 1.0\n" in text
