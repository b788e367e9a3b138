"""Whoever ran akquinet's exporter: the same variables, and the queries and alerts that were made for it."""

from __future__ import annotations

import base64
import re
import shutil
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from oxidized_exporter.simulator import FAULTS, Daemon, Device, Fault, NodeState, Outcome, create_app
from tests.harness import Exposition, asked, running
from tests.published_rules import PUBLISHED
from tests.system.program import COMMAND, Exporter, eventually, exporting
from tests.system.prometheus import Prometheus, free_address, prometheus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from aiohttp.typedefs import Handler

    Measured = Callable[["Watched"], list[tuple[NodeState, float]]]
    Truth = Callable[["Watched"], Mapping[str, float]]

# One Prometheus for all tests: it takes five seconds before its first scrape.
pytestmark = pytest.mark.asyncio(loop_scope="module")

_DAY: Final = 86400.0
_USER, _PASSWORD = "monitoring", "hunter2"
_BASIC: Final = base64.b64encode(f"{_USER}:{_PASSWORD}".encode()).decode()
_CODES: Final = {"success": 2, "never": 1}
_JOB: Final = "oxidized_exporter"

# A cycle is an hour and five seconds: 167 of them in ten days end three days ago, 45 eight days ago.
_DEVICES: Final = (
    Device(name="healthy", model="IOS"),
    Device(name="same-name", group="access/eu", model="IOS"),
    Device(name="same-name", group="access/us", model="EOS"),
    Device(name="failed", group="access/eu", model="EOS", outcome=Outcome.FAIL, job_seconds=1.25),
    Device(name="unreachable", group="core", model="JunOS", outcome=Outcome.NO_CONNECTION),
    Device(name="never", group="core", model="JunOS", hangs_after=0),
    Device(name="old", group="core", model="JunOS", hangs_after=167),
    Device(name="very-old", group="core", model="IOSXR", hangs_after=45),
)


@web.middleware
async def _only_with_the_password(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.headers.get("Authorization") != f"Basic {_BASIC}":
        return web.Response(status=401)
    return await handler(request)


@dataclass(frozen=True, slots=True)
class Watched:
    """A simulated Oxidized, the exporter in front of it, and a Prometheus that has scraped that."""

    daemon: Daemon
    app: web.Application
    exporter: Exporter
    prometheus: Prometheus

    def nodes(self) -> tuple[NodeState, ...]:
        return self.daemon.nodes()

    def stored(self) -> dict[str, bytes]:
        """Return what is stored, by full name."""
        return {
            node.full_name: self.daemon.fetch(node.device.name, node.device.group) or b""
            for node in self.nodes()
            if node.mtime is not None
        }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    if not shutil.which("prometheus"):
        pytest.skip("needs a Prometheus: Debian package prometheus")
    # Nobody's last job ends within the next minutes, or the truth would be another at each look.
    daemon = Daemon(_DEVICES, started=time.time() - 10 * _DAY - 900, threads=30)
    app = create_app(daemon, prefix="/oxidized")
    app.middlewares.append(_only_with_the_password)
    port = free_address().rpartition(":")[2]
    rules = {"groups": [{"name": "published", "rules": [{"alert": n, "expr": e} for n, e in PUBLISHED.items()]}]}
    async with running(app) as url:
        environment = {
            "OXIDIZED_EXPORTER_URL": f"{url}/oxidized",
            "OXIDIZED_EXPORTER_USER": _USER,
            "OXIDIZED_EXPORTER_PASS": _PASSWORD,
            "OXIDIZED_EXPORTER_PORT": port,
            "OXIDIZED_EXPORTER_PATH": "/oxidized-metrics",
            "OXIDIZED_EXPORTER_DEBUG": "true",
        }
        job = {
            "job_name": _JOB,
            "metrics_path": "/oxidized-metrics",
            "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
        }
        async with (
            exporting(*COMMAND, environment=environment) as exporter,
            prometheus(tmp_path_factory.mktemp("p"), job, rules=rules) as server,
        ):

            async def scraped() -> bool:
                return bool(await server.query("oxidized_status == 1 and on () oxidized_configs_pending == 0"))

            await eventually(scraped)
            yield Watched(daemon, app, Exporter(exporter.program, f"127.0.0.1:{port}"), server)


def _labels(node: NodeState) -> dict[str, str]:
    device = node.device
    return {"full_name": device.full_name, "name": device.name, "group": device.shown_group, "model": device.model}


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _statuses(watched: Watched) -> dict[str, float]:
    return {node.full_name: _CODES.get(node.status, 0) for node in watched.nodes()}


def _of_stored(measure: Callable[[bytes], float]) -> Measured:
    def measured(watched: Watched) -> list[tuple[NodeState, float]]:
        stored = watched.stored()
        return [(node, measure(stored[node.full_name])) for node in watched.nodes() if node.full_name in stored]

    return measured


_SIZES: Final = _of_stored(len)
_LINES: Final = _of_stored(lambda content: content.count(b"\n"))


def _by_model(measured: Measured, aggregate: Callable[[list[float]], float]) -> Truth:
    def truth(watched: Watched) -> dict[str, float]:
        found = defaultdict(list)
        for node, value in measured(watched):
            found[node.device.model].append(value)
        return {model: aggregate(values) for model, values in found.items()}

    return truth


def _of_all(measured: Measured) -> Truth:
    return lambda watched: {"all": sum(value for _, value in measured(watched))}


async def _variables(server: Prometheus) -> dict[str, str]:
    """Return the dashboard's variables with all values chosen, each from what the one before leaves."""
    chosen: dict[str, str] = {}
    for label in ("model", "group", "name"):
        matchers = "" if label != "name" else ",".join(f'{known}=~"{values}"' for known, values in chosen.items())
        found = await server.label_values(label, f"oxidized_device_status{{{matchers}}}")
        chosen[label] = "|".join(map(re.escape, found)).replace("\\", "\\\\")
    return chosen


@pytest.mark.parametrize("label", ["model", "group", "name"])
async def test_the_variables_of_the_dashboard_have_all_values(label: str, watched: Watched) -> None:
    values = await watched.prometheus.label_values(label, "oxidized_device_status")
    assert values == sorted({_labels(node)[label] for node in watched.nodes()})


# What the dashboard asks for: an expression over DEVICES, the matchers of its variables; the label that its series are
# told apart by; and what the simulated Oxidized knows of that.
_ASKED: Final[Mapping[str, tuple[str, str, Truth]]] = {
    "status by device": (
        "oxidized_device_status{DEVICES}",
        "full_name",
        _statuses,
    ),
    "those that failed or never ran": (
        "oxidized_device_status{DEVICES} == 0 or oxidized_device_status{DEVICES} == 1",
        "full_name",
        lambda watched: {name: code for name, code in _statuses(watched).items() if code < 2},
    ),
    "how many of each status": (
        'count_values("code", oxidized_device_status{DEVICES})',
        "code",
        lambda watched: {str(code): count for code, count in Counter(_statuses(watched).values()).items()},
    ),
    "how many of each group": (
        "count by (group) (oxidized_device_status{DEVICES})",
        "group",
        lambda watched: Counter(_labels(node)["group"] for node in watched.nodes()),
    ),
    "how many of each model": (
        "count by (model) (oxidized_device_status{DEVICES})",
        "model",
        lambda watched: Counter(_labels(node)["model"] for node in watched.nodes()),
    ),
    "seconds of each backup": (
        "oxidized_device_last_backup_time{DEVICES}",
        "full_name",
        lambda watched: {node.full_name: node.last.seconds for node in watched.nodes() if node.last},
    ),
    "bytes of each configuration": (
        "oxidized_device_config_size{DEVICES}",
        "full_name",
        lambda watched: {node.full_name: size for node, size in _SIZES(watched)},
    ),
    "lines of each configuration": (
        "oxidized_device_config_lines{DEVICES}",
        "full_name",
        lambda watched: {node.full_name: lines for node, lines in _LINES(watched)},
    ),
    **{
        f"{aggregation} of {what} by model": (
            f"{aggregation} by (model) (oxidized_device_config_{what}{{DEVICES}})",
            "model",
            _by_model(measured, aggregate),
        )
        for aggregation, aggregate in (("sum", sum), ("avg", _mean))
        for what, measured in (("size", _SIZES), ("lines", _LINES))
    },
    **{
        f"{what} of all": (
            f'label_replace(sum(oxidized_device_config_{what}{{DEVICES}}), "of", "all", "", "")',
            "of",
            _of_all(measured),
        )
        for what, measured in (("size", _SIZES), ("lines", _LINES))
    },
    "status of Oxidized": ("oxidized_status", "job", lambda _: {_JOB: 1}),
}


@pytest.mark.parametrize("what", _ASKED)
async def test_a_query_of_the_dashboard_gives_what_is_true(what: str, watched: Watched) -> None:
    expression, label, truth = _ASKED[what]
    matchers = ",".join(f'{known}=~"{values}"' for known, values in (await _variables(watched.prometheus)).items())
    expected = truth(watched)
    assert expected
    found = await watched.prometheus.by(label, expression.replace("DEVICES", matchers))
    assert found == pytest.approx(expected, abs=1e-3)


async def test_a_series_of_a_device_has_the_labels_that_tables_show(watched: Watched) -> None:
    for metric in ("status", "last_backup_time", "config_lines", "config_size"):
        series = await watched.prometheus.query(f"oxidized_device_{metric}")
        known = [_labels(node) for node in watched.nodes()]
        of_scrape = {"__name__": f"oxidized_device_{metric}", "job": _JOB, "instance": watched.exporter.address}
        assert series
        assert all(labels in [of_scrape | device for device in known] for labels, _ in series)


async def test_the_duration_is_in_milliseconds_by_instance(watched: Watched) -> None:
    [(labels, milliseconds)] = await watched.prometheus.query("oxidized_exporter_collect_duration")
    [(_, seconds)] = await watched.prometheus.query("probe_duration_seconds")
    assert labels["instance"] == watched.exporter.address
    assert milliseconds == pytest.approx(seconds * 1000, rel=0.5)


async def test_the_exporters_own_metrics_are_scraped_along(watched: Watched) -> None:
    for metric in ("process_cpu_seconds_total", "oxidized_exporter_build_info", "python_info"):
        assert len(await watched.prometheus.query(metric)) == 1
    [target] = (await watched.prometheus.get("targets", state="active"))["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")


async def test_what_has_not_changed_is_not_fetched_again(watched: Watched) -> None:
    """Only what has never been backed up: nothing would tell that there is something now."""

    def lists() -> int:
        return sum(path.endswith("/nodes.json") for path in asked(watched.app))

    before = lists()

    async def scraped_again() -> bool:
        return lists() >= before + 2

    await eventually(scraped_again)
    fetched = Counter(path.partition("/node/fetch/")[2] for path in asked(watched.app) if "/node/fetch/" in path)
    assert fetched.pop("core/never") >= 2
    assert fetched.keys() == watched.stored().keys() | {"access/eu/failed", "core/unreachable"}
    assert sum(fetched.values()) < 2 * len(fetched), "the first scrapes may have had no time for some"


async def test_the_password_is_sent_and_printed_nowhere(watched: Watched) -> None:
    async with aiohttp.ClientSession(watched.exporter.url) as client:
        shown = [await (await client.get(path)).text() for path in ("/", "/config", "/metrics", "/oxidized-metrics")]
    assert "password: <secret>" in shown[1]
    assert Exposition.parse(shown[2]).value("oxidized_status") == 1
    printed = [*watched.exporter.program.out.seen, *watched.exporter.program.err.seen]
    assert not any(secret in "".join([*shown, *printed]) for secret in (_PASSWORD, _BASIC))


async def test_each_published_alert_fires_for_its_condition(watched: Watched) -> None:
    server = watched.prometheus

    async def firing() -> set[tuple[str, str]]:
        return {
            (labels["alertname"], labels.get("full_name", ""))
            for state, labels in await server.alerts()
            if state == "firing"
        }

    async def for_devices() -> bool:
        return await firing() == {
            ("OxidizedBackupFailed", "access/eu/failed"),
            ("OxidizedBackupFailed", "core/unreachable"),
            ("OxidizedDeviceNoConnection", "access/eu/failed"),
            ("OxidizedDeviceNoConnection", "core/unreachable"),
            ("OxidizedDeviceNeverBackedUp", "core/never"),
            ("OxidizedBackupVeryOld", "core/old"),
            ("OxidizedBackupVeryOld", "core/very-old"),
            ("OxidizedBackupVeryOldCritical", "core/very-old"),
        }

    async def for_oxidized() -> bool:
        return await firing() == {("OxidizedConnectionDown", "")}

    await eventually(for_devices)
    watched.app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS)
    await eventually(for_oxidized)
    assert await server.by("job", "min_over_time(up[5m])") == {_JOB: 1}
    watched.app[FAULTS].switch_off()
    await eventually(for_devices)
