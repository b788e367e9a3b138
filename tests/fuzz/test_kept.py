"""What fuzzing has kept holds, and stays small."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.fuzz.seeds import seeds, words
from tests.fuzz.targets import TARGETS, keeping
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fuzz.targets import FuzzTarget

_MOST_FILES: Final = 300
_MOST_BYTES: Final = 400 * 1024

of_each = pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)


@of_each
def test_what_was_kept_holds(target: FuzzTarget) -> None:
    check = target.check()
    kept = target.kept()
    assert len(kept) > 10
    for path in kept:
        try:
            check(path.read_bytes())
        except Exception as error:
            error.add_note(f"python -m tests.fuzz {target.name} {path}")
            raise


@of_each
def test_a_corpus_is_small(target: FuzzTarget) -> None:
    assert len(target.kept()) <= _MOST_FILES
    assert all(path.stat().st_size <= target.longest for path in target.kept())


def test_all_corpora_are_small() -> None:
    assert sum(path.stat().st_size for target in TARGETS.values() for path in target.kept()) <= _MOST_BYTES


@of_each
def test_what_a_fuzzer_begins_with(target: FuzzTarget) -> None:
    made = list(seeds(target.name, longest=target.longest))
    assert len(made) > 8
    assert all(len(seed) <= target.longest for seed in made)
    assert len(words(target.name)) > 20
    assert all(word.isascii() and word[0] == word[-1] == '"' for word in words(target.name))


def test_what_breaks_something_is_kept(tmp_path: Path) -> None:
    def check(data: bytes) -> None:
        assert data == b"sound"

    kept = keeping(check, into=tmp_path)
    kept(b"sound")
    assert not list(tmp_path.iterdir())
    with pytest.raises(AssertionError):
        kept(b"broken")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"broken"]


def test_an_input_can_be_given_once_more() -> None:
    [path, *_] = TARGETS["target"].kept()
    done = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-m", "tests.fuzz", "target", str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{path}: nothing found\n"
