"""The real exporter, started with the arguments and files of a rendered pod, answers what the other objects ask it."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from signal import SIGTERM
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import yaml
from yarl import URL

from oxidized_exporter.simulator import fleet
from tests.deploy.cases import rendered
from tests.deploy.chart import CHART, Rendered, notes, template
from tests.deploy.mounted_files import lay_out, lay_out_web
from tests.deploy.pods import exporter_of
from tests.harness import Exposition
from tests.system.oxidized import simulated
from tests.system.program import COMMAND, Exporter, eventually, exporting, parse_logfmt, running
from tests.web.certificates import HASH, make_certificates
from tests.web.serving import MUTUAL, PAIR

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def started(
    pod: Rendered, folder: Path, **environment: str
) -> AsyncIterator[tuple[Exporter, aiohttp.ClientSession]]:
    """Start it as the pod would, but on loopback, with its files laid out in ``folder``."""
    file = lay_out(pod, folder)
    args = [
        *(arg for arg in exporter_of(pod)["args"] if not arg.startswith(("--config.file=", "--web.listen-address="))),
        "--web.listen-address=127.0.0.1:0",
        *([] if file is None else [f"--config.file={file}"]),
    ]
    async with exporting(*COMMAND, *args, environment=environment) as exporter, aiohttp.ClientSession() as client:
        yield exporter, client


async def probed(exporter: Exporter, client: aiohttp.ClientSession, path: str, params: dict[str, str]) -> Exposition:
    async with client.get(exporter.url + path, params=params) as response:
        assert response.status == 200, await response.text()
        return Exposition.parse(await response.text())


async def test_the_default_pod_is_ready_answers_its_monitor_and_probes(tmp_path: Path) -> None:
    pod = rendered("default")
    container = exporter_of(pod)
    async with started(pod, tmp_path) as (exporter, client), simulated(*fleet(3)) as oxidized:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert await exporter.status(client, container[probe]["httpGet"]["path"]) == 200, probe
        (monitor,) = rendered("service-monitor").of("ServiceMonitor")
        assert await exporter.status(client, monitor["spec"]["endpoints"][0]["path"]) == 200
        assert (await exporter.probe(client, oxidized.url)).value("oxidized_status") == 1


async def test_below_a_prefix_everything_that_asks_is_answered(tmp_path: Path) -> None:
    pod = rendered("route-prefix")
    container = exporter_of(pod)
    async with started(pod, tmp_path) as (exporter, client):
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert await exporter.status(client, container[probe]["httpGet"]["path"]) == 200, probe
        (monitor,) = pod.of("ServiceMonitor")
        assert await exporter.status(client, monitor["spec"]["endpoints"][0]["path"]) == 200
        (discovery,) = [spec for scrape in pod.of("ScrapeConfig") if "httpSDConfigs" in (spec := scrape["spec"])]
        url = URL(discovery["httpSDConfigs"][0]["url"])
        async with client.get(exporter.url + url.path_qs, headers={"Host": url.authority}) as response:
            (group,) = await response.json()
    assert group["targets"] == [url.authority]
    assert group["labels"]["__metrics_path__"] == "/outside/probe"
    assert group["labels"]["instance"] == "eu"


async def test_the_single_oxidized_of_the_readme_is_scraped_by_its_monitor(tmp_path: Path) -> None:
    [text] = re.findall(r"## A single Oxidized.*?```yaml\n(.*?)```", (CHART / "README.md").read_text(), re.DOTALL)
    async with simulated(*fleet(3)) as oxidized:
        pod = Rendered(template(yaml.safe_load(re.sub(r"https://[\w./]+", oxidized.url, text))))
        (monitor,) = pod.of("ServiceMonitor")
        (variable,) = exporter_of(pod)["env"]
        async with started(pod, tmp_path, **{variable["name"]: "hunter2"}) as (exporter, client):
            exposition = await probed(exporter, client, monitor["spec"]["endpoints"][0]["path"], {})
            assert exposition.value("oxidized_status") == 1
            assert len(exposition.all("oxidized_device_config_lines")) == 3
            async with client.get(f"{exporter.url}/config") as response:
                assert "password: <secret>" in await response.text()
    (deployment,) = pod.of("Deployment")
    assert deployment["spec"]["replicas"] == 1


@pytest.mark.parametrize("named_by", ["probes", "config"])
async def test_the_command_of_the_notes_is_answered(named_by: str, tmp_path: Path) -> None:
    async with simulated(*fleet(3)) as oxidized:
        values: dict[str, Any] = {"config": {"data": {"targets": {"lab": {"url": oxidized.url}}}}}
        if named_by == "probes":
            values["probes"] = {"targets": [{"name": "lab", "targets": [oxidized.url]}]}
        ((printed, pattern),) = re.findall(r"  curl .*'(\S*)' \| grep '(\S*)'", notes(values))
        async with started(Rendered(template(values)), tmp_path) as (exporter, client):
            asked = URL(exporter.url + URL(printed, encoded=True).raw_path_qs, encoded=True)
            async with client.get(asked) as response:
                lines = (await response.text()).splitlines()
                assert [line for line in lines if re.search(pattern, line)] == ["oxidized_status 1.0"], lines


async def test_a_pod_that_ends_is_not_ready_and_still_serves_for_the_delay(tmp_path: Path) -> None:
    pod = Rendered(template({"shutdownDelaySeconds": 3}))
    probe = exporter_of(pod)["readinessProbe"]["httpGet"]["path"]
    async with started(pod, tmp_path) as (exporter, client), simulated(*fleet(3)) as oxidized:
        exporter.program.send(SIGTERM)
        await exporter.program.err.first("msg=stopping")
        assert await exporter.status(client, probe) == 503
        assert (await exporter.probe(client, oxidized.url)).value("oxidized_status") == 1
        assert await exporter.program.exit_code() == 0


async def test_what_a_probe_and_a_scrape_config_ask_for_is_answered_alike(tmp_path: Path) -> None:
    async with simulated(*fleet(3)) as oxidized:
        targets = [{"name": "lab", "targets": [oxidized.url], "module": "totals"}]
        config = {
            "data": {
                "modules": {"totals": {"devices": "none"}},
                "connections": [
                    {"targets": [oxidized.url], "basic_auth": {"username": "a", "password_file": "secrets/lab"}}
                ],
                "access": {"allow": [oxidized.url]},
            },
            "files": [{"secret": "lab", "items": {"password": "secrets/lab"}}],
        }

        def asked(kind: str) -> dict[str, Any]:
            values = {"config": config, "probes": {"kind": kind, "targets": targets}}
            (found,) = Rendered(template(values)).of(kind)
            spec: dict[str, Any] = found["spec"]
            return spec

        probe, scrape = asked("Probe"), asked("ScrapeConfig")
        (target,) = probe["targets"]["staticConfig"]["static"]
        by_probe = {"target": target, "module": probe["module"]}
        (module,) = scrape["params"]["module"]
        ((target,),) = [each["targets"] for each in scrape["staticConfigs"]]
        by_scrape = {"target": target, "module": module}
        assert by_probe == by_scrape
        async with started(Rendered(template({"config": config})), tmp_path) as (exporter, client):
            for path, params in ((probe["prober"]["path"], by_probe), (scrape["metricsPath"], by_scrape)):
                exposition = await probed(exporter, client, path, params)
                assert exposition.value("oxidized_status") == 1
                assert exposition.value("oxidized_devices", status="success") == 3
                assert exposition.all("oxidized_device_status") == []


async def test_a_changed_configuration_is_taken_up_as_the_sidecar_asks(tmp_path: Path) -> None:
    def pod(attempts: int) -> Rendered:
        return Rendered(template({"config": {"data": {"limits": {"attempts": attempts}}, "onChange": "reload"}}))

    reloader = pod(1).pod["spec"]["containers"][1]
    (url,) = [arg.partition("=")[2] for arg in reloader["args"] if arg.startswith("--reload-url=")]
    async with started(pod(1), tmp_path) as (exporter, client):

        async def attempts() -> bool:
            async with client.get(f"{exporter.url}/config") as response:
                return "attempts: 2" in await response.text()

        assert not await attempts()
        lay_out(pod(2), tmp_path, generation="second")
        async with client.post(exporter.url + urlsplit(url).path) as response:
            assert response.status == 200, await response.text()
        await eventually(attempts)


def test_discovery_asks_by_https_and_shows_who_it_is_both_times() -> None:
    pod = rendered("web-config")
    (scrape,) = [spec for found in pod.of("ScrapeConfig") if "httpSDConfigs" in (spec := found["spec"])]
    (discovery,) = scrape["httpSDConfigs"]
    assert URL(discovery["url"]).scheme == "https"
    for asking in (scrape, discovery):
        assert asking["tlsConfig"]["serverName"] == "oxidized-exporter.monitoring.svc"
        assert asking["basicAuth"]["password"] == {"name": "my-user", "key": "password"}


@pytest.mark.parametrize("case", ["web-config", "web-config-mutual"])
async def test_the_probes_of_a_pod_with_a_web_configuration_work(case: str, tmp_path: Path) -> None:
    """As a kubelet makes them: https without a look at the certificate, the port, or a command in the container."""
    pod = rendered(case)
    (tmp_path / "made").mkdir()
    certificates = make_certificates(tmp_path / "made")
    tls = MUTUAL if case == "web-config-mutual" else PAIR
    given = {name: (certificates.directory / name).read_text() for name in ("server.crt", "server.key", "ca.pem")}
    given["web.yml"] = json.dumps({"tls_server_config": tls, "basic_auth_users": {"prometheus": HASH}})
    (tmp_path / "web").mkdir()
    file = lay_out_web(pod, tmp_path / "web", given=given)
    container = exporter_of(pod)
    flag = f"--web.config.file={file}"
    command = (*COMMAND, "--web.listen-address=127.0.0.1:0", flag)
    async with exporting(*command) as exporter, aiohttp.ClientSession() as client:
        asked = set()
        for name in ("startupProbe", "livenessProbe", "readinessProbe"):
            probe = container[name]
            if "httpGet" in probe:
                asked.add(probe["httpGet"]["scheme"])
                url = f"{probe['httpGet']['scheme'].lower()}://{exporter.address}{probe['httpGet']['path']}"
                async with client.get(url, ssl=False) as response:
                    assert response.status == 200, name
            elif "tcpSocket" in probe:
                asked.add("tcpSocket")
                host, _, port = exporter.address.rpartition(":")
                _, writer = await asyncio.open_connection(host, port)
                writer.close()
                await writer.wait_closed()
            else:
                asked.add("exec")
                _, healthcheck, *_ = probe["exec"]["command"]
                async with running(*COMMAND, healthcheck, f"--web.listen-address={exporter.address}", flag) as program:
                    assert (await program.exit_code(), program.err.seen) == (0, []), name
        assert asked == ({"exec", "tcpSocket"} if tls is MUTUAL else {"HTTPS"})
        assert await exporter.stop() == 0
    assert [parse_logfmt(line)["level"] for line in exporter.program.err.seen] == ["info"] * 3
