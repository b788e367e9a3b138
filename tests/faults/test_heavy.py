"""The cells that take much: the exporter is a process of its own, which is watched from outside."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import pytest
import trustme
import yaml

from oxidized_exporter.config import Limits
from tests.faults.asking import UNHURRIED, probe
from tests.faults.cells import ANSWERED, Cell, Faulty, Kind, Scene, Stage
from tests.faults.judging import judge, said_of, samples_of
from tests.faults.left import files, nothing_of, work_after
from tests.faults.matrix import COMBINATIONS, cells_of
from tests.faults.names import Names
from tests.faults.oxidized import oxidized
from tests.harness import running
from tests.process import forget_peak, peak_bytes, resident_bytes, threads
from tests.system.program import EXPORTER, exporting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.system.program import Exporter

MOST_MEMORY: Final = 2 * Limits().body_bytes
_UNTRACED: Final = ("env", "--unset=COVERAGE_PROCESS_CONFIG")  # time and memory are the exporter's alone
_SHORTEST: Final = 0.5
_LONGEST: Final = 1.5  # the slow ones take longer, on any machine
_TIMES: Final = 10  # what a probe without a fault takes, so many times, is enough for all but the fault
_CHECKS: Final = 80  # each takes 0.05 s of 16 MiB
_MOST_THREADS: Final = 12  # those that the exporter keeps, once they are made
_MOST_WORK: Final = 0.2  # seconds, behind an answer that did not wait for it: the step that was under way
_HEAVY: Final = [combination for combination in COMBINATIONS if any(c.fault.heavy for c in cells_of(*combination))]


@asynccontextmanager
async def configured_exporter(directory: Path) -> AsyncIterator[Exporter]:
    """Run an exporter that collects everything anew each time."""
    collects = {"collectors": ["nodes", "configs", "stats"]}
    check = {"must_not_match": "(a+)+$"}
    checks = {f"check{number}": {"must_match": f"(a|aa){{3}}{number}"} for number in range(_CHECKS)}
    file = directory / "exporter.yml"
    modules = {
        "default": collects | {"configs": {"concurrency": 4, "remember": 0, "checks": {"check": check}}},
        "checked": collects | {"configs": {"concurrency": 4, "remember": 0, "checks": checks}},
    }
    file.write_text(yaml.safe_dump({"modules": modules, "limits": {"connections": 1}}))
    async with exporting(*_UNTRACED, *EXPORTER, "--timeout-offset=0", f"--config.file={file}") as exporter:
        yield exporter


@pytest.mark.parametrize("stage,kind", _HEAVY)
async def test_cells(stage: Stage, kind: Kind, tmp_path: Path) -> None:
    """One after the other, so that what each takes can be told."""
    async with running(oxidized(keeps_connections=True)) as healthy, configured_exporter(tmp_path) as exporter:
        for cell in cells_of(stage, kind):
            if cell.fault.heavy:
                scene = Scene(collector=cell.collector, names=Names(), authority=trustme.CA())
                async with cell.fault.way(scene) as faulty:
                    await is_as_the_matrix_has_it(cell, faulty, healthy, exporter)


async def is_as_the_matrix_has_it(cell: Cell, faulty: Faulty, healthy: str, exporter: Exporter) -> None:
    port, pid = int(exporter.address.rpartition(":")[2]), exporter.program.pid
    began = time.monotonic()
    right = samples_of(await probe(port, cell, healthy, seconds=UNHURRIED, pid=pid))
    usual = time.monotonic() - began
    before = files(pid)
    forget_peak(pid)
    held = resident_bytes(pid)
    seconds = min(max(_SHORTEST, _TIMES * usual), _LONGEST) if cell.fault.stalls else UNHURRIED
    answer = await probe(port, cell, faulty.url, healthy, seconds=seconds, pid=pid)
    work = await work_after(pid)
    assert work < _MOST_WORK, f"{work:.2f} s of work for nobody"
    grown = peak_bytes(pid) - held
    assert grown < MOST_MEMORY, f"{grown >> 20} MiB"
    if cell.collector != "nodes" and cell.says != ANSWERED:
        await exporter.program.err.first(f"target={faulty.url}")
    judge(cell, samples_of(answer, faulty.url), right=right, said=said_of(exporter.program.err.seen, faulty.url))
    assert samples_of(answer, healthy) == right, "the other target is as it is without the fault"
    await nothing_of(lambda: files(pid) - before)
    assert len(threads(pid)) <= _MOST_THREADS
