"""``make picture``: draws the main panels of the dashboard for the README, from the answers of a real Prometheus."""

from __future__ import annotations

import asyncio
import hashlib
import math
import tempfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from deploy.grafana.dashboard import encode
from tests.deploy import grafana, looks
from tests.deploy.asking import Asking
from tests.deploy.watched_fleet import TURNED, watched
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grafana_foundation_sdk.models.dashboard import Panel
    from matplotlib.axes import Axes

PICTURE: Final = ROOT / "docs" / "dashboard.png"

_NUMBERS: Final = (
    "Answering",
    "Not answering",
    "Not scraped",
    "Stalled",
    "Devices",
    "Success rate",
    "Old backups",
    "Never backed up",
)
_GRAPHS: Final = (("Devices by status", 12), ("Success rate over time", 6), ("Instances over time", 6))
_TABLES: Final = (
    ("Instances", ("Instance", "State", "Reason", "Devices", "Success rate", "Newest job", "Probe"), 14),
    ("Alerts that fire", ("Alert", "Severity", "Firing"), 10),
)
_LAST: Final = (("Age of the last success", 9), ("Failing longest", 15))
_FAILING: Final = ("Device", "Model", "Instance", "Status now", "Without success")
_DRAWN: Final = (*_NUMBERS, *(title for title, _ in _GRAPHS), *(title for title, *_ in _TABLES), *dict(_LAST))
DESCRIPTION: Final = "Description"
"""Under which the picture says what it is of."""
_WIDTH: Final = 1400
_HEIGHT: Final = 980
_PALETTE: Final = 96

_FAINT: Final = "#6e7781"
_LINE: Final = "#d8dee4"


def fingerprint() -> str:
    """Return what changes with the panels that are drawn."""
    drawn = [panel for panel in grafana.panels(grafana.dashboard()) if panel.title in _DRAWN]
    assert len(drawn) == len(_DRAWN)
    return hashlib.sha256("".join(encode(panel) for panel in drawn).encode()).hexdigest()  # type: ignore[arg-type] # any part


async def draw(asking: Asking, file: Path) -> None:
    """Draw what the dashboard shows at present into a PNG."""
    mpl.rcParams.update({"font.family": "DejaVu Sans", "font.size": 9, "text.color": looks.INK})
    figure = Figure(figsize=(_WIDTH / 100, _HEIGHT / 100), dpi=100, facecolor="#f4f5f5")
    figure.text(0.012, 0.982, "Oxidized", fontsize=15, weight="bold", va="center")
    figure.text(0.1, 0.981, "fleet · last 24 hours", fontsize=10, color=_FAINT, va="center")
    for place, title in enumerate(_NUMBERS):
        await _number(_place(figure, x=3 * place, width=3, top=0.965, height=0.1), asking, title)
    await _across(figure, asking, _GRAPHS, top=0.864, height=0.25)
    x = 0
    for title, columns, width in _TABLES:
        await _table(_place(figure, x=x, width=width, top=0.613, height=0.24), asking, title, columns)
        x += width
    (bars, width), (failing, rest) = _LAST
    await _bars(_place(figure, x=0, width=width, top=0.372, height=0.365), asking, bars)
    await _table(_place(figure, x=width, width=rest, top=0.372, height=0.365), asking, failing, _FAILING)
    drawn = BytesIO()
    figure.savefig(drawn)
    told = PngInfo()
    told.add_text(DESCRIPTION, fingerprint())
    # A palette takes a third of the room.
    Image.open(drawn).convert("RGB").quantize(_PALETTE).save(file, optimize=True, pnginfo=told)


async def _across(
    figure: Figure, asking: Asking, graphs: Sequence[tuple[str, int]], *, top: float, height: float
) -> None:
    x = 0
    for title, width in graphs:
        await _graph(_place(figure, x=x, width=width, top=top, height=height), asking, title)
        x += width


def _place(figure: Figure, *, x: int, width: int, top: float, height: float) -> Axes:
    """Return the room of a panel: a white card on the grid of 24 columns."""
    left, gap = 0.01 + x / 24 * 0.98, 0.004
    card = (left + gap / 2, top - height, width / 24 * 0.98 - gap, height - 0.008)
    figure.add_artist(
        FancyBboxPatch(
            card[:2],
            card[2],
            card[3],
            boxstyle="round,pad=0,rounding_size=0.003",
            transform=figure.transFigure,
            facecolor="white",
            edgecolor=_LINE,
            linewidth=0.8,
            zorder=-1,
        )
    )
    axes = figure.add_axes(card)
    axes.set_axis_off()
    axes.set_xlim(0, card[2] * _WIDTH)
    axes.set_ylim(card[3] * _HEIGHT, 0)  # in points of the picture, from the upper left corner
    return axes


def _title(axes: Axes, title: str) -> None:
    axes.text(9, 15, title, fontsize=9.5, weight="bold", va="center")


async def _number(axes: Axes, asking: Asking, title: str) -> None:
    panel = _panel(asking, title)
    value = await asking.number(title)
    defaults = panel.field_config.defaults  # type: ignore[union-attr] # every panel has one
    steps = [(step.value, step.color) for step in defaults.thresholds.steps]  # type: ignore[union-attr] # and steps
    colour = looks.of_steps(value, steps)
    _, width = axes.get_xlim()
    height, _ = axes.get_ylim()
    if len(steps) > 1:
        axes.add_patch(
            FancyBboxPatch(
                (1, 1), width - 2, height - 2, boxstyle="round,pad=0,rounding_size=4", facecolor=colour, lw=0
            )
        )
    ink = "white" if len(steps) > 1 else looks.INK
    axes.text(9, 15, title, fontsize=9.5, weight="bold", va="center", color=ink)
    axes.text(
        width / 2,
        height * 0.6,
        looks.said(value, defaults.unit),
        fontsize=27,
        weight="bold",
        ha="center",
        va="center",
        color=ink,
    )


async def _graph(axes: Axes, asking: Asking, title: str) -> None:
    panel = _panel(asking, title)
    _title(axes, title)
    inner = axes.inset_axes((0.115, 0.2, 0.85, 0.64) if axes.get_xlim()[1] < 500 else (0.05, 0.2, 0.93, 0.64))
    colours, custom = looks.colours(panel), looks.custom(panel)
    answers = list(zip(grafana.queries(panel), await asking.panel(title), strict=True))
    times = sorted({at for _, series in answers for each in series for at in each.times})
    hours = [(at - times[-1]) / 3600 for at in times]
    lines: dict[str, list[float]] = {}
    for asked, series in answers:
        for each in series:
            if any(each.values):
                known = dict(zip(each.times, each.values, strict=True))
                lines[grafana.called(each.labels, asked.legend)] = [known.get(at, math.nan) for at in times]
    shown = sorted(lines, key=lambda name: -lines[name][-1])
    drawn = [colours.get(name, looks.COLOURS["blue"]) for name in shown]
    if custom.stacking is not None:
        inner.stackplot(hours, *(lines[name] for name in shown), colors=drawn, alpha=0.75, labels=shown, lw=0)
    else:
        for name, colour in zip(shown, drawn, strict=True):
            inner.plot(hours, lines[name], color=colour, lw=1.3, label=name)
        inner.set_ylim(0, 1.02)
        inner.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    inner.margins(x=0)
    inner.grid(color=_LINE, lw=0.6)
    inner.tick_params(labelsize=8, colors=_FAINT, length=0)
    inner.set_xticks(range(-24, 1, 6))
    inner.xaxis.set_major_formatter(lambda value, _: f"{value:g} h" if value else "now")
    inner.set_axisbelow(True)
    for spine in inner.spines.values():
        spine.set_visible(False)
    inner.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.1),
        ncols=6,
        frameon=False,
        fontsize=8,
        handlelength=1,
        columnspacing=1.2,
    )


async def _bars(axes: Axes, asking: Asking, title: str) -> None:
    bars, colours = await asking.bars(title), looks.colours(_panel(asking, title))
    _title(axes, title)
    _, width = axes.get_xlim()
    most = max(bars.values())
    for place, (name, value) in enumerate(bars.items()):
        y, room = 52 + place * 40, width - 170
        axes.text(100, y, name, ha="right", va="center")
        axes.add_patch(FancyBboxPatch((110, y - 12), room, 24, boxstyle="square,pad=0", facecolor="#f4f5f5", lw=0))
        length = max(room * value / most, 2)
        axes.add_patch(
            FancyBboxPatch((110, y - 12), length, 24, boxstyle="square,pad=0", facecolor=colours[name], lw=0)
        )
        axes.text(
            width - 14, y, looks.said(value, "short"), ha="right", va="center", weight="bold", color=colours[name]
        )


async def _table(axes: Axes, asking: Asking, title: str, columns: Sequence[str]) -> None:
    panel = _panel(asking, title)
    _title(axes, title)
    last: Any = (panel.transformations or [])[-1]  # which the SDK's decoder leaves as it finds them
    heads: dict[str, str] = last["options"]["renameByName"]
    rows = [{heads.get(key, key): value for key, value in row.items()} for row in await asking.table(title)]
    options: Any = panel.options
    sort = options.sort_by[0]
    rows.sort(key=lambda row: row.get(sort.display_name, 0), reverse=bool(sort.desc))
    cells = {column: looks.cells(panel, column) for column in columns}
    _, width = axes.get_xlim()
    height, _ = axes.get_ylim()
    weights = [
        2.6 if column in {"Alert", "Device"} else 1.25 if column in {"State", "Instance", "Without success"} else 1
        for column in columns
    ]
    starts = [10 + sum(weights[:place]) / sum(weights) * (width - 20) for place in range(len(columns))]
    for start, column in zip(starts, columns, strict=True):
        axes.text(start, 40, column, color=_FAINT, va="center", fontsize=8.5)
    axes.plot((10, width - 10), (50, 50), color=_LINE, lw=0.8)
    for place, row in enumerate(rows[: int((height - 58) // 25)]):
        for start, column in zip(starts, columns, strict=True):
            text, colour = cells[column](row.get(column))
            axes.text(
                start,
                65 + place * 25,
                text,
                color=colour,
                va="center",
                weight="bold" if colour != looks.INK else "normal",
            )


def _panel(asking: Asking, title: str) -> Panel:
    (found,) = [panel for panel in grafana.panels(asking.dashboard) if panel.title == title]
    return found


async def _main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with watched(Path(directory), history=True) as fleet:
            asking = Asking(fleet, job=["oxidized"], device=TURNED.full_name)
            await draw(asking, PICTURE)


if __name__ == "__main__":
    asyncio.run(_main())
