"""Tables on pages of docs/, between two marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_BEGIN: Final = "<!-- figures -->"
_END: Final = "<!-- /figures -->"


def shown(page: Path) -> str:
    """Return the tables that a page shows."""
    return page.read_text().split(_BEGIN)[1].split(_END)[0].strip()


def show(tables: str, *, page: Path) -> None:
    """Put the tables on a page."""
    before, rest = page.read_text().split(_BEGIN)
    _, after = rest.split(_END)
    page.write_text(f"{before}{_BEGIN}\n{tables}\n{_END}{after}")


def row(*cells: str) -> str:
    """Return a row of a table."""
    return f"| {' | '.join(cells)} |"
