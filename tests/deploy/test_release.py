"""Which tags are a release, and what is said of it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

import pytest

from oxidized_exporter import __version__
from tests.deploy.release import notes, versions
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TAG: Final = f"v{__version__}"
CHANGELOG: Final = f"""# Changelog

## Unreleased

### Added

- What is to come.

## {__version__} - 2026-11-23

### Added

- One thing ([here](docs/metrics.md#names)), another ([there](https://example.net/)), a third ([here](#added)).

## 0.0.9 - 2026-01-02

- An old thing.
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What is looked at of a repository, with a changelog of its own."""
    for name in ("deploy/Dockerfile", "deploy/helm/oxidized-exporter/Chart.yaml", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    return tmp_path


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def test_every_place_gives_the_same_version() -> None:
    assert set(versions(ROOT).values()) == {__version__}


def test_the_notes_are_the_section_of_the_version_with_links_that_work_elsewhere(tree: Path) -> None:
    assert notes(TAG, tree) == (
        "### Added\n\n- One thing ([here](https://github.com/oxidized-exporter/oxidized_exporter/blob/"
        f"{TAG}/docs/metrics.md#names)), another ([there](https://example.net/)), a third ([here](#added)).\n"
    )


def test_the_last_section_is_taken_to_the_end(tree: Path) -> None:
    change(tree / "CHANGELOG.md", "\n## 0.0.9 - 2026-01-02\n", "")
    assert notes(TAG, tree).endswith("\n- An old thing.\n")


@pytest.mark.parametrize("tag", ["v9.9.9", __version__, f"{TAG}-rc1", "v"])
def test_a_tag_of_another_version_is_refused_and_every_place_named(tag: str, tree: Path) -> None:
    with pytest.raises(ValueError, match="the tag is") as refused:
        notes(tag, tree)
    for place in versions(tree):
        assert f"{place} is {__version__}, the tag is {tag}: it would have to be {TAG}\n" in f"{refused.value}\n"


@pytest.mark.parametrize(
    "file, old, place",
    [
        ("deploy/helm/oxidized-exporter/Chart.yaml", f"appVersion: {__version__}", "appVersion in Chart.yaml"),
        ("deploy/helm/oxidized-exporter/Chart.yaml", f"\nversion: {__version__}", "version in Chart.yaml"),
        ("deploy/Dockerfile", f"ARG VERSION={__version__}", "VERSION in deploy/Dockerfile"),
    ],
)
def test_one_place_that_was_forgotten_is_named(file: str, old: str, place: str, tree: Path) -> None:
    change(tree / file, old, old.replace(__version__, "0.0.9"))
    with pytest.raises(ValueError, match="the tag is") as refused:
        notes(TAG, tree)
    assert str(refused.value) == f"{place} is 0.0.9, the tag is {TAG}: it would have to be v0.0.9"


@pytest.mark.parametrize(
    "old, new, told",
    [
        (f"{__version__} - 2026-11-23", __version__, f"has no heading `## {__version__} - YYYY-MM-DD`"),
        (f"{__version__} - 2026-11-23", "1.0.0 - 2026-11-23", f"has no heading `## {__version__} - YYYY-MM-DD`"),
        ("\n### Added\n\n- One", f"\n## 0.0.{9}.1 - 2026-01-03\n\n- One", f"says nothing of {TAG}"),
    ],
)
def test_a_version_of_which_nothing_is_told_is_refused(old: str, new: str, told: str, tree: Path) -> None:
    change(tree / "CHANGELOG.md", old, new)
    with pytest.raises(ValueError, match=r"CHANGELOG\.md") as refused:
        notes(TAG, tree)
    assert str(refused.value) == f"CHANGELOG.md {told}"
