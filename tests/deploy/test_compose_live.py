"""The programs of deploy/compose/ that there are here, with the configurations that are mounted into its containers."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from oxidized_exporter.simulator import fleet
from tests.deploy.compose_file import Stack
from tests.rule_files import RULE_FILES
from tests.system.oxidized import simulated
from tests.system.program import COMMAND, eventually, exporting
from tests.system.program import running as running_program
from tests.system.prometheus import Prometheus, free_address


def adapted(stack: Stack, service: str, path: str, folder: Path, addresses: dict[str, str]) -> Path:
    """Copy what a service sees at ``path``, with addresses of this machine and seconds for minutes."""
    file = stack.mounted(service, path)
    assert file is not None
    text = file.read_text()
    for container, here in addresses.items():
        assert container in text
        text = text.replace(container, here)
    copied = folder / file.name
    copied.write_text(text.replace(": 1m", ": 1s").replace(": 30s", ": 1s"))
    return copied


async def test_prometheus_sees_oxidized_through_the_exporter_and_knows_alertmanager(tmp_path: Path) -> None:
    stack = Stack.load()
    receiver, server = free_address(), free_address()
    async with AsyncExitStack() as running:
        oxidized = await running.enter_async_context(simulated(*fleet(3)))
        addresses = {"oxidized:8888": f"127.0.0.1:{oxidized.port}"}
        config = adapted(stack, "oxidized-exporter", "/etc/oxidized_exporter/config.yml", tmp_path, addresses)
        command = (*COMMAND, f"--config.file={config}", "--web.listen-address=127.0.0.1:0", "--timeout-offset=0.1")
        exporter = await running.enter_async_context(exporting(*command))

        config = adapted(stack, "alertmanager", "/etc/alertmanager/alertmanager.yml", tmp_path, {})
        alertmanager = (
            *("prometheus-alertmanager", f"--config.file={config}", f"--storage.path={tmp_path / 'alertmanager'}"),
            *(f"--web.listen-address={receiver}", "--cluster.listen-address="),
        )
        program = await running.enter_async_context(running_program(*alertmanager))
        await program.err.first(f"address={receiver}")

        rules = stack.mounted("prometheus", "/etc/prometheus/rules")
        assert rules is not None
        shutil.copytree(rules, tmp_path / "rules")
        addresses = {"alertmanager:9093": receiver, "oxidized-exporter:10888": exporter.address}
        config = adapted(stack, "prometheus", "/etc/prometheus/prometheus.yml", tmp_path, addresses)
        prometheus = (
            *("prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'tsdb'}"),
            f"--web.listen-address={server}",
        )
        program = await running.enter_async_context(running_program(*prometheus))
        await program.err.first("Server is ready")
        api = Prometheus(await running.enter_async_context(aiohttp.ClientSession()), server)

        async def is_seen() -> bool:
            return await api.by("instance", 'oxidized_devices{job="oxidized",status="success"} > 0') == {"oxidized": 3}

        async def both_jobs_are_up() -> bool:
            return await api.by("job", "up == 1") == {"oxidized": 1, "oxidized-exporter": 1}

        async def rules_are_evaluated() -> bool:
            groups = (await api.get("rules"))["groups"]
            often = (rule for group in groups if group["interval"] == 1 for rule in group["rules"])
            return {rule["health"] for rule in often} == {"ok"}

        async def alertmanager_is_known() -> bool:
            active = (await api.get("alertmanagers"))["activeAlertmanagers"]
            return [known["url"] for known in active] == [f"http://{receiver}/api/v2/alerts"]

        await eventually(is_seen)
        await eventually(both_jobs_are_up)
        await eventually(rules_are_evaluated)
        await eventually(alertmanager_is_known)
        assert await api.by("collector", "oxidized_collector_success") == {"nodes": 1, "configs": 1, "stats": 1}
        loaded = {group["file"] for group in (await api.get("rules"))["groups"]}
        assert {Path(file).name for file in loaded} == {file.name for file in RULE_FILES} - {"oxidized-secrets.yml"}

        health_check(stack, "alertmanager", receiver, healthy=True)
        health_check(stack, "alertmanager", free_address(), healthy=False)


def health_check(stack: Stack, service: str, address: str, *, healthy: bool) -> None:
    """Run the health check of a service against ``address``."""
    _, *command = stack.services[service]["healthcheck"]["test"]
    here = [word.replace(f"127.0.0.1:{stack.port(service)}", address) for word in command]
    assert here != command
    done = subprocess.run(here, capture_output=True, text=True, check=False)  # noqa: S603 - the file under test
    assert (done.returncode == 0) is healthy, done.stderr
