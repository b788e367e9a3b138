"""What mutants that were run say: which survived, which of those are explained, and the score."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.marked import row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.mutation.scope import Scope

PAGE: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
PART: Final = "mutation"
EXPLAINED: Final = Path(__file__).with_name("explained.toml")
BAR: Final = 0.9


class Change(NamedTuple):
    """What a mutant does to the text of a module; it holds wherever else in the module lines come or go.

    Attributes:
        path: of the module.
        before: the lines that differ as they stand in the module, without what they are indented by.
        after: the same lines in the mutant.
    """

    path: str
    before: str
    after: str

    def __str__(self) -> str:
        lines = [f"  - {line}" for line in self.before.splitlines()] + [
            f"  + {line}" for line in self.after.splitlines()
        ]
        return "\n".join((self.path, *lines))


Explanations = dict[Change, str]
"""Why nothing can notice a change."""


def read_explanations(text: str) -> Explanations:
    """Read the file of explanations: for each reason a module, and the lines before and after each change.

    Raises:
        ValueError: a change is explained twice, or without a word.
    """
    found: Explanations = {}
    for entry in tomllib.loads(text).get("explained", []):
        for before, after in entry["changes"]:
            change = Change(entry["module"], before, after)
            if change in found or not entry["reason"].strip():
                raise ValueError(f"is explained twice, or by nothing: {change}")
            found[change] = entry["reason"]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of the mutants of one module.

    Attributes:
        scope: the module.
        mutants: how many were run.
        survivors: the changes that no test noticed; one that stands in the module more than once can be there as often.
    """

    scope: Scope
    mutants: int
    survivors: Sequence[Change]

    @property
    def killed(self) -> int:
        """How many were noticed."""
        return self.mutants - len(self.survivors)

    @property
    def score(self) -> float:
        """The part of all mutants that was noticed; an explanation does not raise it."""
        return self.killed / self.mutants

    def explained(self, explanations: Explanations) -> int:
        """Return how many survivors are explained."""
        return sum(change in explanations for change in self.survivors)


_HEAD: Final = (
    row("decision", "module", "mutants", "killed", "survived", "explained", "score"),
    row("---", "---", *["---:"] * 5),
)


def table(rows: Iterable[str]) -> str:
    """Return the table of docs/reliability.md."""
    return "\n".join((*_HEAD, *rows))


def result_row(result: Result, *, explanations: Explanations) -> str:
    """Return what the table says of one module."""
    counts = (result.mutants, result.killed, len(result.survivors), result.explained(explanations))
    return row(result.scope.decides, f"`{result.scope.path}`", *map(str, counts), f"{result.score:.1%}")


def renewed(shown: str, rows: Iterable[str], *, scopes: Iterable[Scope]) -> str:
    """Return a table that is shown with some rows anew, all rows in the order of their modules."""
    by_module = {line.split("`")[1]: line for line in (*shown.splitlines(), *rows) if "`" in line}
    return table(by_module[scope.path] for scope in scopes if scope.path in by_module)


def faults(results: Sequence[Result], *, explanations: Explanations) -> list[str]:
    """Say what must not be: too low a score, a survivor without an explanation, an explanation without a survivor.

    Explanations of modules that were not run are not judged.
    """
    low = [f"{result.scope.path}: a score of {result.score:.1%}" for result in results if result.score < BAR]
    survivors = [change for result in results for change in result.survivors]
    unexplained = [f"no test notices, and nothing explains: {one}" for one in survivors if one not in explanations]
    paths = {result.scope.path for result in results}
    stale = [
        f"explained, but no survivor: {change}"
        for change in explanations
        if change.path in paths and change not in survivors
    ]
    return [*low, *unexplained, *stale]
