"""Single-instance mode: one Oxidized's metrics among the exporter's own."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from oxidized_exporter.config import BasicAuth, Config, Module, Secret, SingleInstance, load_config
from oxidized_exporter.metrics.collector import SnapshotCollector
from oxidized_exporter.scrape.snapshot import Snapshot
from oxidized_exporter.simulator import FAULTS, HELD, Daemon, Fault, create_app, fleet
from oxidized_exporter.targets.url import parse_target
from oxidized_exporter.web.state import Settings
from tests.harness import Exposition, Probing, asked, openmetrics_families, running, running_exporter
from tests.recorder import recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    import pytest
    from aiohttp import web
    from prometheus_client.metrics_core import Metric

_TIMEOUT: Final = "X-Prometheus-Scrape-Timeout-Seconds"
_DIFFERS: Final = (
    "oxidized_exporter_collect_duration",
    "oxidized_collector_duration_seconds",
    "probe_duration_seconds",
)


def alone(
    url: str, *, config: Config | None = None, credentials: BasicAuth | None = None, module: str = "single", **more: Any
) -> AbstractAsyncContextManager[Probing]:
    """Serve an exporter for one Oxidized."""
    single = SingleInstance(target=parse_target(url), basic_auth=credentials, module=module)
    return running_exporter(
        config=single.added_to(config or Config(), file=None),
        settings=Settings(timeout_offset=0, single=single, **more),
    )


def oxidized(count: int = 5) -> web.Application:
    return create_app(Daemon(fleet(count), started=time.time() - 7200))


async def metrics(exporter: Probing, path: str = "/metrics", **headers: str) -> Exposition:
    async with exporter.session.get(path, headers=headers) as response:
        text = await response.text()
        assert response.status == 200, text
        return Exposition.parse(text)


async def test_metrics_are_those_of_a_probe_and_the_exporters_own() -> None:
    async with running(oxidized()) as url, alone(url) as exporter:
        both = await metrics(exporter)
        async with exporter.session.get("/probe?target=oxidized&module=single") as response:
            probed = Exposition.parse(await response.text())
        own = {family.name for family in exporter.exporter.metrics.registry.collect()}
    of_instance = {key: value for key, value in both.samples.items() if key in probed.samples}
    assert of_instance.keys() == probed.samples.keys()
    assert {key: value for key, value in of_instance.items() if key[0] not in _DIFFERS} == {
        key: value for key, value in probed.samples.items() if key[0] not in _DIFFERS
    }
    assert len(both.all("oxidized_device_config_lines")) == 5
    assert not any("target" in dict(labels) for _, labels in of_instance)
    declared = [line.split()[2] for line in both.text.splitlines() if line.startswith("# TYPE ")]
    assert len(declared) == len(set(declared))
    assert {name.removesuffix("_total") for name in declared} >= own
    assert both.value("oxidized_exporter_probes_total", module="single", result="success") == 1
    assert both.value("oxidized_exporter_probes_in_flight") == 1


async def test_openmetrics_ends_once() -> None:
    async with running(oxidized()) as url, alone(url) as exporter:
        response = await exporter.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
        text = await response.text()
    assert text.count("# EOF") == 1
    assert {"oxidized_status", "oxidized_exporter_probes"} <= {family.name for family in openmetrics_families(text)}


class _Described(Collector):
    """What a registry tells, as what it will tell."""

    def __init__(self, told: CollectorRegistry) -> None:
        self._told = told

    def collect(self) -> Iterator[Metric]:
        return iter(self._told.collect())

    describe = collect


async def test_no_name_stands_in_both() -> None:
    """Of samples nor of families, even of those that one answer does not have."""
    async with running_exporter() as exporter:
        registry = CollectorRegistry()
        registry.register(SnapshotCollector(Snapshot(scrapes=())))
        registry.register(_Described(exporter.exporter.metrics.registry))  # raises where a name is taken


async def test_the_path_serves_the_same() -> None:
    app = oxidized()
    async with running(app) as url, alone(url, metrics_path="/oxidized/metrics") as exporter:
        for path in ("/oxidized/metrics", "/metrics"):
            assert (await metrics(exporter, path)).value("oxidized_status") == 1
        assert (await exporter.get("/oxidized")).status == 404
    assert asked(app).count("/nodes.json") == 2


async def test_while_oxidized_hangs_the_answer_comes_in_time_and_the_rest_goes_on() -> None:
    app = oxidized()
    app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS)
    async with running(app) as url, alone(url) as exporter:
        scrape = asyncio.create_task(metrics(exporter, **{_TIMEOUT: "0.5"}))
        await app[HELD].count_is(1)
        for path in ("/-/healthy", "/-/ready", "/config", "/"):
            assert (await exporter.get(path)).status == 200
        assert not scrape.done()
        answer = await scrape
    assert (answer.value("oxidized_status"), answer.reason()) == (0, "timeout")
    assert answer.value("oxidized_exporter_collect_duration") >= 500
    assert answer.value("oxidized_exporter_probes_total", module="single", result="timeout") == 1
    assert answer.all("process_start_time_seconds")


async def test_the_callers_mistakes_are_answered_as_of_a_probe() -> None:
    async with running(oxidized()) as url, alone(url) as exporter:
        response = await exporter.get("/metrics", **{_TIMEOUT: "soon"})
        assert response.status == 400
        assert _TIMEOUT in await response.text()
        own = await metrics(exporter)
    assert own.value("oxidized_exporter_probes_rejected_total", reason="bad_timeout_header") == 1


async def test_it_counts_against_the_most_requests() -> None:
    app = oxidized()
    app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS)
    async with running(app) as url, alone(url, max_requests=1) as exporter:
        scrape = asyncio.create_task(metrics(exporter, **{_TIMEOUT: "0.5"}))
        await app[HELD].count_is(1)
        for path in ("/metrics", "/probe?target=oxidized"):
            assert (await exporter.get(path)).status == 503
        assert (await scrape).value("oxidized_exporter_probes_rejected_total", reason="max_requests") == 2


async def test_scrapes_at_the_same_time_ask_oxidized_once() -> None:
    app = oxidized()
    app[FAULTS].switch_on(Fault.SLOW, seconds=0.3, path="/nodes.json")
    async with running(app) as url, alone(url) as exporter:
        answers = await asyncio.gather(metrics(exporter), metrics(exporter))
        coalesced = (await metrics(exporter)).value("oxidized_exporter_probes_coalesced_total")
    assert [answer.value("oxidized_status") for answer in answers] == [1, 1]
    assert asked(app).count("/nodes.json") == 2, "the two at once, and the last"
    assert coalesced == 1


async def test_a_module_of_the_configuration_says_what_is_collected() -> None:
    modules = {
        "single": Module(name="single", devices="none"),
        "mine": Module(name="mine", collectors=("nodes", "stats")),
    }
    async with running(oxidized()) as url:
        async with alone(url, config=Config(modules=modules)) as exporter:
            answer = await metrics(exporter)
        assert answer.value("oxidized_status") == 1
        assert answer.all("oxidized_device_status") == []
        async with alone(url, config=Config(modules=modules), module="mine") as exporter:
            answer = await metrics(exporter)
        assert {labels["collector"] for labels, _ in answer.all("oxidized_collector_success")} == {"nodes", "stats"}


async def test_it_is_a_configured_target_and_so_the_only_one_that_may_be_probed() -> None:
    app = oxidized()
    async with running(app) as url, running(oxidized()) as other, alone(url) as exporter:
        found = {
            target: (await exporter.get(f"/probe?target={target}")).status for target in ("oxidized", url, other, "x")
        }
        assert found == {"oxidized": 200, url: 200, other: 403, "x": 400}
        shown = await (await exporter.get("/config")).text()
    assert f"targets:\n  oxidized:\n    url: {url}\n    module: single\n" in shown


async def test_the_password_is_sent_and_shown_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    credentials = BasicAuth(username="me", password=Secret("hunter2"))
    async with recording() as recorder, alone(recorder.url, credentials=credentials) as exporter:
        shown = [await (await exporter.get(path)).text() for path in ("/metrics", "/config", "/", "/probe?target=x")]
        representation = repr(exporter.exporter.settings)
    [head] = recorder.heads
    assert "\r\nAuthorization: Basic bWU6aHVudGVyMg==\r\n" in head
    assert "password: <secret>" in shown[1]
    assert not any(text in "".join([*shown, representation, *capsys.readouterr()]) for text in ("hunter2", "bWU6"))


async def test_a_reload_keeps_the_instance_and_refuses_a_file_that_is_at_odds_with_it(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("{}\n")
    config = await asyncio.to_thread(load_config, str(path))
    async with (
        running(oxidized()) as url,
        alone(url, config=config, config_file=str(path), enable_lifecycle=True) as exporter,
    ):
        path.write_text("modules: {single: {devices: none}}\n")
        assert (await exporter.session.post("/-/reload")).status == 200
        answer = await metrics(exporter)
        assert answer.value("oxidized_status") == 1
        assert answer.all("oxidized_device_status") == []

        path.write_text("targets: {oxidized: {url: 'http://a.example.net'}}\n")
        response = await exporter.session.post("/-/reload")
        assert response.status == 500
        assert (await response.text()).splitlines()[1:] == [
            f"{path}: targets.oxidized: is the name that --oxidized.url gives its target; choose another one"
        ]
        answer = await metrics(exporter)
        assert answer.value("oxidized_status") == 1
        assert answer.value("oxidized_exporter_config_last_reload_successful") == 0
