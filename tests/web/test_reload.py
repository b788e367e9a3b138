from __future__ import annotations

import asyncio
import os
import threading
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from oxidized_exporter.config import config_from, load_config
from oxidized_exporter.errors import NothingToReloadError
from oxidized_exporter.simulator import FAULTS, HELD, Daemon, Fault, create_app, fleet
from oxidized_exporter.supervisor import Supervisor
from oxidized_exporter.web.reload import begin_reload
from oxidized_exporter.web.state import Settings
from tests.harness import Exposition, Probing, running, running_exporter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from oxidized_exporter.config import Config

GOOD = "modules: {default: {}, extra: {}}\n"
BAD = "modules:\n  extra: {colectors: [nodes]}\ntargets:\n  eu: {url: nonsense}\n"


@asynccontextmanager
async def reloadable(path: Path, *, enabled: bool = True) -> AsyncIterator[Probing]:
    settings = Settings(timeout_offset=0, config_file=str(path), enable_lifecycle=enabled)
    config = await asyncio.to_thread(load_config, str(path))
    async with running_exporter(config=config, settings=settings) as exporter:
        yield exporter


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yml"
    path.write_text("{}\n")
    return path


async def own(exporter: Probing) -> Exposition:
    return Exposition.parse(await (await exporter.get("/metrics")).text())


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_good_file_is_swapped_in(path: Path, method: str) -> None:
    async with reloadable(path) as exporter:
        assert (await exporter.get("/probe?module=extra")).status == 400
        before = (await own(exporter)).value("oxidized_exporter_config_last_reload_success_timestamp_seconds")
        path.write_text(GOOD)
        response = await exporter.session.request(method, "/-/reload")
        assert (response.status, await response.text()) == (200, "The configuration has been reloaded.\n")
        assert "extra:" in await (await exporter.get("/config")).text()
        assert "no module" not in await (await exporter.get("/probe?module=extra")).text()
        metrics = await own(exporter)
    assert metrics.value("oxidized_exporter_config_last_reload_successful") == 1
    assert metrics.value("oxidized_exporter_config_last_reload_success_timestamp_seconds") > before


async def test_a_bad_file_changes_nothing_and_is_told_everywhere(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_text(GOOD)
    async with reloadable(path) as exporter:
        running_before = await (await exporter.get("/config")).text()
        before = (await own(exporter)).value("oxidized_exporter_config_last_reload_success_timestamp_seconds")
        path.write_text(BAD)
        response = await exporter.session.post("/-/reload")
        text = await response.text()
        assert response.status == 500
        faults = text.splitlines()[1:]
        assert [fault.split(": ")[0] for fault in faults] == [f"{path}:2", f"{path}:4"]
        assert "did you mean" in faults[0] or "collectors" in faults[0]
        assert await (await exporter.get("/config")).text() == running_before
        metrics = await own(exporter)
        assert metrics.value("oxidized_exporter_config_last_reload_successful") == 0
        assert metrics.value("oxidized_exporter_config_last_reload_success_timestamp_seconds") == before
        assert capsys.readouterr().out.count("configuration not reloaded") == 2
        path.write_text(GOOD)
        assert (await exporter.session.post("/-/reload")).status == 200
        assert (await own(exporter)).value("oxidized_exporter_config_last_reload_successful") == 1


async def test_reloading_by_request_is_off_by_default(path: Path) -> None:
    async with reloadable(path, enabled=False) as exporter:
        response = await exporter.session.post("/-/reload")
        assert response.status == 403
        assert "--web.enable-lifecycle" in await response.text()


async def test_reloading_is_never_a_get(path: Path) -> None:
    async with reloadable(path) as exporter:
        response = await exporter.get("/-/reload")
    assert response.status == 405
    assert response.headers["Allow"] == "POST,PUT"


async def test_without_a_file_there_is_nothing_to_reload() -> None:
    async with running_exporter(settings=Settings(enable_lifecycle=True)) as exporter:
        response = await exporter.session.post("/-/reload")
        assert (response.status, (await response.text())[:26]) == (400, "there is nothing to reload")


async def test_a_probe_in_flight_finishes_on_the_configuration_that_it_began_with(path: Path) -> None:
    app = create_app(Daemon(fleet(3)))
    app[FAULTS].switch_on(Fault.SLOW, seconds=0.5)
    async with running(app) as url, reloadable(path) as exporter:
        probe = asyncio.create_task(exporter.probe(url, timeout_seconds=30))
        await app[HELD].count_is(1)
        path.write_text('access: {allow: ["http://elsewhere.example.net"]}\n')
        assert (await exporter.session.post("/-/reload")).status == 200
        assert (await exporter.get(f"/probe?target={url}")).status == 403
        assert (await probe).value("oxidized_status") == 1


async def test_many_reloads_at_once_end_with_the_file_as_it_is(path: Path) -> None:
    async with reloadable(path) as exporter:
        for number in range(5):
            path.write_text(f"modules: {{m{number}: {{}}}}\n")
            await asyncio.gather(*(exporter.session.post("/-/reload") for _ in range(4)))
        assert "m4:" in await (await exporter.get("/config")).text()


async def test_reloads_that_overlap_are_one_to_the_supervisor(path: Path) -> None:
    told: list[str] = []
    async with reloadable(path) as probing:
        exporter = replace(probing.exporter, supervisor=Supervisor(told.append))
        await asyncio.gather(*(begin_reload(exporter) for _ in range(3)))
    assert [message.partition("\n")[0] for message in told] == ["RELOADING=1", "READY=1"]


async def test_the_supervisor_is_told_that_there_is_nothing_to_reload() -> None:
    told: list[str] = []
    async with running_exporter() as probing:
        with pytest.raises(NothingToReloadError):
            await begin_reload(replace(probing.exporter, supervisor=Supervisor(told.append)))
    assert told[1:] == ["READY=1\nSTATUS=Nothing to reload: there is no configuration file"]


async def test_an_unexpected_exception_changes_nothing_and_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with reloadable(path) as exporter:

        def explode(_file: str, **_: object) -> None:
            raise RecursionError("s3cr3t")

        monkeypatch.setattr("oxidized_exporter.web.reload.config_from", explode)
        assert (await exporter.session.post("/-/reload")).status == 500
        assert (await own(exporter)).value("oxidized_exporter_config_last_reload_successful") == 0
        assert (await exporter.get("/-/ready")).status == 200
    said = capsys.readouterr().out
    assert "bug: unexpected exception while reloading" in said
    assert "s3cr3t" not in said


async def test_a_reload_goes_on_when_its_caller_hangs_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slowly(file: str, *, single: None) -> Config:
        begun.set()
        assert go_on.wait(10)
        return config_from(file, single=single)

    monkeypatch.setattr("oxidized_exporter.web.reload.config_from", slowly)
    async with reloadable(path) as exporter:
        path.write_text(GOOD)
        caller = asyncio.create_task(exporter.session.post("/-/reload"))
        assert await asyncio.to_thread(begun.wait, 10)
        caller.cancel()
        go_on.set()
        second = await exporter.session.post("/-/reload")  # waits for the first one to end
        assert second.status == 200
        assert "extra:" in await (await exporter.get("/config")).text()


async def test_a_pipe_in_place_of_the_file_is_a_fault_and_not_waited_for(path: Path) -> None:
    async with reloadable(path) as exporter:
        path.unlink()
        os.mkfifo(path)
        response = await exporter.session.post("/-/reload")
        assert response.status == 500
        assert "cannot be read: not a regular file" in await response.text()


async def test_a_flood_of_faults_is_told_within_bounds(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with reloadable(path) as exporter:
        path.write_text("".join(f"unknown{number}: 1\n" for number in range(1000)))
        response = await exporter.session.post("/-/reload")
        text = await response.text()
    assert text.startswith("the configuration was not reloaded, faults: 1000\n")
    assert len(text.splitlines()) == 101
    assert capsys.readouterr().out.count("configuration not reloaded") == 51


@pytest.mark.parametrize("opened", ["", "targets:\n", "{}\n", "modules: {extra: {}}\n"])
async def test_a_reload_does_not_open_the_door(path: Path, opened: str) -> None:
    """As a file would that was emptied, or cut while it was written."""
    path.write_text("targets: {eu: {url: 'http://127.0.0.1:1'}}\n")
    async with reloadable(path) as exporter:
        assert (await exporter.get("/probe?target=http://127.0.0.1:2")).status == 403
        path.write_text(opened)
        response = await exporter.session.post("/-/reload")
        assert response.status == 500
        assert "any URL could be probed, which needs a restart" in await response.text()
        assert (await exporter.get("/probe?target=http://127.0.0.1:2")).status == 403
        path.write_text("access: {allow: ['http://127.0.0.1:2']}\n")
        assert (await exporter.session.post("/-/reload")).status == 200
