"""Every cell of the matrix, at a real exporter: those of one stage and kind at once."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

import pytest
import trustme

from oxidized_exporter.config import (
    COLLECTORS,
    Check,
    Config,
    Configs,
    Connection,
    Limits,
    LineExpression,
    Module,
    TlsConfig,
)
from oxidized_exporter.targets.pattern import TargetPattern
from tests.faults.asking import UNHURRIED, probe
from tests.faults.cells import Cell, Faulty, Kind, Scene, Stage
from tests.faults.judging import judge, said_of, samples_of
from tests.faults.left import Left, no_more_than
from tests.faults.matrix import CELLS, COMBINATIONS, NOTHING, WHOLE, cells_of
from tests.faults.names import MANY_TRIES, Names, name_server
from tests.faults.oxidized import oxidized
from tests.harness import Exposition, running, running_exporter
from tests.process import forget_peak, peak_bytes, resident_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_SHORTEST: Final = 0.5
_TIMES: Final = 30  # what a probe without a fault takes by itself, so many times, is enough for all at once
_LONGEST: Final = 5.0
_MOST_MEMORY: Final = 64 * 1024 * 1024
_LIGHT: Final = [
    (stage, kind) for stage, kind in COMBINATIONS if any(not cell.fault.heavy for cell in cells_of(stage, kind))
]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


def configuration(faulty: Iterable[Faulty], ca_file: Path) -> Config:
    """Return what collects everything anew each time, over connections of its own for all that is asked at once."""
    check = Check(must_not_match=LineExpression("(a+)+$"))
    configs = Configs(concurrency=4, remember=0, checks={"check": check})
    return Config(
        modules={
            "default": Module(name="default", collectors=COLLECTORS, configs=configs),
            "narrow": Module(name="narrow", collectors=COLLECTORS, configs=Configs(concurrency=1, remember=0)),
        },
        connections=tuple(
            Connection(targets=(TargetPattern.parse(one.url),), tls_config=TlsConfig(ca_file=ca_file), **one.connection)
            for one in faulty
        ),
        limits=Limits(connections=1),
    )


def _tries(stage: Stage, kind: Kind) -> int:
    """Return few where each one ends by itself, and without an answer."""
    return 2 if (stage, kind) == (Stage.RESOLVE, Kind.CUT) else MANY_TRIES


@pytest.mark.parametrize("stage,kind", _LIGHT)
async def test_cells(
    stage: Stage, kind: Kind, authority: trustme.CA, ca_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = [cell for cell in cells_of(stage, kind) if not cell.fault.heavy]
    names = Names()
    async with AsyncExitStack() as stack:
        make_resolver = await stack.enter_async_context(name_server(names, tries=_tries(stage, kind)))
        healthy = await stack.enter_async_context(running(oxidized(keeps_connections=True)))
        faulty = [
            await stack.enter_async_context(
                cell.fault.way(Scene(collector=cell.collector, names=names, authority=authority))
            )
            for cell in cells
        ]
        outside = Left.now()
        async with running_exporter(config=configuration(faulty, ca_file), resolver=make_resolver()) as exporter:
            before = Left.now()

            async def ask(cell: Cell, *targets: str, seconds: float) -> Exposition:
                return await probe(exporter.port, cell, *targets, seconds=seconds)

            began = time.monotonic()
            right = [samples_of(await ask(cell, healthy, seconds=UNHURRIED)) for cell in cells]
            usual = (time.monotonic() - began) / len(cells)
            forget_peak()
            held = resident_bytes()
            seconds = [
                min(max(_SHORTEST, _TIMES * usual), _LONGEST) if cell.fault.stalls else UNHURRIED for cell in cells
            ]
            answers = await asyncio.gather(
                *(
                    ask(cell, one.url, healthy, seconds=limit)
                    for cell, one, limit in zip(cells, faulty, seconds, strict=True)
                )
            )
            peak = peak_bytes()
            log = capsys.readouterr().out.splitlines()
            for cell, one, answer, without in zip(cells, faulty, answers, right, strict=True):
                judge(cell, samples_of(answer, one.url), right=without, said=said_of(log, one.url))
                assert samples_of(answer, healthy) == without, "the other target is as it is without the fault"
                one.verify()
            assert peak - held < _MOST_MEMORY
            names.give_what_is_owed()
            await no_more_than(before)
            assert exporter.exporter.scraper.progress() == {}
            assert exporter.exporter.load.requests == 0
        await no_more_than(outside)


def test_the_matrix_is_whole() -> None:
    """Each collector meets each kind of fault at each stage, or the matrix says why that does not exist."""
    met = {(cell.fault.stage, cell.fault.kind, cell.collector) for cell in CELLS}
    unmet = {(none.stage, none.kind, collector) for none in NOTHING for collector in none.collectors}
    assert met | unmet == WHOLE
    assert not met & unmet
    assert len(met) >= 150
