"""Alerts, runbooks and links hold to one another, and what the runbooks show is what is printed."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Final

import pytest
import yaml

from oxidized_exporter.errors import FAILURE_REASONS
from tests.rule_files import ALERTS, METRICS, ROOT, promtool
from tests.runbook_pages import INDEX, RUNBOOKS, SECTIONS, console_blocks, pages
from tests.runbook_situations import NEEDED

if TYPE_CHECKING:
    from pathlib import Path

_PAGES: Final = sorted(path for path in RUNBOOKS.glob("*.md") if path != INDEX)

_HEADING: Final = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_METRIC: Final = re.compile(r"(?<![\w:/.-])(?:oxidized|probe)[_:][a-z0-9_:]*[a-z0-9]")
_PROMQL: Final = re.compile(r"^```promql\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NO_METRICS: Final = {"oxidized_exporter"}  # the program

each_page = pytest.mark.parametrize("path", [*_PAGES, INDEX], ids=lambda path: path.stem)
each_runbook = pytest.mark.parametrize("path", _PAGES, ids=lambda path: path.stem)


def prose(text: str) -> str:
    """Return a page without its blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def test_each_alert_has_a_page_and_each_page_an_alert() -> None:
    assert {path.stem for path in _PAGES} == set(ALERTS)


@pytest.mark.skipif(not all(map(shutil.which, NEEDED)), reason=f"needs {', '.join(NEEDED)}")
async def test_the_pages_are_current() -> None:
    for path, text in (await pages()).items():
        assert path.read_text() == text, f"{path.name}: run `make docs`"


def test_the_index_lists_every_alert() -> None:
    listed = re.findall(r"^\| \[(\w+)\]\(\1\.md\) \|", INDEX.read_text(), re.MULTILINE)
    assert listed == list(ALERTS)


@each_runbook
def test_a_page_says_what_is_broken_whether_it_can_wait_and_what_to_do(path: Path) -> None:
    text = path.read_text()
    assert [(level, heading) for level, heading in _HEADING.findall(prose(text))] == [
        ("#", path.stem),
        *(("##", section) for section in SECTIONS),
    ]
    _, broken, waits, *_ = text.split("\n\n")
    assert broken
    assert "**" not in broken
    assert waits.startswith("**Can it wait?** ")
    sections = re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]
    diagnosis = sections[SECTIONS.index("Diagnosis")]
    assert all(prose(section).strip() for section in sections)
    assert console_blocks(diagnosis)
    assert re.search(r"^- ", sections[SECTIONS.index("Mitigation")], re.MULTILINE)


@each_page
def test_metrics_that_a_page_names_exist(path: Path) -> None:
    assert set(_METRIC.findall(path.read_text())) <= METRICS | _NO_METRICS


def test_prometheus_understands_the_queries(tmp_path: Path) -> None:
    if not shutil.which("promtool"):
        pytest.skip("needs promtool: Debian package prometheus")
    queries = [query for path in _PAGES for query in _PROMQL.findall(path.read_text())]
    assert len(queries) > len(_PAGES), "each page has its rule, and more"
    # A recording rule for each: its name has nothing to say.
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    checked = promtool("check", "rules", file)
    assert checked.returncode == 0, checked.stderr


def test_the_runbook_of_a_failed_probe_knows_every_reason() -> None:
    rows = re.findall(r"^\| (`.+?) \|", (RUNBOOKS / "OxidizedConnectionDown.md").read_text(), re.MULTILINE)
    assert sorted(reason for row in rows for reason in re.findall(r"`(\w+)`", row)) == sorted(FAILURE_REASONS)


def test_the_runbooks_are_found() -> None:
    assert "(docs/runbooks/README.md)" in (ROOT / "README.md").read_text()
