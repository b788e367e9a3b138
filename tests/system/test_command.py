"""What a user of the command line meets: its flags, its mistakes, its environment, its log."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from datetime import datetime
from pathlib import Path
from signal import SIGTERM
from typing import TYPE_CHECKING

import pytest

from oxidized_exporter import __version__
from oxidized_exporter.cli import main
from oxidized_exporter.flags import Flag
from oxidized_exporter.simulator import fleet
from tests.system.oxidized import Gate
from tests.system.program import COMMAND, EXPORTER, Exporter, listening, parse_logfmt

if TYPE_CHECKING:
    import aiohttp

    from tests.system.conftest import Run, StartExporter, StartOxidized

_FLAGS = [option for option in main.params if isinstance(option, Flag)]
_VARIABLES = {variable for option in _FLAGS for variable in option.variables}
_LISTEN_ADDRESS = "OXIDIZED_EXPORTER_WEB_LISTEN_ADDRESS"


@pytest.mark.parametrize(
    "arguments, named",
    [
        (["--timeout-offset=nan"], "--timeout-offset"),
        (["--web.shutdown-delay=-1"], "--web.shutdown-delay"),
        (["--web.listen-address=foo"], "--web.listen-address"),
        (["--log.level=loud"], "--log.level"),
        (["--log.format=xml"], "--log.format"),
        (["--loud"], "--loud"),
        (["serve"], "serve"),
        (["demo", "--devices=0"], "--devices"),
    ],
)
async def test_a_mistake_is_a_usage_error_that_names_it(arguments: list[str], named: str, run: Run) -> None:
    program = await run(*COMMAND, *arguments, "--web.listen-address=127.0.0.1:0")
    assert await program.exit_code() == 2
    assert program.out.seen == []
    usage, *_, error = program.err.seen
    assert usage.startswith("Usage: oxidized-exporter ")
    assert error.startswith("Error: ")
    assert named in error


async def test_a_taken_port_is_told_in_one_line(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        program = await run(*COMMAND, f"--web.listen-address={address}")
        assert await program.exit_code() == 1
    (line,) = program.err.seen
    assert line.startswith(f"Error: cannot listen on {address}: ")
    assert "address already in use" in line.lower()


async def test_version_and_help_exit_with_0(run: Run) -> None:
    version, usage = await run(*COMMAND, "--version"), await run(*COMMAND, "--help")
    assert await version.exit_code() == 0
    assert await usage.exit_code() == 0
    assert version.out.seen[0].startswith(f"oxidized_exporter {__version__} ")
    assert usage.out.seen[0] == "Usage: oxidized-exporter [OPTIONS] [COMMAND] [ARGS]..."
    assert version.err.seen == usage.err.seen == []


async def test_the_installed_script_and_the_module_are_the_same(run: Run) -> None:
    script = shutil.which("oxidized-exporter", path=Path(sys.executable).parent)
    assert script is not None
    one, other = await run(script, "--help"), await run(*COMMAND, "--help")
    assert await one.exit_code() == await other.exit_code() == 0
    assert one.out.seen == other.out.seen


async def test_variables_set_what_flags_set(
    run: Run, start_oxidized: StartOxidized, client: aiohttp.ClientSession
) -> None:
    hanging = await start_oxidized(middleware=Gate().hold)
    program = await run(
        *COMMAND,
        OXIDIZED_EXPORTER_WEB_LISTEN_ADDRESS="127.0.0.1:0 127.0.0.1:0",
        OXIDIZED_EXPORTER_WEB_SHUTDOWN_DELAY="0.125",
        OXIDIZED_EXPORTER_TIMEOUT_OFFSET="29.75",
    )
    one, other = await listening(program, addresses=2)
    for exporter in one, other:
        exposition = await exporter.probe(client, hanging.url, scrape_timeout=30)
        assert exposition.reason() == "timeout"
    assert await one.stop() == 0
    log = [parse_logfmt(line) for line in program.err.seen]
    assert [line["shutdown_delay"] for line in log if line["msg"] == "stopping"] == ["0.125"]
    assert ["within 0.25 s" in line["detail"] for line in log if line["msg"] == "probe failed"] == [True]


async def test_several_addresses_ipv6_among_them_are_listened_on(run: Run, client: aiohttp.ClientSession) -> None:
    program = await run(*COMMAND, "--web.listen-address=127.0.0.1:0", "--web.listen-address=[::1]:0")
    one, other = await listening(program, addresses=2)
    assert (one.address.rpartition(":")[0], other.address.rpartition(":")[0]) == ("127.0.0.1", "[::1]")
    for exporter in one, other:
        assert await exporter.status(client, "/-/ready") == 200
    assert await one.stop() == 0


async def test_targets_are_told_by_the_address_that_was_asked(
    run: Run, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    (tmp_path / "config.yml").write_text("targets: {eu: {url: 'http://oxidized.example.net:8888'}}\n")
    serve = (*COMMAND, f"--config.file={tmp_path / 'config.yml'}", "--web.listen-address=[::1]:0")

    async def told(*flags: str, path: str) -> tuple[Exporter, dict[str, str], str]:
        (exporter,) = await listening(await run(*serve, *flags))
        async with client.get(f"{exporter.url}{path}") as response:
            assert response.status == 200
            (group,) = await response.json()
            (address,) = group["targets"]
            return exporter, group["labels"], address

    exporter, labels, address = await told(path="/sd")
    assert (address, labels["__scheme__"], labels["__metrics_path__"]) == (exporter.address, "http", "/probe")
    _, labels, address = await told("--web.external-url=https://example.net/a", path="/a/sd")
    assert (address, labels["__scheme__"], labels["__metrics_path__"]) == ("example.net:443", "https", "/a/probe")
    _, labels, address = await told("--web.external-url=https://example.net/a", "--web.route-prefix=/", path="/sd")
    assert (address, labels["__scheme__"], labels["__metrics_path__"]) == ("example.net:443", "https", "/a/probe")


async def test_a_level_in_the_environment_silences_what_is_below_it(run: Run) -> None:
    program = await run(
        *COMMAND,
        "demo",
        OXIDIZED_EXPORTER_WEB_LISTEN_ADDRESS="127.0.0.1:0",
        OXIDIZED_EXPORTER_DEVICES="3",
        OXIDIZED_EXPORTER_LOG_LEVEL="warning",
    )
    await program.out.first("      - url: http://127.0.0.1:")
    program.send(SIGTERM)
    assert await program.exit_code() == 0
    assert program.err.seen == []


async def test_what_kubernetes_sets_is_ignored_with_a_warning(start_exporter: StartExporter, run: Run) -> None:
    exporter = await start_exporter(**dict.fromkeys(_VARIABLES, "tcp://10.0.0.1:80"))
    assert await exporter.stop() == 0
    warnings = [line for line in exporter.program.err.seen if line.startswith("Warning: ")]
    # The address stands on the command line: its variable is not looked at.
    assert sorted(line.split()[1] for line in warnings) == sorted(_VARIABLES - {_LISTEN_ADDRESS})

    # A mistake elsewhere ends this one before it listens on the default address.
    mistaken = await run(*COMMAND, "demo", "--devices=0", **{_LISTEN_ADDRESS: "tcp://10.0.0.1:80"})
    assert await mistaken.exit_code() == 2
    assert mistaken.err.seen[0].startswith(f"Warning: {_LISTEN_ADDRESS} is ignored")


async def test_the_log_has_one_line_for_what_fails_and_none_for_success(
    start_exporter: StartExporter, start_oxidized: StartOxidized, client: aiohttp.ClientSession
) -> None:
    up, down, hanging = (
        await start_oxidized(*fleet(5)),
        await start_oxidized(),
        await start_oxidized(middleware=Gate().hold),
    )
    await down.stop()
    exporter = await start_exporter()
    for _ in range(3):
        await exporter.probe(client, up.url)
    await exporter.probe(client, down.url)
    await exporter.probe(client, up.url, down.url)
    await exporter.probe(client, hanging.url, scrape_timeout=0.6)
    assert await exporter.stop() == 0

    log = [parse_logfmt(line) for line in exporter.program.err.seen]
    assert [line["msg"] for line in log] == ["listening", *["probe failed"] * 2, "stopping", "stopped"]
    assert all(datetime.fromisoformat(line["ts"]) for line in log)
    failures = [line for line in log if line["msg"] == "probe failed"]
    assert [(line["level"], line["target"], line["reason"]) for line in failures] == [
        ("warning", down.url, "connect"),
        ("warning", hanging.url, "timeout"),
    ]
    assert all(float(line["seconds"]) >= 0 for line in failures)


@pytest.mark.parametrize("by_flag", [True, False])
async def test_with_json_every_line_is_an_object(run: Run, client: aiohttp.ClientSession, *, by_flag: bool) -> None:
    variables = {} if by_flag else {"OXIDIZED_EXPORTER_LOG_FORMAT": "json"}
    program = await run(*EXPORTER, *(["--log.format=json"] if by_flag else []), **variables)
    [line] = await program.err.first('"msg": "listening"')
    exporter = Exporter(program, json.loads(line)["address"])
    await exporter.probe(client, "http://127.0.0.1:1")
    assert await exporter.stop() == 0
    log = [json.loads(line) for line in program.err.seen]
    assert [line["msg"] for line in log] == ["listening", "probe failed", "stopping", "stopped"]
    assert all(list(line)[:3] == ["ts", "level", "msg"] for line in log)
    assert log[1]["reason"] == "connect"


async def test_what_nobody_catches_is_a_line_of_the_log_without_its_message(run: Run) -> None:
    """In a thread, in a destructor, as a warning, of a task that nobody waits for, and what ends the program."""
    code = """if True:
        import asyncio, threading, warnings
        from oxidized_exporter import cli

        class Destroyed:
            def __del__(self):
                raise ValueError("s3cr3t")

        async def failing(**_):
            raise ValueError("s3cr3t")

        async def serve(**_):
            asyncio.create_task(failing())
            await asyncio.sleep(0)
            Destroyed()
            thread = threading.Thread(target=lambda: int("s3cr3t"), name="mine")
            thread.start()
            thread.join()
            warnings.warn("careful\\nnow")
            raise ValueError("s3cr3t")

        cli._serve = serve
        cli.main(["--log.format=json"])
    """
    program = await run(sys.executable, "-c", code)
    assert await program.exit_code() == 1
    assert program.out.seen == []
    log = [json.loads(line) for line in program.err.seen]
    assert "s3cr3t" not in "".join(program.err.seen)
    assert [(line["level"], line["msg"].partition("<string>")[0]) for line in log] == [
        ("error", "Task exception was never retrieved"),
        ("error", "bug: unexpected exception in what cannot raise it"),
        ("error", "bug: unexpected exception in the thread mine"),
        ("warning", ""),
        ("error", "bug: unexpected exception in the main thread, which ends"),
    ]
    assert "UserWarning: careful\\nnow" in log[3]["msg"]
    assert all(line["error"].startswith("ValueError < ") for line in log if line["level"] == "error")
