from __future__ import annotations

from signal import SIGHUP, SIGTERM
from typing import TYPE_CHECKING

from tests.system.program import EXPORTER, parse_logfmt

if TYPE_CHECKING:
    from pathlib import Path

    import aiohttp

    from tests.system.conftest import Run, StartExporter


async def test_sighup_takes_a_good_file_up_and_leaves_a_bad_one(
    tmp_path: Path, start_exporter: StartExporter, client: aiohttp.ClientSession
) -> None:
    path = tmp_path / "config.yml"
    path.write_text("{}\n")
    exporter = await start_exporter(f"--config.file={path}")

    async def running() -> str:
        async with client.get(f"http://{exporter.address}/config") as response:
            return await response.text()

    path.write_text("modules: {extra: {}}\n")
    exporter.program.send(SIGHUP)
    await exporter.program.err.first('msg="configuration reloaded"')
    assert "extra:" in await running()

    path.write_text("modules: {other: {devices: some}}\n")
    exporter.program.send(SIGHUP)
    [unread, *_] = await exporter.program.err.first('msg="configuration not reloaded"')
    line = parse_logfmt(unread)
    assert line["level"] == "error"
    assert line["fault"].startswith(f"{path}:1: modules.other.devices: ")
    assert "extra:" in await running()

    exporter.program.send(SIGTERM)
    assert await exporter.program.exit_code() == 0


async def test_without_a_file_sighup_does_nothing(start_exporter: StartExporter) -> None:
    exporter = await start_exporter()
    exporter.program.send(SIGHUP)
    await exporter.program.err.first('msg="nothing to reload"')
    exporter.program.send(SIGTERM)
    assert await exporter.program.exit_code() == 0


async def test_a_file_with_faults_ends_the_start_with_all_of_them(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "config.yml"
    path.write_text("modules: {a: {devices: some}}\ntargets: {b: {url: c}}\n")
    program = await run(*EXPORTER, f"--config.file={path}")
    assert await program.exit_code() == 1
    assert [line.split(": ")[0] for line in program.err.seen] == [f"{path}:1", f"{path}:2"]
