"""The figures of a run, and the tables of docs/performance.md that are made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.marked import row
from tests.measured import machine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.collectors import Collectors
    from tests.benchmarks.serving import Health, Probes
    from tests.benchmarks.stages import Stages

SIZES: Final = (100, 1_000, 10_000, 50_000)
LARGE: Final = 10_000
CONFIGS: Final = 5_000
PAGE: Final = Path(__file__).parents[2] / "docs" / "performance.md"


@dataclass(frozen=True, slots=True)
class Bar:
    """A ratio, or what else ``unit`` says, that must not be above its limit, or not below it."""

    what: str
    measured: float
    limit: float
    at_least: bool = False
    unit: str = "×"

    @property
    def met(self) -> bool:
        """Whether it is held."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All that was measured in one run.

    Attributes:
        stages: by devices.
        levels: library and level, milliseconds and bytes.
        probes: by devices.
        health: of the loop under load.
        memory: resident MiB after 20 and after 200 probes.
        start: milliseconds to ready, and of importing aiohttp.web.
        collectors: configs and stats.
    """

    stages: dict[int, Stages]
    levels: Sequence[tuple[str, float, int]]
    probes: dict[int, Probes]
    health: Health
    memory: tuple[float, ...]
    start: tuple[float, float]
    collectors: Collectors

    def tables(self) -> str:
        """Return the tables as Markdown."""
        parts = (self._stages(), self._probes(), self._levels(), self._bars())
        return "\n\n".join([f"{machine()}.", *("\n".join(part) for part in parts)])

    def _stages(self) -> Iterator[str]:
        yield row("devices", "`json.loads`", "decode", "build and encode", "compress", "prometheus_client's encoder")
        yield _rule(6)
        for devices, one in self.stages.items():
            faster = f"{one.library:.0f} ms, {one.library / one.encode:.0f}×"
            times = (f"{time:.1f} ms" for time in (one.yardstick, one.decode, one.encode, one.compress))
            yield row(f"{devices:,}", *times, faster)

    def _probes(self) -> Iterator[str]:
        yield row("devices", "whole probe, gzip", "`json.loads` between them", "ratio", "peak memory of the process")
        yield _rule(5)
        for devices, one in self.probes.items():
            times = (f"{time:.1f} ms" for time in (one.probe, one.yardstick))
            yield row(f"{devices:,}", *times, f"{one.ratio:.1f}×", f"{one.peak_mebibytes:.0f} MiB")

    def _levels(self) -> Iterator[str]:
        size = self.stages[LARGE].text_bytes
        yield row("library and level", f"time for the {size / 1e6:.1f} MB of {LARGE:,} devices", "of the text")
        yield row("---", "---:", "---:")
        for level, taken, compressed in self.levels:
            yield row(level, f"{taken:.1f} ms", f"{compressed / size:.1%}")

    def bars(self) -> tuple[Bar, ...]:
        """Return what must be held, and what was measured."""
        stages, health = self.stages[LARGE], self.health
        early, late = self.memory
        ready, imported = self.start
        slope = self.probes[50_000].probe / 50_000 / (self.probes[1_000].probe / 1_000)
        large = f"{LARGE:,} devices"
        alone = f"one alone ({health.alone:.0f} ms, {len(health.taken):,} looks)"
        return (
            Bar(
                f"encoding {large}, against prometheus_client's encoder",
                stages.library / stages.encode,
                limit=12,
                at_least=True,
            ),
            Bar(f"whole probe of {large}, against `json.loads`", self.probes[LARGE].ratio, limit=2.5),
            Bar("cost per device at 50,000 against at 1,000", slope, limit=1.2),
            Bar(
                f"`/-/healthy` while 8 probes of {large} run, against {alone}: 99th percentile",
                health.percentile(0.99) / health.alone,
                limit=0.8,
            ),
            Bar("the same: maximum", max(health.taken) / health.alone, limit=2),
            Bar(f"memory after 200 probes of {large} against after 20 ({early:.0f} MiB)", late / early, limit=1.05),
            *self._collectors(),
            Bar(f"start to `/-/ready` against importing `aiohttp.web` ({imported:.0f} ms)", ready / imported, limit=2),
        )

    def _collectors(self) -> Iterator[Bar]:
        one = self.collectors
        loop = f"`/-/healthy` while 8 probes with `stats` of {LARGE:,} devices run, against one alone"
        yield Bar(
            f"`configs` of {CONFIGS:,} devices, first scrape: requests a second against a bare aiohttp loop",
            one.bare / one.first,
            limit=0.85,
            at_least=True,
        )
        yield Bar("the same, nothing changed: requests", one.again_requests, limit=1, unit="")
        yield Bar(
            "the same, nothing changed: time against `nodes` alone",
            one.again / one.nodes,
            limit=1.3,
        )
        yield Bar(
            f"`stats` page of {LARGE:,} devices against `json.loads` of nodes.json", one.stats / one.yardstick, limit=6
        )
        yield Bar(
            f"{loop} ({one.health.alone:.0f} ms): 99th percentile",
            one.health.percentile(0.99) / one.health.alone,
            limit=0.8,
        )
        yield Bar("the same: maximum", max(one.health.taken) / one.health.alone, limit=2)
        yield Bar(
            "peak with 100 configurations of 5 MB, no checks: growth in MB", one.held * 1.048576, limit=20, unit=" MB"
        )

    def _bars(self) -> Iterator[str]:
        yield row("what", "bar", "measured", "")
        yield row("---", "---:", "---:", "---")
        for bar in self.bars():
            limit = f"{'≥' if bar.at_least else '≤'} {bar.limit:g}{bar.unit}"
            yield row(bar.what, limit, f"{bar.measured:.2f}{bar.unit}", "met" if bar.met else "**missed**")


def _rule(columns: int) -> str:
    return row(*["---:"] * columns)
