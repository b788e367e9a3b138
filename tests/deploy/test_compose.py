"""deploy/compose/: Docker Compose takes it, its parts fit together, and the real programs take their configurations."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from oxidized_exporter.cli import main
from oxidized_exporter.config import load_config
from oxidized_exporter.web import server
from tests.deploy.compose_file import FILE, FOLDER, ComposeError, Stack, faults

if TYPE_CHECKING:
    from collections.abc import Callable

README: Final = (FOLDER / "README.md").read_text()


@pytest.fixture(scope="module")
def stack() -> Stack:
    return Stack.load()


@pytest.fixture
def changed(stack: Stack) -> Stack:
    """A copy to break."""
    return copy.deepcopy(stack)


def test_its_parts_fit_together(stack: Stack) -> None:
    assert faults(stack) == []


def test_it_has_what_is_promised(stack: Stack) -> None:
    assert set(stack.services) == {"oxidized", "oxidized-exporter", "prometheus", "alertmanager", "grafana"}


@pytest.mark.parametrize(
    "right, wrong, told",
    [
        ("read_only:", "readonly:", ".readonly "),
        ("networks: [monitoring]", "networks: [other]", "undefined network other"),
        ("- prometheus:/prometheus", "- prometeus:/prometheus", "undefined volume prometeus"),
        ("interval: 30s", "interval: 30", ".healthcheck.interval must be a string"),
    ],
)
def test_compose_refuses_what_is_none(right: str, wrong: str, told: str, tmp_path: Path) -> None:
    assert right in FILE.read_text()
    (tmp_path / "compose.yaml").write_text(FILE.read_text().replace(right, wrong))
    with pytest.raises(ComposeError, match=re.escape(told)):
        Stack.load(tmp_path / "compose.yaml")


def services(stack: Stack, name: str) -> dict[str, Any]:
    return stack.services[name]


BROKEN: Final[dict[str, tuple[Callable[[Stack], object], str]]] = {
    "writable": (
        lambda stack: services(stack, "grafana").pop("read_only"),
        "grafana: read_only is None, not True",
    ),
    "capability": (
        lambda stack: services(stack, "prometheus").update(cap_add=["SYS_ADMIN"]),
        "prometheus: cap_add is ['SYS_ADMIN'], not None",
    ),
    "root": (lambda stack: services(stack, "oxidized").update(user="0:0"), "oxidized: runs as root"),
    "secret": (
        lambda stack: services(stack, "grafana")["environment"].update({"GF_SECURITY_ADMIN_PASSWORD": "x"}),
        "grafana: GF_SECURITY_ADMIN_PASSWORD looks like a secret",
    ),
    "unpinned": (
        lambda stack: services(stack, "grafana").update(image="docker.io/grafana/grafana:latest"),
        "grafana: the image docker.io/grafana/grafana:latest is not pinned",
    ),
    "dockerfile": (
        lambda stack: services(stack, "oxidized-exporter")["build"].update(dockerfile="Dockerfile"),
        "oxidized-exporter: Dockerfile is not there",
    ),
    "published": (
        lambda stack: services(stack, "prometheus")["ports"][0].pop("host_ip"),
        "prometheus: port 9090 is published to others than this machine",
    ),
    "clash": (
        lambda stack: services(stack, "alertmanager")["ports"][0].update(published="3000"),
        "grafana: port 3000 is published twice",
    ),
    "shell": (
        lambda stack: services(stack, "grafana")["healthcheck"].update(test=["CMD-SHELL", "true"]),
        "grafana: has no health check that does without a shell",
    ),
    "health": (
        lambda stack: services(stack, "oxidized")["ports"][0].update(target=8889),
        "oxidized: the health check asks port 8888",
    ),
    "listening": (
        lambda stack: services(stack, "oxidized")["ports"][0].update(target=8889),
        "oxidized: does not listen where it is asked: {'load': True, 'listen': '0.0.0.0', 'port': 8888}",
    ),
    "target": (
        lambda stack: services(stack, "oxidized")["ports"][0].update(target=8889),
        "target oxidized: oxidized-exporter: oxidized:8888 is not the port of oxidized, which is 8889",
    ),
    "network": (
        lambda stack: services(stack, "oxidized-exporter").update(networks={"monitoring": None}),
        "target oxidized: oxidized-exporter: shares no network with oxidized",
    ),
    "scraped": (
        lambda stack: services(stack, "oxidized-exporter").update(networks={"devices": None}),
        "prometheus: shares no network with oxidized-exporter",
    ),
    "alertmanager": (
        lambda stack: stack.services.update(alertmanagers=stack.services.pop("alertmanager")),
        "prometheus: alertmanager:9093 is no service",
    ),
    "data-source": (
        lambda stack: services(stack, "prometheus")["ports"][0].update(target=9091),
        "grafana: prometheus:9090 is not the port of prometheus, which is 9091",
    ),
    "missing": (
        lambda stack: services(stack, "alertmanager")["volumes"][1].update(source="/nowhere"),
        "alertmanager: /nowhere is not there",
    ),
    "writable-mount": (
        lambda stack: services(stack, "alertmanager")["volumes"][1].pop("read_only"),
        "alertmanager: /etc/alertmanager/alertmanager.yml can be written to",
    ),
    "unused": (lambda stack: stack.volumes.update(more={}), "volume more: nobody uses it"),
    "pid": (
        lambda stack: services(stack, "oxidized").pop("tmpfs"),
        "oxidized: cannot write /tmp/oxidized.pid",
    ),
    "init": (
        lambda stack: services(stack, "oxidized").pop("entrypoint"),
        "oxidized: is started by its image's own init, which needs root",
    ),
    "user": (
        lambda stack: services(stack, "oxidized").pop("user"),
        "oxidized: is started by its image's own init, which needs root",
    ),
    "editor": (
        lambda stack: services(stack, "grafana")["environment"].update(GF_AUTH_ANONYMOUS_ORG_ROLE="Editor"),
        "grafana: GF_AUTH_ANONYMOUS_ORG_ROLE is 'Editor': somebody may log in, or change what there is",
    ),
    "login": (
        lambda stack: services(stack, "grafana")["environment"].pop("GF_AUTH_BASIC_ENABLED"),
        "grafana: GF_AUTH_BASIC_ENABLED is None: somebody may log in, or change what there is",
    ),
    "devices": (
        lambda stack: services(stack, "oxidized")["volumes"].pop(2),
        "oxidized: /home/oxidized/router.db is not mounted",
    ),
    "rules": (
        lambda stack: services(stack, "prometheus")["volumes"].pop(2),
        "prometheus: rules/oxidized-alerts.yml is not mounted",
    ),
    "dashboard": (
        lambda stack: services(stack, "grafana")["environment"].update(
            GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH="/etc/grafana/oxidized.json"
        ),
        "grafana: /etc/grafana/oxidized.json is not where dashboards are looked for",
    ),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_what_does_not_fit_is_told(broken: str, changed: Stack) -> None:
    change, told = BROKEN[broken]
    change(changed)
    assert told in faults(changed)


def edited(stack: Stack, service: str, path: str, change: Callable[[str], str], folder: Path) -> None:
    """Have a service see a changed copy of a file."""
    file = stack.mounted(service, path)
    assert file is not None
    copied = folder / file.name
    copied.write_text(change(file.read_text()))
    assert copied.read_text() != file.read_text()
    (mount,) = [mount for mount in stack.services[service]["volumes"] if mount["target"] == path]
    mount["source"] = str(copied)


PROMETHEUS: Final = ("prometheus", "/etc/prometheus/prometheus.yml")
MISFITS: Final = {
    "target": (PROMETHEUS, "[oxidized]", "[oxidised]", "prometheus: oxidised is no target of the exporter"),
    "exporter": (PROMETHEUS, "'oxidized-exporter:", "'exporter:", "prometheus: exporter:10888 is no service"),
    "url": (
        ("oxidized-exporter", "/etc/oxidized_exporter/config.yml"),
        "oxidized:8888",
        "oxidised:8888",
        "target oxidized: oxidized-exporter: oxidised:8888 is no service",
    ),
    "steps": (
        ("grafana", "/etc/grafana/provisioning/datasources/prometheus.yml"),
        "timeInterval: 1m",
        "timeInterval: 15s",
        "grafana: asks in steps of 15s, and prometheus scrapes every 1m",
    ),
    "row": (
        ("oxidized", "/home/oxidized/router.db"),
        ":example\n",
        "\n",
        "oxidized: ['example-rtr-01', '192.0.2.1', 'ios'] is no device",
    ),
    "no-row": (
        ("oxidized", "/home/oxidized/router.db"),
        "example-rtr",
        "#",
        "oxidized: there is no device, and without one it does not start",
    ),
    "repository": (
        ("oxidized", "/home/oxidized/config"),
        "/home/oxidized/configs.git",
        "/configs.git",
        "oxidized: cannot write /configs.git",
    ),
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_files_that_do_not_fit_are_told(misfit: str, changed: Stack, tmp_path: Path) -> None:
    (service, path), right, wrong, told = MISFITS[misfit]
    edited(changed, service, path, lambda text: text.replace(right, wrong), tmp_path)
    assert told in faults(changed)


def laid_out(stack: Stack, service: str, folder: Path) -> Path:
    """Put what is mounted into a service below ``folder``, as the service sees it."""
    for mount in stack.services[service]["volumes"]:
        if mount["type"] == "bind":
            at = folder / mount["target"].lstrip("/")
            at.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if Path(mount["source"]).is_dir() else shutil.copy)(mount["source"], at)
    return folder


def accepted(*command: str | Path) -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)  # noqa: S603 - the tests' own
    assert done.returncode == 0, done.stdout + done.stderr


def flag(stack: Stack, service: str, name: str) -> str:
    command: list[str] = stack.services[service]["command"]
    (value,) = [arg.partition("=")[2] for arg in command if arg.startswith(f"--{name}=")]
    return value


def test_promtool_takes_prometheuss_configuration_with_its_rules(stack: Stack, tmp_path: Path) -> None:
    root = laid_out(stack, "prometheus", tmp_path)
    accepted("promtool", "check", "config", root / flag(stack, "prometheus", "config.file").lstrip("/"))


def test_amtool_takes_alertmanagers_configuration(stack: Stack, tmp_path: Path) -> None:
    root = laid_out(stack, "alertmanager", tmp_path)
    accepted("amtool", "check-config", root / flag(stack, "alertmanager", "config.file").lstrip("/"))


@pytest.mark.parametrize(
    "service, program", [("prometheus", "prometheus"), ("alertmanager", "prometheus-alertmanager")]
)
def test_other_programs_know_their_flags(service: str, program: str, stack: Stack) -> None:
    help_of = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)  # noqa: S603 - the tests' own
    known = set(re.findall(r"--(?:\[no-\])?([\w.-]+)", help_of.stdout + help_of.stderr))
    given = {argument.removeprefix("--").partition("=")[0] for argument in stack.services[service]["command"]}
    assert given
    assert given <= known


def test_the_exporter_takes_its_flags_and_its_configuration(stack: Stack) -> None:
    context = main.make_context("oxidized-exporter", list(stack.services["oxidized-exporter"]["command"]))
    (address,) = context.params["web_listen_address"]
    assert address.port == stack.port("oxidized-exporter")
    file = stack.mounted("oxidized-exporter", context.params["config_file"])
    config = load_config(str(file))
    assert config.access.allow == (), "nothing but the configured targets can be probed"


def test_a_stop_has_the_time_that_the_exporter_takes(stack: Stack) -> None:
    given = stack.services["oxidized-exporter"]["stop_grace_period"]
    assert float(given.removesuffix("s")) > server._DRAIN_SECONDS + 2 * server._LINGER_SECONDS  # noqa: SLF001 - what is compared


def test_data_of_other_programs_are_kept_where_they_write_them(stack: Stack) -> None:
    for service, name in ("prometheus", "storage.tsdb.path"), ("alertmanager", "storage.path"):
        assert stack.writable(service, flag(stack, service, name))
    assert stack.writable("grafana", "/var/lib/grafana")


def test_the_dashboard_asks_for_such_a_data_source(stack: Stack) -> None:
    file = stack.mounted("grafana", "/etc/grafana/dashboards/oxidized.json")
    assert file is not None
    variables = json.loads(file.read_text())["templating"]["list"]
    wanted = {variable["query"] for variable in variables if variable["type"] == "datasource"}
    sources = stack.setting("grafana", "/etc/grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert wanted == {source["type"] for source in sources}


def test_the_readme_shows_the_ports_and_how_long_data_are_kept(stack: Stack) -> None:
    kept = flag(stack, "prometheus", "storage.tsdb.retention.time")
    assert f"Prometheus ({kept.removesuffix('d')} days)" in README
    for service in stack.services.values():
        (port,) = service["ports"]
        assert f"http://127.0.0.1:{port['published']}" in README


def test_the_override_of_the_readme_mounts_what_the_file_mounts(stack: Stack) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    override = yaml.safe_load(example)["services"]["oxidized"]["volumes"]
    targets = {mount["target"] for mount in stack.services["oxidized"]["volumes"] if mount["type"] == "bind"}
    assert {line.split(":")[1] for line in override} == targets
