"""Callers who do otherwise than they should cost nobody else an answer, and leave nothing behind."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from oxidized_exporter.config import COLLECTORS, Config, Configs, Module
from oxidized_exporter.simulator import Device
from tests.faults.asking import ask
from tests.faults.callers import CALLERS_FAULTS, Caller, CallersFault, use
from tests.faults.doors import Visit, door, relay
from tests.faults.judging import samples_of
from tests.faults.left import Left, no_more_than
from tests.faults.oxidized import oxidized
from tests.faults.ways import port_of
from tests.harness import running, running_exporter
from tests.process import forget_peak, peak_bytes, resident_bytes

_LARGE: Final = tuple(Device(name=f"large{number}", group="access") for number in range(3000))
_MOST_MEMORY: Final = 64 * 1024 * 1024
_CONFIG: Final = Config(modules={"default": Module(name="default", collectors=COLLECTORS, configs=Configs(remember=0))})


@pytest.mark.parametrize("fault", CALLERS_FAULTS, ids=lambda fault: f"{fault.kind}: {fault.what}")
async def test_callers(fault: CallersFault) -> None:
    reached, done = asyncio.Event(), asyncio.Event()
    async with running(oxidized()) as healthy, running(oxidized(*_LARGE)) as large:

        async def stuck(visit: Visit) -> None:
            head = await visit.reader.readuntil(b"\r\n\r\n")
            if head.split(b" ")[1].startswith(fault.path.encode()):
                reached.set()
                await visit.left()
            else:
                await relay(visit, port_of(healthy), first=head)

        async with door(stuck) as port:
            outside = Left.now()
            async with running_exporter(config=_CONFIG) as exporter:
                before = Left.now()
                async with asyncio.timeout(30):
                    right = samples_of(await ask(exporter.port, healthy))
                    forget_peak()
                    held = resident_bytes()
                    caller = Caller(port=exporter.port, stuck=f"http://127.0.0.1:{port}", large=large, reached=reached)
                    acting = [asyncio.create_task(use(fault, caller, done)) for _ in range(fault.count)]
                    assert samples_of(await ask(exporter.port, healthy)) == right
                    done.set()
                    await asyncio.gather(*acting)
                    await no_more_than(before)
                assert peak_bytes() - held < _MOST_MEMORY
                assert exporter.exporter.load.requests == 0
                assert exporter.exporter.scraper.progress() == {}
                assert samples_of(await ask(exporter.port, healthy)) == right
            await no_more_than(outside)
