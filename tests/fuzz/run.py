"""``make fuzz SECONDS=…``: every target for so long, all at once; writes the table of docs/reliability.md.

Exits with 1 where something was found. What was made up stays below build/fuzz/, where the next run goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Final

from tests.fuzz.files import IN_MEMORY
from tests.fuzz.report import PAGE, PART, Run, advice, read_log, table
from tests.fuzz.seeds import seeds, words
from tests.fuzz.targets import TARGETS, FuzzTarget
from tests.marked import show
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

BUILD: Final = ROOT / "build" / "fuzz"
_SLOW_SECONDS: Final = 10  # an input that takes longer is a finding; instrumented, and with others at work
_MEBIBYTES: Final = 768  # so is a process that is larger: a tenth of it is usual
_GRACE_SECONDS: Final = 120.0


class Workshop:
    """The files of one target's fuzzing, below build/fuzz/."""

    def __init__(self, target: FuzzTarget) -> None:
        self.target = target
        self.folder = BUILD / target.name
        self.corpus = self.folder / "corpus"
        self.log = self.folder / "log"

    def prepare(self) -> list[Path]:
        """Write seeds and words; return where inputs are, the first being where new ones go."""
        shutil.rmtree(self.folder / "seeds", ignore_errors=True)
        for folder in (self.corpus, self.folder / "seeds", self.folder / "found"):
            folder.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds(self.target.name, longest=self.target.longest)):
            (self.folder / "seeds" / f"{number:03}").write_bytes(seed)
        (self.folder / "words").write_text("\n".join([*words(self.target.name), ""]))
        kept = [folder for folder in (self.target.corpus, self.target.findings) if folder.is_dir()]
        return [self.corpus, self.folder / "seeds", *kept]

    def command(self, *flags: str) -> list[str]:
        """Return the command of the target's process."""
        fuzzing = [sys.executable, "-m", "tests.fuzz.fuzzing", self.target.name, str(self.folder / "found")]
        return [*fuzzing, f"-max_len={self.target.longest}", *flags]

    def found(self) -> list[Path]:
        """Return what was found."""
        return sorted((self.folder / "found").iterdir())


def fuzz(targets: Sequence[FuzzTarget], *, seconds: int) -> list[Run]:
    """Run all targets at once, and say how each fared."""
    shops = [Workshop(target) for target in targets]
    with temporary_files() as environment, contextlib.ExitStack() as stack:
        processes = []
        for shop in shops:
            folders = shop.prepare()
            for old in shop.found():
                old.unlink()
            command = shop.command(
                f"-max_total_time={seconds}",
                f"-timeout={_SLOW_SECONDS}",
                f"-rss_limit_mb={_MEBIBYTES}",
                f"-dict={shop.folder / 'words'}",
                "-print_final_stats=1",
                *map(str, folders),
            )
            log = stack.enter_context(shop.log.open("wb"))
            processes.append(stack.enter_context(running(command, log=log.fileno(), environment=environment)))
        codes = [_ended(process, seconds=seconds) for process in processes]
    return [
        read_log(shop.log.read_text(errors="replace"), target=shop.target, findings=shop.found(), failed=code != 0)
        for shop, code in zip(shops, codes, strict=True)
    ]


@contextlib.contextmanager
def temporary_files() -> Iterator[dict[str, str]]:
    """Return an environment with a directory for temporary files, which goes: libFuzzer ends without tidying up."""
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as folder:
        yield {**os.environ, "TMPDIR": folder}


@contextlib.contextmanager
def running(command: Sequence[str], *, log: int, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process, and make sure that it has ended."""
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log) as process:  # noqa: S603 - our own
        try:
            yield process
        finally:
            process.kill()


def _ended(process: subprocess.Popen[bytes], *, seconds: int) -> int:
    try:
        return process.wait(seconds + _GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        return -1


def main() -> None:
    """Fuzz, print, and write the table where nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for how long each target is fuzzed")
    parser.add_argument("names", nargs="*", metavar="target", help=f"of {', '.join(TARGETS)}; all of them otherwise")
    asked = parser.parse_args()
    targets = [TARGETS[name] for name in asked.names or TARGETS]
    runs = fuzz(targets, seconds=asked.seconds)
    told = table(runs, seconds=asked.seconds)
    print(told)  # noqa: T201 - what `make fuzz` is for
    if said := [words for run in runs if (words := advice(run))]:
        sys.exit("\n".join(said))
    if len(runs) == len(TARGETS):
        show(told, page=PAGE, part=PART)


if __name__ == "__main__":
    main()
