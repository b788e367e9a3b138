"""What libFuzzer says of a run is read, and the page shows such a table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tests.fuzz.report import PAGE, PART, Run, advice, read_log, table
from tests.fuzz.targets import TARGETS
from tests.marked import shown

_CLEAN: Final = """\
INFO: Using built-in libfuzzer
#2\tINITED cov: 5 ft: 6 corp: 1/1b exec/s: 0 rss: 46Mb
#2048\tpulse  cov: 316 ft: 1024 corp: 59/59Kb lim: 2871 exec/s: 115 rss: 56Mb
#2049\tDONE   cov: 318 ft: 1732 corp: 1159/59Kb lim: 2871 exec/s: 115 rss: 56Mb
stat::number_of_executed_units: 44289
stat::average_exec_per_sec:     1115
stat::new_units_added:          12
stat::slowest_unit_time_sec:    2
stat::peak_rss_mb:              57
"""
_BROKEN: Final = """\
#2\tINITED cov: 5 ft: 6 corp: 1/1b exec/s: 0 rss: 46Mb

 === Uncaught Python exception: ===
AssertionError: it leads elsewhere
==1690== ERROR: libFuzzer: fuzz target exited
MS: 1 ChangeByte-; base unit: 20cb49
0x68,0x74,
stat::number_of_executed_units: 7
"""


def read(log: str, *findings: str, failed: bool = False) -> Run:
    return read_log(log, target=TARGETS["nodes"], findings=list(map(Path, findings)), failed=failed)


def test_a_run_without_findings() -> None:
    run = read(_CLEAN)
    assert (run.executions, run.a_second, run.inputs, run.branches, run.features) == (44289, 1115, 1159, 318, 1732)
    assert (run.slowest, run.peak_mebibytes, run.is_clean, advice(run)) == (2, 57, True, "")
    assert table([run], seconds=600).splitlines()[-1] == (
        "| nodes.json | 44,289 | 1,115 | 318 | 1,732 | 1,159 | 57 MiB | 0 |"
    )


def test_a_finding_is_told_with_how_to_see_it_again() -> None:
    run = read(_BROKEN, "/x/crash-1", failed=True)
    assert not run.is_clean
    assert advice(run).splitlines() == [
        "nodes: found",
        "  python -m tests.fuzz nodes /x/crash-1",
        " === Uncaught Python exception: ===",
        "AssertionError: it leads elsewhere",
        "==1690== ERROR: libFuzzer: fuzz target exited",
    ]


def test_a_process_that_ends_otherwise_is_no_clean_run() -> None:
    assert advice(read("Traceback", failed=True)) == "nodes: did not run to its end\nTraceback"
    assert not read(_CLEAN, failed=True).is_clean
    assert not read("").is_clean


def test_the_page_shows_a_run_of_every_target_without_findings() -> None:
    rows = re.findall(r"^\| ([^|]+) \|.* (\d+) \|$", shown(PAGE, part=PART), re.MULTILINE)
    assert rows == [(target.reads, "0") for target in TARGETS.values()]
