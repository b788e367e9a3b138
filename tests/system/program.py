"""Programs as processes of their own: what they print as it comes, how they end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import pytest

from tests.harness import Exposition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import aiohttp

PATIENCE = 20.0
"""Seconds after which a test gives up waiting for what should take a fraction of them."""

COMMAND = (sys.executable, "-m", "oxidized_exporter")
EXPORTER = (*COMMAND, "--web.listen-address=127.0.0.1:0")

_PAIR = re.compile(r'(?P<key>[a-z][a-z0-9_]*)=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s"=]*))(?: (?=[a-z])|$)')


class Lines:
    """The lines of a stream, as they come."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self.seen: list[str] = []
        self._grown = asyncio.Condition()
        self._ended = False
        self._reading = asyncio.create_task(self._read(stream))

    async def _read(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            async with self._grown:
                self.seen.append(line.decode().removesuffix("\n"))
                self._grown.notify_all()
        async with self._grown:
            self._ended = True
            self._grown.notify_all()

    async def first(self, part: str, *, count: int = 1, seconds: float = PATIENCE) -> list[str]:
        """Wait for so many lines that hold ``part``, so long at most, and return them."""
        async with asyncio.timeout(seconds), self._grown:
            await self._grown.wait_for(lambda: len(self._with(part)) >= count or self._ended)
        assert len(self._with(part)) >= count, f"ended without {part!r}: {self.seen}"
        return self._with(part)[:count]

    def _with(self, part: str) -> list[str]:
        return [line for line in self.seen if part in line]

    async def end(self) -> None:
        """Wait until there will be no more."""
        await asyncio.shield(self._reading)


class Program:
    """A process under way."""

    def __init__(self, process: Process) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self.out = Lines(process.stdout)
        self.err = Lines(process.stderr)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def exit_code(self, *, patience: float = PATIENCE) -> int:
        """Wait for the end, for so many seconds."""
        async with asyncio.timeout(patience):
            code = await self._process.wait()
            await self.out.end()
            await self.err.end()
            return code

    async def kill(self) -> None:
        """End it, however it is."""
        if self._process.returncode is None:
            self._process.kill()
        await self.exit_code()


@asynccontextmanager
async def running(
    *command: str, environment: dict[str, str] | None = None, stdin: BinaryIO | int = DEVNULL
) -> AsyncIterator[Program]:
    """Run a command, with nothing of this package's in its environment but what is given; kill it in the end."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("OXIDIZED_EXPORTER_")}
    process = await asyncio.create_subprocess_exec(
        *command, stdin=stdin, stdout=PIPE, stderr=PIPE, env=inherited | (environment or {})
    )
    program = Program(process)
    try:
        yield program
    finally:
        await program.kill()


@dataclass(frozen=True, slots=True)
class Exporter:
    """The exporter as a process that listens."""

    program: Program
    address: str

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    async def status(self, client: aiohttp.ClientSession, path: str) -> int:
        async with client.get(self.url + path) as response:
            return response.status

    async def probe(
        self, client: aiohttp.ClientSession, *targets: str, scrape_timeout: float = 30.0, collect: str | None = None
    ) -> Exposition:
        """Probe as Prometheus does, with all collectors or one, and require a complete answer with status 200."""
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": str(scrape_timeout)}
        params = [("target", target) for target in targets] + ([("collect[]", collect)] if collect else [])
        async with client.get(f"{self.url}/probe", params=params, headers=headers) as response:
            text = await response.text()
            assert response.status == 200, text
            return Exposition.parse(text)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.program.send(number)
        return await self.program.exit_code()


async def listening(program: Program, *, addresses: int = 1) -> list[Exporter]:
    """Wait until an exporter listens on so many addresses."""
    lines = await program.err.first("msg=listening", count=addresses)
    return [Exporter(program, parse_logfmt(line)["address"]) for line in lines]


@asynccontextmanager
async def exporting(*command: str, environment: dict[str, str] | None = None) -> AsyncIterator[Exporter]:
    """Run a command that serves as an exporter; begins when it listens."""
    async with running(*command, environment=environment) as program:
        (exporter,) = await listening(program)
        yield exporter


def parse_logfmt(line: str) -> dict[str, str]:
    """Read a line, which has to be logfmt from its first character to its last."""
    pairs: dict[str, str] = {}
    position = 0
    while position < len(line):
        matched = _PAIR.match(line, position)
        assert matched, f"no logfmt from column {position} on: {line!r}"
        assert matched["key"] not in pairs, f"{matched['key']} stands twice: {line!r}"
        quoted = matched["quoted"]
        pairs[matched["key"]] = matched["bare"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        position = matched.end()
    return pairs


async def eventually(holds: Callable[[], Awaitable[object]], *, every: float = 0.1) -> None:
    """Ask again and again until the answer is true: another process changes it, so there is no event to wait for."""
    for _ in range(int(PATIENCE / every)):
        if await holds():
            return
        await asyncio.sleep(every)
    pytest.fail(f"not so within {PATIENCE:g} s")
