"""Draws docs/soak.png from the rows of docs/soak.csv."""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import TYPE_CHECKING, Final

import matplotlib as mpl
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.soak.figures import as_csv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from tests.soak.figures import Row

DESCRIPTION: Final = "Description"
"""Under which the picture says of which rows it is."""
_INK: Final = "#24292e"
_FAINT: Final = "#6e7781"
_LINE: Final = "#d8dee4"
_BLUE: Final = "#3274d9"
_ORANGE: Final = "#ff780a"
_RED: Final = "#e02f44"
_PALETTE: Final = 64
_INCHES: Final = (10, 9)


def fingerprint(text: str) -> str:
    """Return what changes with the rows, as CSV, that are drawn."""
    return hashlib.sha256(text.encode()).hexdigest()


def draw(rows: Sequence[Row], file: Path) -> None:
    """Draw latencies, processor, memory and descriptors over time into a PNG."""
    mpl.rcParams.update({"font.family": "DejaVu Sans", "font.size": 9, "text.color": _INK})
    figure = Figure(figsize=_INCHES, dpi=100, facecolor="white", layout="constrained")
    latency, processor, memory, descriptors = figure.subplots(4, sharex=True)
    minutes = [each.second / 60 for each in rows]
    _lines(
        latency,
        "Probes of instances that are alive, ms",
        minutes,
        {
            "longest": ([each.max_ms for each in rows], _RED),
            "99 %": ([each.p99_ms for each in rows], _ORANGE),
            "50 %": ([each.p50_ms for each in rows], _BLUE),
        },
    )
    latency.set_yscale("log")
    latency.minorticks_off()
    latency.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    _lines(
        processor, "Processor, cores", minutes, {"user and system": ([each.processor_cores for each in rows], _BLUE)}
    )
    _lines(
        memory,
        "Memory, MiB",
        minutes,
        {
            "resident": ([each.rss_mib for each in rows], _BLUE),
            "its share (PSS)": ([each.pss_mib for each in rows], _ORANGE),
        },
    )
    _lines(
        descriptors,
        "Descriptors; instances that are dead",
        minutes,
        {
            "descriptors": ([each.descriptors for each in rows], _BLUE),
            "dead instances": ([each.dead for each in rows], _RED),
        },
    )
    for axes in (processor, memory, descriptors):
        axes.set_ylim(bottom=0)
    descriptors.set_xlabel("minutes since the first scrape", color=_FAINT)
    drawn = BytesIO()
    figure.savefig(drawn)
    told = PngInfo()
    told.add_text(DESCRIPTION, fingerprint(as_csv(rows)))
    # A palette takes a third of the room.
    Image.open(drawn).convert("RGB").quantize(_PALETTE).save(file, optimize=True, pnginfo=told)


def _lines(axes: Axes, title: str, minutes: Sequence[float], lines: dict[str, tuple[list[float], str]]) -> None:
    axes.set_title(title, loc="left", fontsize=9.5, weight="bold")
    for name, (values, colour) in lines.items():
        axes.plot(minutes, values, color=colour, lw=1.2, label=name)
    axes.margins(x=0)
    axes.grid(color=_LINE, lw=0.6)
    axes.tick_params(labelsize=8, colors=_FAINT, length=0)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, fontsize=8)
