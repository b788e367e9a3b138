"""The benchmarks run, and docs/performance.md shows the tables that they write."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.benchmarks import serving, stages
from tests.benchmarks.figures import LARGE, SIZES, Figures
from tests.benchmarks.upstream import body

_PAGE: Final = Path(__file__).parent.parent / "docs" / "performance.md"
_DEVICES: Final = 40


async def test_every_table_of_a_run_is_on_the_page_with_the_same_rows() -> None:
    made = body(_DEVICES)
    one = stages.measure(made, rounds=1)
    async with serving.upstream(_DEVICES) as url:
        target = f"{url}/{_DEVICES}"
        probes = await serving.probes(made, target, rounds=1)
        figures = Figures(
            stages=dict.fromkeys(SIZES, one),
            levels=stages.levels(made, rounds=1),
            probes=dict.fromkeys(SIZES, probes),
            health=await serving.health(target, rounds=1),
            memory=await serving.memory_growth(target, first=1, last=2),
            start=await serving.start(rounds=1),
        )

    assert one.text_bytes > _DEVICES * 9 * 100
    assert LARGE in SIZES
    shown = _first_cells(_PAGE.read_text().split("<!-- figures -->")[1].split("<!-- /figures -->")[0])
    assert _first_cells(figures.tables()) == shown


def _first_cells(text: str) -> list[str]:
    """Return what each row of the tables is about, without the figures in brackets."""
    return [line.split("|")[1].partition("(")[0].strip() for line in text.splitlines() if line.startswith("|")]
