"""``oxidized-exporter healthcheck`` as a container runs it: what it asks, how it ends, what it loads."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.system.program import COMMAND, PATIENCE
from tests.system.prometheus import free_address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.system.conftest import Run, StartExporter
    from tests.system.program import Program

HEALTHCHECK = (*COMMAND, "healthcheck")
_LISTEN_ADDRESS = "OXIDIZED_EXPORTER_WEB_LISTEN_ADDRESS"


@asynccontextmanager
async def foreign(*answer: bytes, every: float = 0.0, then_close: bool = True) -> AsyncIterator[str]:
    """Something else on the port: sends the parts of its answer, ``every`` so many seconds one; yields its address."""
    left = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for part in answer:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(every)
            if not then_close:
                await left.wait()
        except ConnectionError:
            pass  # the client had enough
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        left.set()


async def failure(program: Program) -> str:
    """Require that it failed with one line, and return that."""
    assert await program.exit_code() == 1
    assert program.out.seen == []
    (line,) = program.err.seen
    return line


@pytest.mark.parametrize("told", ["127.0.0.1:{}", "localhost:{}", "0.0.0.0:{}", ":{}", "127.0.0.1:{} [::1]:1"])
async def test_a_running_exporter_is_healthy(told: str, start_exporter: StartExporter, run: Run) -> None:
    exporter = await start_exporter()
    port = exporter.address.rpartition(":")[2]
    program = await run(*HEALTHCHECK, **{_LISTEN_ADDRESS: told.format(port)})
    assert await program.exit_code() == 0
    assert program.out.seen == program.err.seen == []


async def test_the_port_of_the_environment_is_asked(start_exporter: StartExporter, run: Run) -> None:
    """As the Go exporter's users set it, for the server and so for the health check of its container."""
    exporter = await start_exporter()
    program = await run(*HEALTHCHECK, OXIDIZED_EXPORTER_PORT=exporter.address.rpartition(":")[2])
    assert await program.exit_code() == 0
    unused = free_address().rpartition(":")[2]
    assert f":{unused}/-/healthy" in await failure(await run(*HEALTHCHECK, OXIDIZED_EXPORTER_PORT=unused))


async def test_ipv6(run: Run) -> None:
    exporter = await run(*COMMAND, "--web.listen-address=[::1]:0")
    (line,) = await exporter.err.first("msg=listening")
    (address,) = re.findall(r"address=\"?(\[::1\]:[0-9]+)", line)
    for told in address, address.replace("[::1]", "[::]"):
        program = await run(*HEALTHCHECK, f"--web.listen-address={told}")
        assert await program.exit_code() == 0


@pytest.mark.parametrize(
    "variables",
    [
        {"OXIDIZED_EXPORTER_WEB_ROUTE_PREFIX": "/oxidized"},
        {"OXIDIZED_EXPORTER_WEB_EXTERNAL_URL": "https://example.net/oxidized/"},
        {"OXIDIZED_EXPORTER_WEB_EXTERNAL_URL": "/outside", "OXIDIZED_EXPORTER_WEB_ROUTE_PREFIX": "oxidized"},
    ],
)
async def test_below_a_prefix(variables: dict[str, str], start_exporter: StartExporter, run: Run) -> None:
    exporter = await start_exporter(**variables)
    by_variable = await run(*HEALTHCHECK, f"--web.listen-address={exporter.address}", **variables)
    assert await by_variable.exit_code() == 0
    flags = [
        f"--{name.removeprefix('OXIDIZED_EXPORTER_').lower().replace('_', '-').replace('-', '.', 1)}={value}"
        for name, value in variables.items()
    ]
    by_flag = await run(*HEALTHCHECK, f"--web.listen-address={exporter.address}", *flags)
    assert await by_flag.exit_code() == 0
    elsewhere = await run(*HEALTHCHECK, f"--web.listen-address={exporter.address}", "--web.route-prefix=/other")
    assert await failure(elsewhere) == (
        f"Error: http://{exporter.address}/other/-/healthy answered with status 404, not 200"
    )


async def test_no_proxy_of_the_environment_is_asked(start_exporter: StartExporter, run: Run) -> None:
    exporter = await start_exporter()
    async with foreign(b"HTTP/1.1 502 Bad Gateway\r\n\r\n") as proxy:
        program = await run(
            *HEALTHCHECK,
            f"--web.listen-address={exporter.address}",
            http_proxy=f"http://{proxy}",
            HTTP_PROXY=f"http://{proxy}",
            ALL_PROXY=f"http://{proxy}",
        )
        assert await program.exit_code() == 0


@pytest.mark.parametrize("told, asked", [("127.0.0.1", "127.0.0.1"), ("", "127.0.0.1"), ("[::]", "[::1]")])
async def test_nobody_there(told: str, asked: str, run: Run) -> None:
    family = socket.AF_INET6 if ":" in asked else socket.AF_INET
    with socket.socket(family) as held:  # so that nobody else takes the port
        held.bind((asked.strip("[]"), 0))
        port = held.getsockname()[1]
        program = await run(*HEALTHCHECK, f"--web.listen-address={told}:{port}")
        assert await failure(program) == (
            f"Error: http://{asked}:{port}/-/healthy could not be asked: Connection refused"
        )


async def test_a_host_that_is_no_name(run: Run) -> None:
    program = await run(*HEALTHCHECK, "--web.listen-address=a..b:10888")
    assert (await failure(program)).startswith("Error: http://a..b:10888/-/healthy could not be asked")


@pytest.mark.parametrize("status", [404, 503, 302])
async def test_another_status_than_200(status: int, run: Run) -> None:
    async with foreign(b"HTTP/1.1 %d X\r\nLocation: /metrics\r\nContent-Length: 0\r\n\r\n" % status) as address:
        program = await run(*HEALTHCHECK, f"--web.listen-address={address}")
        assert await failure(program) == (f"Error: http://{address}/-/healthy answered with status {status}, not 200")


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 \xff\r\n\r\n"])
async def test_no_answer_in_http(answer: bytes, run: Run) -> None:
    async with foreign(answer) as address:
        program = await run(*HEALTHCHECK, f"--web.listen-address={address}")
        line = await failure(program)
        assert line.startswith(f"Error: http://{address}/-/healthy could not be asked")
        assert "SSH" not in line


_BEGINNING = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("answer", [(), (_BEGINNING,), (_BEGINNING, *(b"X: y\r\n" for _ in range(90)))])
async def test_an_answer_that_hangs_or_drips_is_given_up_in_time(answer: tuple[bytes, ...], run: Run) -> None:
    async with foreign(*answer, every=0.3, then_close=False) as address:
        begun = time.monotonic()
        program = await run(*HEALTHCHECK, f"--web.listen-address={address}", "--timeout=1")
        assert await failure(program) == f"Error: http://{address}/-/healthy did not answer within 1 s"
        assert time.monotonic() - begun < PATIENCE / 2


# The system's resolver waits in C for a name server that does not answer, and no signal ends that. A mutex that is
# locked twice waits so too.
_WITH_STUCK_RESOLVER = """
import ctypes, socket

def getaddrinfo(*_, **__):
    print("resolving", flush=True)
    mutex = ctypes.create_string_buffer(64)
    for _ in range(2):
        ctypes.CDLL(None).pthread_mutex_lock(mutex)

socket.getaddrinfo = getaddrinfo
from oxidized_exporter.cli import main
main()
"""


async def test_a_name_that_is_never_resolved_is_given_up_in_time(run: Run) -> None:
    begun = time.monotonic()
    python, *_ = HEALTHCHECK
    flags = ("--web.listen-address=oxidized.example.net:10888", "--timeout=1")
    program = await run(python, "-c", _WITH_STUCK_RESOLVER, "healthcheck", *flags)
    assert await program.exit_code() == 1
    assert program.out.seen == ["resolving"]
    assert program.err.seen == ["Error: http://oxidized.example.net:10888/-/healthy did not answer within 1 s"]
    assert time.monotonic() - begun < PATIENCE / 2


async def test_the_variable_of_the_time_out_is_its_own(run: Run) -> None:
    async with foreign(then_close=False) as address:
        flag = f"--web.listen-address={address}"
        program = await run(
            *HEALTHCHECK, flag, OXIDIZED_EXPORTER_HEALTHCHECK_TIMEOUT="1", OXIDIZED_EXPORTER_TIMEOUT="9"
        )
        assert (await failure(program)).endswith("did not answer within 1 s")


async def test_it_loads_no_server(start_exporter: StartExporter, run: Run) -> None:
    """It runs every half minute."""
    exporter = await start_exporter()
    python, *command = HEALTHCHECK
    program = await run(python, "-X", "importtime", *command, f"--web.listen-address={exporter.address}")
    assert await program.exit_code() == 0
    loaded = {line.rpartition("|")[2].strip() for line in program.err.seen}
    assert "http.client" in loaded
    assert not loaded & {"aiohttp", "asyncio", "structlog", "prometheus_client", "yaml", "pydantic", "msgspec"}
