"""The Markdown pages of the repository as GitHub reads them: their links, and the anchors of their headings."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from markdown_it import MarkdownIt

from tests.rule_files import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from markdown_it.token import Token

PAGES: Final = tuple(
    path for pattern in ("*.md", "docs/**/*.md", "deploy/**/*.md") for path in sorted(ROOT.glob(pattern))
)

_MARKDOWN: Final = MarkdownIt().enable("table")
_DROPPED: Final = re.compile(r"[^\w\- ]")


def named(path: Path) -> str:
    """Return a file's path in the repository."""
    return path.relative_to(ROOT).as_posix()


def rendered(path: Path) -> str:
    """Return a page as HTML."""
    return str(_MARKDOWN.render(path.read_text()))


def links(path: Path) -> list[str]:
    """Return where a page's links and pictures lead."""
    return [str(token.attrs[key]) for token in _tokens(path) for key in ("href", "src") if key in token.attrs]


def texts(path: Path) -> list[str]:
    """Return what a page says outside of code, line by line."""
    return [token.content for token in _tokens(path) if token.type == "text"]


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings; of several with one name, all but the first have a number."""
    seen: Counter[str] = Counter()
    found: set[str] = set()
    for slug in map(_slug, _headings(path)):
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def _headings(path: Path) -> Iterator[str]:
    tokens = _MARKDOWN.parse(path.read_text())
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            yield "".join(part.content for part in inline.children or ())


def _slug(heading: str) -> str:
    return _DROPPED.sub("", heading.lower()).replace(" ", "-")


def _tokens(path: Path) -> Iterator[Token]:
    for token in _MARKDOWN.parse(path.read_text()):
        yield token
        yield from token.children or ()
