"""However many connections wait, files are left for who asks, and for Oxidized."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from typing import Final

import aiohttp

from oxidized_exporter.simulator import Daemon, Device, create_app
from tests.harness import running
from tests.system.held_port import LOOPBACK
from tests.system.program import EXPORTER, exporting

_FILES: Final = 128
_EACH: Final = 50  # more than any share of them
_LARGE: Final = tuple(Device(name=f"sw{number}", group="access") for number in range(350))  # 420 kB
_HELD_BYTES: Final = 4 * 1024  # of an answer that is not read, in segments like Ethernet's: most stays in the exporter
_SEGMENT_BYTES: Final = 1400
_PATIENCE: Final = 60  # as long as connections have that ask nothing is 10 s: all are opened within that


async def test_every_kind_of_waiting_at_once_leaves_files_for_who_asks() -> None:
    files = ("prlimit", f"--nofile={_FILES}")
    with ExitStack() as stack:
        async with (
            asyncio.timeout(_PATIENCE),
            running(create_app(Daemon(_LARGE))) as oxidized,
            exporting(*files, *EXPORTER) as exporter,
            aiohttp.ClientSession() as client,
        ):
            port = int(exporter.address.rpartition(":")[2])

            async def connected(request: str = "") -> None:
                """Open a connection, and wait until the answer to what is asked begins; it is not read."""
                opened = stack.enter_context(socket.socket())
                opened.setblocking(False)  # noqa: FBT003 - the standard library's signature
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _HELD_BYTES)
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SEGMENT_BYTES)
                loop = asyncio.get_running_loop()
                await loop.sock_connect(opened, (LOOPBACK, port))
                if request:
                    await loop.sock_sendall(opened, f"GET {request} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                    assert await loop.sock_recv(opened, 1)

            for request in (f"/probe?target={oxidized}", "/-/healthy", ""):
                for _ in range(_EACH):
                    await connected(request)
            answer = await exporter.probe(client, oxidized)
            assert answer.value("oxidized_status") == 1
            told = await exporter.program.err.first("too many connections", count=3)
    assert {kind for kind in ("unread", "idle", "silent") for line in told if f"which={kind}" in line} == {
        "unread",
        "idle",
        "silent",
    }
