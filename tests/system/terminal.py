"""Programs whose output is a terminal."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import termios
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.system.program import PATIENCE

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator


class Screen:
    """What has been written to one terminal."""

    def __init__(self) -> None:
        self.text = ""
        self._grown = asyncio.Event()
        self._ended = False
        self._master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))

    def watch(self) -> None:
        """Read from now on; only the program has the other end."""
        os.close(self.slave)
        asyncio.get_running_loop().add_reader(self._master, self._read)

    def _read(self) -> None:
        try:
            self.text += os.read(self._master, 65536).decode()
        except OSError:  # the program has ended
            self._ended = True
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._master)
        self._grown.set()

    async def shows(self, part: str) -> None:
        """Wait until ``part`` has been written."""
        async with asyncio.timeout(PATIENCE):
            while part not in self.text:
                assert not self._ended, f"ended without {part!r}: {self.text!r}"
                await self._grow()

    async def end(self) -> str:
        """Wait until nothing more is written, and return all of it."""
        async with asyncio.timeout(PATIENCE):
            while not self._ended:
                await self._grow()
        return self.text

    async def _grow(self) -> None:
        self._grown.clear()
        await self._grown.wait()


class TerminalProgram:
    """A process under way on two terminals, so that its output and its errors can be told apart."""

    def __init__(self, process: Process, *, out: Screen, err: Screen) -> None:
        self._process = process
        self.out = out
        self.err = err

    async def exit_code(self) -> int:
        """Wait for the end."""
        async with asyncio.timeout(PATIENCE):
            return await self._process.wait()


@asynccontextmanager
async def running_on_terminal(*command: str, **environment: str) -> AsyncIterator[TerminalProgram]:
    """Run a command; kill it in the end."""
    inherited = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}}
    out, err = Screen(), Screen()
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=out.slave,
        stderr=err.slave,
        env=inherited | {"TERM": "xterm-256color"} | environment,
    )
    out.watch()
    err.watch()
    try:
        yield TerminalProgram(process, out=out, err=err)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await out.end()
        await err.end()
