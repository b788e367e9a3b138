"""Links of the repository's pages lead somewhere, read there: files, and headings by GitHub's anchors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import pytest

from tests.markdown_pages import PAGES, anchors, links, named, texts
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_REPOSITORY: Final = "https://github.com/oxidized-exporter/oxidized_exporter"
_KINDS: Final = {"blob", "tree"}


def _led_to(path: Path, link: str) -> tuple[Path, str] | None:
    """Return the file of this repository that a link leads to, and the anchor; None where it leads elsewhere."""
    parts = urlsplit(link)
    if link == _REPOSITORY or link.startswith((f"{_REPOSITORY}/", f"{_REPOSITORY}#")):
        steps = unquote(parts.path).split("/")[3:]
        if steps and (steps[0] not in _KINDS or steps[1] != "main"):
            return None  # issues, releases
        return ROOT.joinpath(*steps[2:]) if steps else ROOT / "README.md", parts.fragment
    if parts.scheme:
        assert parts.scheme == "https", f"{link}: neither relative nor by https"
        return None
    assert not link.startswith("/"), f"{link}: means another place on GitHub than in a clone"
    file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    return file, parts.fragment


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    for link in links(path):
        if (found := _led_to(path, link)) is None:
            continue
        file, anchor = found
        assert file.is_relative_to(ROOT), f"{link} leads out of the repository"
        assert file.exists(), f"{link}: no such file"
        assert not anchor or anchor in anchors(file), f"{link}: no such heading in {named(file)}"


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_nothing_was_meant_to_be_a_link_and_is_none(path: Path) -> None:
    """A reference that nothing defines is shown as it stands."""
    assert [text for text in texts(path) if re.search(r"\]\[|\]\(", text)] == []


def test_the_pages_are_all() -> None:
    """The folders are walked by patterns: none of them is empty, and the pages that people begin with are there."""
    assert {named(path) for path in PAGES} >= {
        *("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/metrics.md", "deploy/README.md"),
        *("docs/runbooks/README.md", "deploy/prometheus/README.md", "deploy/helm/oxidized-exporter/README.md"),
    }
