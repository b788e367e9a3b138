"""Parts of pages of docs/ that are written by the project's commands, each between two marks that have its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

FIGURES: Final = "figures"
"""The name of the only such part of a page."""


def shown(page: Path, *, part: str = FIGURES) -> str:
    """Return what a page shows in a part."""
    begin, end = _marks(part)
    return page.read_text().split(begin)[1].split(end)[0].strip()


def show(text: str, *, page: Path, part: str = FIGURES) -> None:
    """Put a text into a part of a page, in place of what stands there."""
    begin, end = _marks(part)
    before, rest = page.read_text().split(begin)
    _, after = rest.split(end)
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def row(*cells: str) -> str:
    """Return a row of a table."""
    return f"| {' | '.join(cells)} |"


def _marks(part: str) -> tuple[str, str]:
    return f"<!-- {part} -->", f"<!-- /{part} -->"
