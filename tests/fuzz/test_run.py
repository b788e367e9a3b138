"""`make fuzz` writes its table where nothing was found, and else fails and says how to see it again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.fuzz import run
from tests.fuzz.targets import TARGETS
from tests.marked import shown

if TYPE_CHECKING:
    from pathlib import Path

# A fuzzer's place is taken by a program that says what one does, and finds something where it is told to.
_FUZZER: Final = """\
import pathlib, sys
folder, breaks = pathlib.Path(sys.argv[1]), sys.argv[2] == "True"
assert any((folder / "seeds").iterdir()) and (folder / "words").read_text()
assert list((folder / "found").iterdir()) == []
print("#9 DONE cov: 3 ft: 4 corp: 5/1b", "stat::number_of_executed_units: 6", sep="\\n")
if breaks:
    (folder / "found" / "crash-1").write_bytes(b"x")
    sys.exit("AssertionError: it leads elsewhere")
"""


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    page = tmp_path / "page.md"
    page.write_text("<!-- fuzz -->\nbefore\n<!-- /fuzz -->\n")
    monkeypatch.setattr(run, "PAGE", page)
    monkeypatch.setattr(run, "BUILD", tmp_path / "build")
    return page


def fuzz(monkeypatch: pytest.MonkeyPatch, *arguments: str, broken: str = "") -> None:
    def command(shop: run.Workshop, *flags: str) -> list[str]:
        assert "-max_total_time=1" in flags
        return [sys.executable, "-c", _FUZZER, str(shop.folder), str(shop.target.name == broken)]

    monkeypatch.setattr(run.Workshop, "command", command)
    monkeypatch.setattr(sys, "argv", ["run", "--seconds", "1", *arguments])
    run.main()


def test_a_run_without_findings_is_shown(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fuzz(monkeypatch)
    assert len(shown(page, part="fuzz").splitlines()) == 4 + len(TARGETS)


def test_a_finding_fails_and_the_page_stays(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for _ in range(2):  # what was found before does not count again
        with pytest.raises(SystemExit) as ended:
            fuzz(monkeypatch, broken="stats")
        assert str(ended.value.code).splitlines() == [
            "stats: found",
            f"  python -m tests.fuzz stats {tmp_path}/build/stats/found/crash-1",
            "AssertionError: it leads elsewhere",
        ]
    assert shown(page, part="fuzz") == "before"


def test_a_run_of_some_targets_is_not_shown(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fuzz(monkeypatch, "target")
    assert shown(page, part="fuzz") == "before"
