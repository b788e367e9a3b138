"""``make mutation``: changes one thing after the other, and looks which tests notice."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.marked import show, shown
from tests.mutation.mutants import mutants
from tests.mutation.running import Runner
from tests.mutation.scope import SCOPES
from tests.mutation.verdict import EXPLAINED, PAGE, PART, Result, faults, read_explanations, renewed, result_row

if TYPE_CHECKING:
    from tests.mutation.scope import Scope


def run(scope: Scope, *, runner: Runner) -> Result:
    """Run all mutants of a module."""
    found = [
        (change, source) for change, sources in mutants(scope.source(), path=scope.path).items() for source in sources
    ]
    outcomes = runner.survivors(scope, [source for _, source in found])
    survivors = [change for (change, _), survived in zip(found, outcomes, strict=True) if survived]
    return Result(scope=scope, mutants=len(found), survivors=survivors)


def main() -> None:
    """Run the modules that are named, or all; print, and write their rows; exit with 1 where something is amiss."""
    known = {scope.path: scope for scope in SCOPES}
    if unknown := set(sys.argv[1:]) - set(known):
        sys.exit(f"not among the modules that are mutated: {', '.join(sorted(unknown))}")
    asked = [known[path] for path in sys.argv[1:]] or SCOPES
    explanations = read_explanations(EXPLAINED.read_text())
    runner = Runner()
    results = []
    for scope in asked:
        results.append(run(scope, runner=runner))
        line = result_row(results[-1], explanations=explanations)
        print(line, flush=True)  # noqa: T201 - how far it is
        show(renewed(shown(PAGE, part=PART), [line], scopes=SCOPES), page=PAGE, part=PART)
    wrong = faults(results, explanations=explanations)
    print("\n".join(wrong) or "Every survivor is explained.")  # noqa: T201 - what `make mutation` is for
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
