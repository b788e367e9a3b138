"""``oxidized-exporter demo``: what it prints is true."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from signal import SIGINT
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests.harness import Exposition
from tests.system.program import COMMAND

if TYPE_CHECKING:
    from pathlib import Path

    import aiohttp

    from tests.system.conftest import Run
    from tests.system.program import Program

_PROBE = re.compile(r"http://127\.0\.0\.1:\d+/probe\?[^\s']+")


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo under way, and what it printed."""

    program: Program
    text: str

    @property
    def probes(self) -> list[str]:
        return _PROBE.findall(self.text)

    @property
    def targets(self) -> list[str]:
        """The targets of the last probe, which asks all."""
        return parse_qs(urlsplit(self.probes[-1]).query)["target"]

    @property
    def config(self) -> str:
        return self.text[self.text.index("scrape_configs:") :]


@pytest.fixture
async def demo(run: Run) -> Demo:
    program = await run(*COMMAND, "demo", "--web.listen-address=127.0.0.1:0", "--devices=20")
    await program.out.first("      - url: ")
    return Demo(program, "\n".join(program.out.seen))


async def scrape(client: aiohttp.ClientSession, url: str) -> Exposition:
    async with client.get(url) as response:
        assert response.status == 200
        return Exposition.parse(await response.text())


async def test_each_probe_that_is_printed_shows_what_is_said_beside_it(
    demo: Demo, client: aiohttp.ClientSession
) -> None:
    *single, together = demo.probes
    expositions = [await scrape(client, url) for url in single]
    assert [exposition.value("oxidized_status") for exposition in expositions] == [1, 1, 0]
    assert [exposition.reason() for exposition in expositions] == [None, None, "connect"]
    healthy, troubled, _ = expositions
    assert healthy.value("oxidized_devices", status="success") == 20
    assert 0 < troubled.value("oxidized_devices", status="success") < 20

    statuses = (await scrape(client, together)).all("oxidized_status")
    assert {labels["target"]: value for labels, value in statuses} == dict(zip(demo.targets, (1, 1, 0), strict=True))


async def test_the_configuration_that_is_printed_scrapes_the_same_targets(
    demo: Demo, client: aiohttp.ClientSession
) -> None:
    (job,) = yaml.safe_load(demo.config)["scrape_configs"]
    ((discovery,),) = [job["http_sd_configs"]]
    async with client.get(discovery["url"]) as response:
        groups = await response.json()
    assert [group["targets"] for group in groups] == [[urlsplit(demo.probes[0]).netloc]] * 3
    named = [group["labels"]["__param_target"] for group in groups]
    assert named == ["healthy", "troubled", "down"]
    for name, url in zip(named, demo.probes[:3], strict=True):
        by_name = await scrape(client, f"{url.partition('?')[0]}?target={name}")
        by_url = await scrape(client, url)
        assert by_name.value("oxidized_status") == by_url.value("oxidized_status")


async def test_an_oxidized_of_one_s_own_can_be_probed_too(demo: Demo, client: aiohttp.ClientSession) -> None:
    exposition = await scrape(client, f"{demo.probes[0].partition('?')[0]}?target=http://127.0.0.1:1")
    assert exposition.reason() == "connect"


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool: Debian package prometheus")
async def test_promtool_accepts_the_configuration_that_is_printed(demo: Demo, run: Run, tmp_path: Path) -> None:
    config = tmp_path / "prometheus.yml"
    config.write_text(demo.config)
    promtool = await run("promtool", "check", "config", str(config))
    assert await promtool.exit_code() == 0, promtool.out.seen + promtool.err.seen


async def test_ctrl_c_ends_it(demo: Demo) -> None:
    demo.program.send(SIGINT)
    assert await demo.program.exit_code() == 0
    assert "Traceback" not in "\n".join(demo.program.err.seen)
