"""Prometheus's own linter looks at the metrics."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from oxidized_exporter.metrics.catalogue import CATALOGUE
from oxidized_exporter.simulator import fleet
from tests.harness import Exposition
from tests.system.program import running

if TYPE_CHECKING:
    from pathlib import Path

    import aiohttp

    from tests.system.conftest import StartExporter, StartOxidized

pytestmark = pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool: Debian package prometheus")


async def remarks(text: str, directory: Path) -> tuple[int, list[str]]:
    """Return promtool's exit code (0: no remark, 3: remarks, 1: not readable) and what it says."""
    exposition = directory / "metrics.txt"
    exposition.write_text(text)
    with exposition.open("rb") as stdin:
        async with running("promtool", "check", "metrics", stdin=stdin) as promtool:
            code = await promtool.exit_code()
            return code, sorted(promtool.out.seen + promtool.err.seen)


async def test_promtool_has_no_remark_on_a_probe(
    start_exporter: StartExporter, start_oxidized: StartOxidized, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    file = tmp_path / "config.yml"
    file.write_text(
        "modules: {default: {collectors: [nodes, configs, stats], configs: {checks: {end: {must_match: '^end'}}}}}\n"
    )
    exporter = await start_exporter(f"--config.file={file}")
    up, down = await start_oxidized(*fleet(20, failing=0.2, stale=0.1)), await start_oxidized()
    await down.stop()
    async with client.get(f"{exporter.url}/probe", params=[("target", up.url), ("target", down.url)]) as response:
        text = await response.text()
    shown = {name for name, _ in Exposition.parse(text).samples}
    assert {metric.name for metric in CATALOGUE} - shown == {"probe_ssl_earliest_cert_expiry"}
    assert await remarks(text, tmp_path) == (0, [])


async def test_promtool_has_no_remark_on_the_exporter_itself(
    start_exporter: StartExporter, start_oxidized: StartOxidized, client: aiohttp.ClientSession, tmp_path: Path
) -> None:
    exporter = await start_exporter()
    oxidized = await start_oxidized(*fleet(5))
    async with client.get(f"{exporter.url}/probe", params={"target": oxidized.url}) as response:
        assert response.status == 200
    async with client.get(f"{exporter.url}/metrics") as response:
        assert await remarks(await response.text(), tmp_path) == (0, [])
