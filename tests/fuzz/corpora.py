"""``make corpora``: put what runs of `make fuzz` have reached into tests/fuzz/corpus/, in as few files as will do."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.fuzz.run import Workshop, temporary_files
from tests.fuzz.targets import TARGETS
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fuzz.targets import FuzzTarget

_MOST_FILES: Final = 250  # `make test` checks them all


def minimise(target: FuzzTarget) -> int:
    """Write a target's corpus anew, and return how many files it has.

    Together they reach every branch that any input did, each as often, up to a number of files: with more, every branch
    still, and of the others the shortest are kept.
    """
    shop = Workshop(target)
    with tempfile.TemporaryDirectory() as all_of_it, tempfile.TemporaryDirectory() as branches:
        chosen = _merged(shop, Path(all_of_it), shop.prepare())
        if len(chosen) > _MOST_FILES:
            needed = _merged(shop, Path(branches), [Path(all_of_it)], "-use_counters=0")
            names = {path.name for path in needed}
            others = sorted((path for path in chosen if path.name not in names), key=lambda path: path.stat().st_size)
            chosen = [*needed, *others[: _MOST_FILES - len(needed)]]
        shutil.rmtree(target.corpus, ignore_errors=True)
        target.corpus.mkdir(parents=True)
        for path in chosen:
            shutil.copy(path, target.corpus / path.name[:16])
    return len(chosen)


def _merged(shop: Workshop, into: Path, folders: Sequence[Path], *flags: str) -> list[Path]:
    """Have libFuzzer choose from folders, and return what it has put into an empty one."""
    with temporary_files() as environment:
        subprocess.run(  # noqa: S603 - our own
            shop.command("-set_cover_merge=1", *flags, str(into), *map(str, folders)),
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
        )
    if not (made := sorted(into.iterdir())):
        raise SystemExit(f"{shop.target.name}: libFuzzer has kept nothing")
    return made


def main() -> None:
    """Minimise the corpora that are named, or all."""
    for name in sys.argv[1:] or TARGETS:
        print(f"{name}: {minimise(TARGETS[name])} files")  # noqa: T201 - what the command is for


if __name__ == "__main__":
    main()
