"""The process serves until it is stopped, and loses no probe in being stopped."""

from __future__ import annotations

import asyncio
import re
import sys
from contextlib import closing
from dataclasses import dataclass, field
from signal import SIGINT, SIGTERM
from typing import TYPE_CHECKING

import pytest

from oxidized_exporter.simulator import fleet
from tests.harness import Exposition
from tests.system.oxidized import Gate
from tests.system.program import Exporter, eventually, parse_logfmt, running

if TYPE_CHECKING:
    from signal import Signals

    import aiohttp

    from tests.system.conftest import StartExporter, StartOxidized
    from tests.system.oxidized import Instance

_IN_FLIGHT = 8
_DEVICES = 50
_CLIENTS = 16
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] 200 ")
_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)


def is_whole(exposition: Exposition) -> bool:
    return exposition.value("oxidized_status") == 1 and len(exposition.all("oxidized_device_status")) == _DEVICES


async def are_in_flight(exporter: Exporter, client: aiohttp.ClientSession, count: int) -> bool:
    async with client.get(f"{exporter.url}/metrics") as response:
        return Exposition.parse(await response.text()).value("oxidized_exporter_probes_in_flight") == count


async def refuses_connections(exporter: Exporter) -> bool:
    host, _, port = exporter.address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        await writer.wait_closed()
    except ConnectionError:
        return True
    return False


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
async def test_it_serves_until_a_signal_and_exits_with_0(
    number: Signals, start_exporter: StartExporter, client: aiohttp.ClientSession
) -> None:
    exporter = await start_exporter()
    assert await exporter.status(client, "/-/healthy") == 200
    assert await exporter.status(client, "/-/ready") == 200
    assert await exporter.stop(number) == 0
    assert [parse_logfmt(line)["msg"] for line in exporter.program.err.seen] == ["listening", "stopping", "stopped"]
    assert exporter.program.out.seen == []


_HANGS = """
import asyncio, threading
from concurrent.futures import ThreadPoolExecutor
from oxidized_exporter.cli import _run
from oxidized_exporter.log import LogSettings

async def hang():
    begun, never = threading.Barrier(3), threading.Event()
    for thread in (None, ThreadPoolExecutor(max_workers=1)):
        asyncio.get_running_loop().run_in_executor(thread, lambda: begun.wait() and False or never.wait())
    await asyncio.to_thread(begun.wait)
    print("stopped")
    END

_run(hang(), log=LogSettings(level="info", form="logfmt"))
"""


@pytest.mark.parametrize("end,code", [("return", 0), ("raise SystemExit(130)", 130)])
async def test_a_thread_that_hangs_does_not_hold_the_end(end: str, code: int) -> None:
    """One that reads a file of a mount that hangs, or checks a password of a high cost."""
    async with running(sys.executable, "-c", _HANGS.replace("END", end)) as program:
        assert await program.exit_code() == code
        assert program.out.seen == ["stopped"]
        assert program.err.seen == []


async def test_nor_where_nobody_reads_any_more_what_is_printed() -> None:
    code = _HANGS.replace("END", "import os; [os.dup2(os.pipe()[1], number) for number in (1, 2)]; print('lost')")
    async with running(sys.executable, "-c", f"import os; keep = os.dup(1)\n{code}") as program:
        assert await program.exit_code() == 0


async def test_probes_in_flight_are_answered_after_sigterm(
    start_exporter: StartExporter, start_oxidized: StartOxidized, client: aiohttp.ClientSession
) -> None:
    gate = Gate()
    oxidized = await start_oxidized(*fleet(_DEVICES), middleware=gate.hold)
    exporter = await start_exporter()
    async with asyncio.TaskGroup() as group:
        probes = [group.create_task(exporter.probe(client, oxidized.url)) for _ in range(_IN_FLIGHT)]
        await gate.arrivals(1)  # one request of Oxidized serves them all
        await eventually(lambda: are_in_flight(exporter, client, _IN_FLIGHT))
        exporter.program.send(SIGTERM)
        await eventually(lambda: refuses_connections(exporter))
        gate.open()
    assert [is_whole(answered.result()) for answered in probes] == [True] * _IN_FLIGHT
    assert await exporter.program.exit_code() == 0


async def test_during_the_shutdown_delay_it_is_not_ready_but_serves(
    start_exporter: StartExporter, start_oxidized: StartOxidized, client: aiohttp.ClientSession
) -> None:
    gate = Gate()
    quick, held = await start_oxidized(*fleet(_DEVICES)), await start_oxidized(*fleet(_DEVICES), middleware=gate.hold)
    exporter = await start_exporter("--web.shutdown-delay=1")
    exporter.program.send(SIGTERM)
    await exporter.program.err.first("msg=stopping")
    assert await exporter.status(client, "/-/ready") == 503
    assert await exporter.status(client, "/-/healthy") == 200
    assert is_whole(await exporter.probe(client, quick.url))
    async with asyncio.TaskGroup() as group:
        begun_late = group.create_task(exporter.probe(client, held.url))
        await gate.arrivals(1)
        await eventually(lambda: refuses_connections(exporter))
        gate.open()
    assert is_whole(begun_late.result())
    assert await exporter.program.exit_code() == 0


@dataclass
class Tally:
    """What became of the probes of clients that make a connection for each one."""

    whole: int = 0
    lost: list[str] = field(default_factory=list)

    async def probe_until_refused(self, exporter: Exporter, oxidized: Instance) -> None:
        host, _, port = exporter.address.rpartition(":")
        request = f"GET /probe?target={oxidized.url} HTTP/1.1\r\nHost: {exporter.address}\r\nConnection: close\r\n\r\n"
        while True:
            try:
                reader, writer = await asyncio.open_connection(host, port)
                with closing(writer):
                    writer.write(request.encode())
                    self.count(await reader.read())
            except ConnectionRefusedError:
                return
            except ConnectionError as error:
                self.lost.append(repr(error))

    def count(self, answer: bytes) -> None:
        head, _, body = answer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n")
        if _STATUS_LINE.match(head) and length and len(body) == int(length[1]):
            self.whole += 1
        else:
            self.lost.append(f"{len(answer)} bytes: {head!r}")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a listener close without a loss")
@pytest.mark.parametrize("after", [50, 100, 150])
async def test_a_stop_under_load_loses_no_accepted_probe(
    after: int, start_exporter: StartExporter, start_oxidized: StartOxidized
) -> None:
    oxidized, exporter = await start_oxidized(*fleet(5)), await start_exporter()
    tally = Tally()

    async def under_load() -> bool:
        return tally.whole >= after

    async with asyncio.timeout(20), asyncio.TaskGroup() as clients:
        for _ in range(_CLIENTS):
            clients.create_task(tally.probe_until_refused(exporter, oxidized))
        await eventually(under_load, every=0.01)
        exporter.program.send(SIGTERM)
    assert tally.lost == []
    assert await exporter.program.exit_code() == 0
