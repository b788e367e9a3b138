"""The table of docs/reliability.md: what is said in each cell of the matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from oxidized_exporter.config import COLLECTORS
from tests.faults.callers import CALLERS_FAULTS
from tests.faults.cells import ANSWERED, Fault, Kind, Stage
from tests.faults.matrix import CELLS, FAULTS, NOTHING, cells_of
from tests.marked import row

PAGE: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
PART: Final = "faults"
_NOTHING: Final = "n/a"


def text() -> str:
    """Return the table as Markdown, with its notes and the number of its cells."""
    notes: list[str] = []
    rows = [row("", *Kind), row(*["---"] * (len(Kind) + 1))]
    rows += [row(stage, *(_cell(stage, kind, notes) for kind in Kind)) for stage in Stage]
    rows.append(row("caller", *(_callers(kind) for kind in Kind)))
    met = {(cell.fault.stage, cell.fault.kind, cell.collector) for cell in CELLS}
    count = (
        f"{len(met)} cells of {len(Stage)} stages, {len(Kind)} kinds and {len(COLLECTORS)} collectors, "
        f"{len(CELLS)} with those that are made in two ways, and {len(CALLERS_FAULTS)} of callers. "
        f"Where collectors differ, the order is {', '.join(COLLECTORS)}."
    )
    listed = [f"{number}. {note}" for number, note in enumerate(notes, start=1)]
    return "\n".join([*rows, "", count, "", f"{_NOTHING}: there is no such thing.", "", *listed, "", *_happenings()])


def _happenings() -> list[str]:
    """Return a line for each stage, and one for callers: what happens."""
    what = {stage: [(fault.kind, _what(fault)) for fault in FAULTS if fault.stage == stage] for stage in Stage}
    lines = [f"- **{stage}**: {_by_kind(happens)}." for stage, happens in what.items()]
    callers = [(fault.kind, fault.what) for fault in CALLERS_FAULTS]
    return ["What happens:", "", *lines, f"- **caller**: {_by_kind(callers)}."]


def _what(fault: Fault) -> str:
    return fault.what if len(fault.says) == len(COLLECTORS) else f"{' and '.join(fault.says)}: {fault.what}"


def _by_kind(happens: list[tuple[Kind, str]]) -> str:
    return "; ".join(
        f"*{kind}*, {', or '.join(parts)}"
        for kind in Kind
        if (parts := [what for known, what in happens if known == kind])
    )


def _cell(stage: Stage, kind: Kind, notes: list[str]) -> str:
    said = [_said(stage, kind, collector) for collector in COLLECTORS]
    numbers = [_number(none.why, notes) for none in NOTHING if (none.stage, none.kind) == (stage, kind)]
    words = said[:1] if len(set(said)) == 1 else said
    return " / ".join(words) + "".join(f" ({number})" for number in numbers)


def _said(stage: Stage, kind: Kind, collector: str) -> str:
    said = [cell.says for cell in cells_of(stage, kind) if cell.collector == collector]
    return ", ".join(word if word == ANSWERED else f"`{word}`" for word in dict.fromkeys(said)) or _NOTHING


def _number(note: str, notes: list[str]) -> int:
    if note not in notes:
        notes.append(note)
    return notes.index(note) + 1


def _callers(kind: Kind) -> str:
    return ", ".join(dict.fromkeys(fault.says for fault in CALLERS_FAULTS if fault.kind == kind))
