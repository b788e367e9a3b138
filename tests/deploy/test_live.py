"""A real Prometheus and a real Alertmanager act on the rules, over simulated instances."""

from __future__ import annotations

import json
import re
import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from oxidized_exporter.simulator import Daemon, Device, Outcome, create_app
from tests.harness import running
from tests.published_rules import PUBLISHED
from tests.rule_files import PROMETHEUS, RULES, read
from tests.system.program import EXPORTER, eventually, exporting
from tests.system.program import running as running_program
from tests.system.prometheus import Prometheus, free_address, prometheus, relabelled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_DAY: Final = 86400.0

# What stands for days, hours and minutes in the rules, in seconds of a test.
_SHORTENED: Final = (
    (r"\b2 \* 86400", "9"),
    (r"\b7 \* 86400", "13"),
    (r"\b7200\b", "5"),
    (r"\[1d\]", "[60s]"),
    (r"\[6h\]", "[60s]"),
    (r"\[2h\]", "[4s]"),
    (r"\[10m\]", "[2s]"),
    (r"\[5m\]", "[2s]"),
)


def shortened(expression: str) -> str:
    for pattern, seconds in _SHORTENED:
        expression = re.sub(pattern, seconds, expression)
    return expression


def project_rules() -> dict[str, Any]:
    """Return this project's rules with days and hours as seconds; all that is pending is so for one second."""
    groups = [
        group
        for name in ("oxidized-recording.yml", "oxidized-alerts.yml")
        for group in read(RULES / name)["groups"]
        if group.pop("interval", True)
    ]
    for group in groups:
        for rule in group["rules"]:
            rule["expr"] = shortened(rule["expr"])
            if "alert" in rule:
                rule["for"] = "10m" if rule["alert"] == "OxidizedResultsMissing" else "1s"
    written = json.dumps(groups)
    assert all(re.search(rf"\[{span}\]", written) for span in ("60s", "4s", "2s")), "a range that no rule has"
    return {"groups": groups}


async def firing(server: Prometheus) -> set[tuple[str, str]]:
    """Return alert and device, or instance where it is of none, of what fires now."""
    return {
        (labels["alertname"], labels.get("full_name") or labels["instance"])
        for state, labels in await server.alerts()
        if state == "firing"
    }


async def test_each_published_rule_fires_for_its_condition_and_not_for_a_healthy_device(tmp_path: Path) -> None:
    # A cycle is an hour and five seconds: 167 of them in ten days end three days ago, 45 eight days ago.
    devices = (
        Device(name="healthy"),
        Device(name="failed", outcome=Outcome.FAIL),
        Device(name="unreachable", outcome=Outcome.NO_CONNECTION),
        Device(name="never", hangs_after=0),
        Device(name="old", hangs_after=167),
        Device(name="very-old", hangs_after=45),
    )
    daemon = Daemon(devices, started=time.time() - 10 * _DAY)
    rules = [{"alert": name, "expr": expression} for name, expression in PUBLISHED.items()]
    async with running(create_app(daemon)) as oxidized, exporting(*EXPORTER, "--timeout-offset=0.1") as exporter:
        down = f"http://{free_address()}"
        async with prometheus(
            tmp_path, relabelled([oxidized, down], exporter), rules={"groups": [{"name": "published", "rules": rules}]}
        ) as server:
            expected = {
                ("OxidizedBackupFailed", "failed"),
                ("OxidizedBackupFailed", "unreachable"),
                ("OxidizedDeviceNoConnection", "failed"),
                ("OxidizedDeviceNoConnection", "unreachable"),
                ("OxidizedDeviceNeverBackedUp", "never"),
                ("OxidizedBackupVeryOld", "old"),
                ("OxidizedBackupVeryOld", "very-old"),
                ("OxidizedBackupVeryOldCritical", "very-old"),
                ("OxidizedConnectionDown", down),
            }
            assert {alert for alert, _ in expected} == set(PUBLISHED)

            async def as_expected() -> bool:
                return await firing(server) == expected

            await eventually(as_expected)
            ever = await server.query('count by (alertname, name) (max_over_time(ALERTS{name="healthy"}[1h]))')
            assert ever == []


class Alertmanager:
    """The HTTP API of an Alertmanager."""

    def __init__(self, client: aiohttp.ClientSession, address: str) -> None:
        self._client = client
        self.address = address

    async def states(self) -> dict[tuple[str, str], str]:
        """Return the state of each alert, by its name and device or instance: active, or suppressed where inhibited."""
        async with self._client.get(f"http://{self.address}/api/v2/alerts") as response:
            return {
                (alert["labels"]["alertname"], alert["labels"].get("full_name") or alert["labels"]["instance"]): alert[
                    "status"
                ]["state"]
                for alert in await response.json()
            }


@asynccontextmanager
async def alertmanager(directory: Path) -> AsyncIterator[Alertmanager]:
    """Run an Alertmanager with the configuration that users copy."""
    address = free_address()
    command = (
        "prometheus-alertmanager",
        f"--config.file={PROMETHEUS / 'alertmanager.yml'}",
        f"--storage.path={directory / 'alertmanager'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    )
    async with running_program(*command) as program, aiohttp.ClientSession() as client:
        await program.err.first(f"address={address}")
        yield Alertmanager(client, address)


async def test_a_device_that_always_fails_grows_old_and_a_restart_wakes_nobody(tmp_path: Path) -> None:
    healthy = tuple(Device(name=f"ok{number}", group="core", job_seconds=0.05) for number in range(5))
    bad = Device(name="bad", group="core", job_seconds=0.3)
    new = Device(name="new", group="core", job_seconds=0.3, outcome=Outcome.FAIL)
    daemon = Daemon((*healthy, bad, new), interval=1)
    async with AsyncExitStack() as stack:
        oxidized = await stack.enter_async_context(running(create_app(daemon)))
        exporter = await stack.enter_async_context(exporting(*EXPORTER, "--timeout-offset=0.1"))
        receiver = await stack.enter_async_context(alertmanager(tmp_path))
        server = await stack.enter_async_context(
            prometheus(
                tmp_path,
                relabelled([oxidized], exporter),
                rules=project_rules(),
                alertmanager=receiver.address,
                scrape_interval="500ms",
            )
        )

        async def a_success_is_known() -> bool:
            return len(await server.query("oxidized:device_last_success:timestamp_seconds")) == len(healthy) + 1

        await eventually(a_success_is_known)
        daemon.set_outcome(bad.full_name, Outcome.NO_CONNECTION)

        broken = {
            ("OxidizedBackupFailed", "core/bad"),
            ("OxidizedBackupFailed", "core/new"),
            ("OxidizedDeviceNoConnection", "core/bad"),
            ("OxidizedDeviceNeverBackedUp", "core/new"),
            ("OxidizedBackupVeryOld", "core/bad"),
            ("OxidizedBackupVeryOld", "core/new"),
            ("OxidizedBackupVeryOldCritical", "core/bad"),
            ("OxidizedBackupVeryOldCritical", "core/new"),
        }

        async def only_what_is_broken_fires() -> bool:
            return await firing(server) == broken

        await eventually(only_what_is_broken_fires)

        for device in healthy:
            daemon.set_outcome(device.full_name, Outcome.SUCCESS, job_seconds=5.0)
        daemon.restart()  # its web interface is back at once here, and gone for two scrapes in test_replay

        async def the_restart_inhibits_what_it_explains() -> bool:
            states = await receiver.states()
            return ("OxidizedRestarted", oxidized) in states and all(
                states.get(alert)
                == (
                    "suppressed"
                    if alert[0] in {"OxidizedBackupVeryOld", "OxidizedDeviceNeverBackedUp"}
                    or alert == ("OxidizedBackupFailed", "core/bad")
                    else "active"
                )
                for alert in broken
            )

        await eventually(the_restart_inhibits_what_it_explains)
        await eventually(only_what_is_broken_fires)

        ever = 'group by (alertname, full_name) (max_over_time(ALERTS{alertstate="firing"}[10m]))'
        fired = {(labels["alertname"], labels.get("full_name", "")) for labels, _ in await server.query(ever)}
        assert fired == broken | {("OxidizedRestarted", "")}
        begun_anew = await server.query('changes(ALERTS_FOR_STATE{full_name!=""}[10m]) > 0')
        assert begun_anew == [], "an alert of a device flapped"
