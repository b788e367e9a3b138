"""What `make mutation` makes of its mutants, what is explained, and what docs/reliability.md shows."""

from __future__ import annotations

from typing import Final

import pytest

from tests.marked import shown
from tests.mutation.scope import ROOT, SCOPES, Scope
from tests.mutation.verdict import (
    BAR,
    EXPLAINED,
    PAGE,
    PART,
    Change,
    Explanations,
    Result,
    faults,
    read_explanations,
    renewed,
    result_row,
    table,
)

_SCOPE: Final = Scope("guard", "some/module.py", ("tests/test_module.py",))
_KNOWN: Final = Change("some/module.py", "if a < 1:", "if a <= 1:")
_UNKNOWN: Final = Change("some/module.py", "return a", "return None")
_EXPLANATIONS: Final[Explanations] = {_KNOWN: "a is never 1 here."}


def result(*survivors: Change, mutants: int = 40) -> Result:
    return Result(scope=_SCOPE, mutants=mutants, survivors=survivors)


def test_the_table_counts_an_explained_survivor_as_a_survivor() -> None:
    assert table([result_row(result(_KNOWN, _KNOWN, _UNKNOWN), explanations=_EXPLANATIONS)]) == (
        "| decision | module | mutants | killed | survived | explained | score |\n"
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| guard | `some/module.py` | 40 | 37 | 3 | 2 | 92.5% |"
    )


def test_rows_of_modules_that_were_not_run_stay_and_those_of_modules_that_are_gone_go() -> None:
    scopes = [Scope("a", f"{name}.py", ()) for name in ("first", "second", "third")]
    before = table(["| a | `third.py` | old |", "| a | `second.py` | old |", "| a | `gone.py` | old |"])
    new = ["| a | `second.py` | new |", "| a | `first.py` | new |"]
    assert renewed(before, new, scopes=scopes) == table([new[1], new[0], "| a | `third.py` | old |"])
    assert renewed("", new, scopes=scopes) == table(reversed(new))


def test_nothing_is_amiss_where_every_survivor_is_explained() -> None:
    assert faults([result(*[_KNOWN] * 4)], explanations=_EXPLANATIONS) == []
    assert faults([], explanations=_EXPLANATIONS) == []


def test_a_low_score_is_a_fault_whatever_is_explained() -> None:
    assert faults([result(*[_KNOWN] * 5)], explanations=_EXPLANATIONS) == ["some/module.py: a score of 87.5%"]


def test_a_survivor_without_an_explanation_is_a_fault() -> None:
    assert faults([result(_UNKNOWN)], explanations={}) == [
        "no test notices, and nothing explains: some/module.py\n  - return a\n  + return None"
    ]


def test_an_explanation_without_a_survivor_is_a_fault_of_the_modules_that_were_run() -> None:
    explanations = _EXPLANATIONS | {Change("other/module.py", "a", "b"): "Not run."}
    assert faults([result()], explanations=explanations) == [
        "explained, but no survivor: some/module.py\n  - if a < 1:\n  + if a <= 1:"
    ]


_FILE: Final = """\
[[explained]]
module = "some/module.py"
reason = "{reason}"
changes = [{changes}]
"""


def test_a_reason_can_explain_several_changes() -> None:
    text = _FILE.format(reason="Both.", changes="['if a < 1:', 'if a <= 1:'], ['return a', 'return None']")
    assert read_explanations(text) == {_KNOWN: "Both.", _UNKNOWN: "Both."}
    assert read_explanations("") == {}


@pytest.mark.parametrize(
    "reason,changes", [("Twice.", "['return a', 'return None'], ['return a', 'return None']"), ("  ", "['a', 'b']")]
)
def test_what_is_explained_twice_or_by_nothing_is_a_mistake(reason: str, changes: str) -> None:
    with pytest.raises(ValueError, match="is explained twice, or by nothing: some"):
        read_explanations(_FILE.format(reason=reason, changes=changes))


@pytest.mark.parametrize("change", read_explanations(EXPLAINED.read_text()))
def test_what_is_explained_still_stands_in_its_module(change: Change) -> None:
    [source] = [scope.source() for scope in SCOPES if scope.path == change.path]
    assert change.before in "\n".join(line.strip() for line in source.splitlines())


def test_every_module_is_watched_over_by_tests_that_there_are() -> None:
    assert all((ROOT / test.partition("::")[0]).is_file() for scope in SCOPES for test in scope.tests)


def test_the_page_shows_every_module_above_the_bar_and_every_survivor_explained() -> None:
    heading, _, *lines = shown(PAGE, part=PART).splitlines()
    assert heading == table([]).splitlines()[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [row[:2] for row in rows] == [[scope.decides, f"`{scope.path}`"] for scope in SCOPES]
    for _, _, mutants, killed, survived, explained, score in rows:
        assert int(mutants) == int(killed) + int(survived)
        assert survived == explained
        assert score == f"{int(killed) / int(mutants):.1%}"
        assert int(killed) / int(mutants) >= BAR
