"""What three real Oxidized daemons answered, served over HTTP, gives the expositions in tests/golden/."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families as text_families

from tests.harness import openmetrics_families, running, running_exporter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client.metrics_core import Metric

HERE: Final = Path(__file__).parent.parent
RECORDINGS: Final = sorted(path.parent.name for path in (HERE / "recordings").glob("*/nodes.json"))
FORMATS: Final = {
    "text": ("text/plain;version=0.0.4", text_families),
    "openmetrics": ("application/openmetrics-text;version=1.0.0", openmetrics_families),
}


async def expose(recording: str, accept: str) -> str:
    """Probe the recording; the clock stands still, so that durations are 0."""
    body = (HERE / "recordings" / recording / "nodes.json").read_bytes()

    async def nodes(_request: web.Request) -> web.Response:
        return web.Response(
            body=body, headers={"Content-Type": "application/json", "X-Content-Type-Options": "nosniff"}
        )

    app = web.Application()
    app.router.add_get("/nodes.json", nodes)
    async with running(app) as url, running_exporter(clock=lambda: 0.0) as exporter:
        response = await exporter.get(f"/probe?target={url}", Accept=accept)
        assert response.status == 200
        return await response.text()


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("recording", RECORDINGS)
async def test_recordings_give_their_golden_files(recording: str, kind: str) -> None:
    accept, parse = FORMATS[kind]
    text = await expose(recording, accept)
    assert text == (HERE / "golden" / f"{recording}.{kind}").read_text(), "if it is meant to change: `make golden`"
    require_families(text, parse)


def require_families(text: str, parse: Callable[[str], Iterable[Metric]]) -> None:
    families = {family.name: family for family in parse(text)}
    assert len(families["oxidized_device_status"].samples) == 9
    assert [sample.value for sample in families["oxidized_status"].samples] == [1.0]
    assert "s3cr3t" not in text


def test_there_are_three_recordings() -> None:
    assert len(RECORDINGS) == 3


async def write_golden_files() -> None:
    """Write what the recordings give today; read the difference before you commit it."""
    for recording in RECORDINGS:
        for kind, (accept, _) in FORMATS.items():
            (HERE / "golden" / f"{recording}.{kind}").write_text(await expose(recording, accept))
