"""What a service of ``Type=notify`` tells systemd, on the socket that systemd would listen on."""

from __future__ import annotations

import asyncio
import gc
import re
import socket
import sys
import time
from contextlib import closing, contextmanager
from signal import SIGHUP, SIGTERM
from typing import TYPE_CHECKING

import pytest

from oxidized_exporter.supervisor import Supervisor, find_supervisor
from tests.system.program import EXPORTER, PATIENCE, listening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import aiohttp

    from tests.system.conftest import Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")


class Systemd:
    """The end of the socket that systemd has."""

    def __init__(self, listener: socket.socket, *, name: str) -> None:
        self._listener = listener
        self.environment = {"NOTIFY_SOCKET": name}

    async def told(self) -> dict[str, str]:
        """Wait for the next notification."""
        async with asyncio.timeout(PATIENCE):
            message = await asyncio.get_running_loop().sock_recv(self._listener, 4096)
        assignments = [line.partition("=") for line in message.decode().splitlines()]
        return {name: value for name, _, value in assignments}

    def close(self) -> None:
        self._listener.close()

    def nothing_more(self) -> bool:
        """Whether nothing has come that was not asked for."""
        try:
            return not self._listener.recv(4096)
        except BlockingIOError:
            return True


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    with listening_at(str(tmp_path / "notify")) as systemd:
        yield systemd


@contextmanager
def listening_at(name: str) -> Iterator[Systemd]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.settimeout(0)
        listener.bind(name.replace("@", "\0", 1))
        yield Systemd(listener, name=name)


async def test_it_tells_when_it_listens_reloads_and_stops(
    systemd: Systemd, tmp_path: Path, run: Run, client: aiohttp.ClientSession
) -> None:
    path = tmp_path / "config.yml"
    path.write_text("{}\n")
    program = await run(*EXPORTER, f"--config.file={path}", "--web.enable-lifecycle", **systemd.environment)
    ready = await systemd.told()
    (exporter,) = await listening(program)
    assert ready == {"READY": "1", "STATUS": f"Listening on {exporter.address}"}
    assert await exporter.status(client, "/-/ready") == 200

    async def reload_by_request() -> None:
        async with client.post(f"{exporter.url}/-/reload") as response:
            assert response.status == 200

    async def reload_by_signal() -> None:
        program.send(SIGHUP)

    for text, reload, outcome in [
        ("modules: {x: {}}\n", reload_by_signal, "Configuration reloaded"),
        ("modul: {}\n", reload_by_signal, "Configuration NOT reloaded, the former one is in use: see the log"),
        ("modules: {y: {}}\n", reload_by_request, "Configuration reloaded"),
    ]:
        path.write_text(text)
        before = time.monotonic_ns() // 1000
        await reload()
        reloading = await systemd.told()
        assert before <= int(reloading.pop("MONOTONIC_USEC")) <= time.monotonic_ns() // 1000
        assert reloading == {"RELOADING": "1", "STATUS": "Reading the configuration"}
        assert await systemd.told() == {"READY": "1", "STATUS": outcome}

    program.send(SIGTERM)
    assert await systemd.told() == {"STOPPING": "1", "STATUS": "Answering what is in flight"}
    assert await program.exit_code() == 0
    assert systemd.nothing_more()


async def test_it_is_not_ready_where_it_cannot_listen(systemd: Systemd, run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        program = await run(*EXPORTER, f"--web.listen-address={address}", **systemd.environment)
        assert await program.exit_code() == 1
    assert systemd.nothing_more()


async def test_where_there_is_nobody_to_tell_no_library_is_loaded(run: Run) -> None:
    python, *command = EXPORTER
    program = await run(python, "-X", "importtime", *command, NOTIFY_SOCKET="")
    (exporter,) = await listening(program)
    assert await exporter.stop() == 0
    loaded = {line.rpartition("|")[2].strip() for line in program.err.seen}
    assert "oxidized_exporter.supervisor" in loaded
    assert "sdnotify" not in loaded


async def test_a_reload_that_ends_after_the_stop_has_begun_is_not_told() -> None:
    told: list[str] = []
    supervisor = Supervisor(told.append)
    supervisor.reloading()
    supervisor.stopping("Answering")
    supervisor.ready("Configuration reloaded")
    assert [message.partition("\n")[0] for message in told] == ["RELOADING=1", "STOPPING=1"]


def test_a_closed_one_tells_nothing_any_more() -> None:
    told: list[str] = []
    with closing(Supervisor(told.append)) as supervisor:
        supervisor.ready("so")
    supervisor.ready("and so")
    assert told == ["READY=1\nSTATUS=so"]


async def test_a_socket_without_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with listening_at(f"@{tmp_path}") as systemd:
        monkeypatch.setenv("NOTIFY_SOCKET", systemd.environment["NOTIFY_SOCKET"])
        with closing(await asyncio.to_thread(find_supervisor)) as supervisor:
            await asyncio.to_thread(supervisor.ready, "so")
        assert await systemd.told() == {"READY": "1", "STATUS": "so"}


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # sdnotify's, which it does not close
def test_a_socket_that_is_not_there_is_told_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    find_supervisor().ready("so")
    gc.collect()
    assert re.search(r"systemd cannot be told.*No such file or directory", capsys.readouterr().out)


def test_what_is_lost_on_the_way_is_told_in_the_log(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", systemd.environment["NOTIFY_SOCKET"])
    with closing(find_supervisor()) as supervisor:
        systemd.close()
        supervisor.reloading()
    assert re.search(r"systemd was not told.*Connection refused.*RELOADING=1", capsys.readouterr().out)


def test_without_the_library_it_serves_and_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    monkeypatch.setitem(sys.modules, "sdnotify", None)
    find_supervisor().ready("so")
    assert "install oxidized-exporter[systemd]" in capsys.readouterr().out


def test_no_text_can_keep_it_from_telling() -> None:
    told: list[str] = []
    Supervisor(told.append).ready("Listening on \N{SNOWMAN}:1")
    assert told == ["READY=1\nSTATUS=Listening on \\u2603:1"]
