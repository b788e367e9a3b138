"""What libFuzzer says of a run, and the table that tells of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.marked import row
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.fuzz.targets import FuzzTarget

PAGE: Final = ROOT / "docs" / "reliability.md"
PART: Final = "fuzz"
_COVERAGE: Final = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)/")
_STATISTIC: Final = re.compile(r"^stat::(\w+):\s+(\d+)", re.MULTILINE)
_UNINTERESTING: Final = re.compile(r"^(#|INFO|WARNING|Dictionary|stat::|MS:|0x|Base64)|^\s*$")
_LINES: Final = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How one target fared.

    Attributes:
        target: what was fuzzed.
        executions: inputs that were checked.
        a_second: of them.
        inputs: that the corpus had at the end, each with something that no other reached.
        branches: of the code that were reached ("cov" of libFuzzer).
        features: the same with how often each was reached ("ft").
        slowest: seconds that one input took at most, rounded down.
        peak_mebibytes: of the process.
        findings: files with inputs that broke something.
        failed: whether the process ended otherwise than by the clock.
        tail: the end of its log, without what is said of progress.
    """

    target: FuzzTarget
    executions: int
    a_second: int
    inputs: int
    branches: int
    features: int
    slowest: int
    peak_mebibytes: int
    findings: Sequence[Path]
    failed: bool
    tail: str

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found, and that says something."""
        return not (self.findings or self.failed) and self.executions > 0


def read_log(log: str, *, target: FuzzTarget, findings: Sequence[Path], failed: bool) -> Run:
    """Read what libFuzzer has written with ``-print_final_stats=1``; what is missing counts as 0."""
    said = {name: int(number) for name, number in _STATISTIC.findall(log)}
    branches, features, inputs = map(int, [("0", "0", "0"), *_COVERAGE.findall(log)][-1])
    lines = [line for line in log.splitlines() if not _UNINTERESTING.match(line)]
    return Run(
        target=target,
        executions=said.get("number_of_executed_units", 0),
        a_second=said.get("average_exec_per_sec", 0),
        inputs=inputs,
        branches=branches,
        features=features,
        slowest=said.get("slowest_unit_time_sec", 0),
        peak_mebibytes=said.get("peak_rss_mb", 0),
        findings=findings,
        failed=failed,
        tail="\n".join(lines[-_LINES:]),
    )


def table(runs: Sequence[Run], *, seconds: int) -> str:
    """Return the table of a run, as it stands in docs/reliability.md."""
    head = [
        row("what is read", "inputs", "a second", "branches", "features", "corpus", "peak memory", "findings"),
        row("---", *["---:"] * 7),
    ]
    body = [
        row(
            run.target.reads,
            f"{run.executions:,}",
            f"{run.a_second:,}",
            f"{run.branches:,}",
            f"{run.features:,}",
            f"{run.inputs:,}",
            f"{run.peak_mebibytes} MiB",
            str(len(run.findings)),
        )
        for run in runs
    ]
    return "\n".join([f"Each for {seconds} s, all at once:", "", *head, *body])


def advice(run: Run) -> str:
    """Say what broke, and how to see it again; empty where nothing did."""
    if run.is_clean:
        return ""
    name = run.target.name
    again = [f"  python -m tests.fuzz {name} {path}" for path in run.findings]
    return "\n".join([f"{name}: {'found' if run.findings else 'did not run to its end'}", *again, run.tail])
