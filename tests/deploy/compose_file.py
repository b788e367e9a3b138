"""deploy/compose/compose.yaml as Docker Compose reads it, and what Compose does not see: that its parts fit together.

Every check yields what is wrong, in words.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import yaml

from tests.rule_files import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER: Final = ROOT / "deploy" / "compose"
FILE: Final = FOLDER / "compose.yaml"
COMPOSE: Final = Path(sys.executable).with_name("docker-compose")

Service = dict[str, Any]

_PINNED: Final = re.compile(r"docker\.io/[\w./-]+:v?\d+\.\d+\.\d+")
_LOCAL: Final = re.compile(r"[a-z-]+:local")
_SECRET: Final = re.compile(r"PASSWORD|SECRET_KEY|TOKEN|CREDENTIAL|API_KEY")
_HARDENED: Final = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "cap_add": None,
    "security_opt": ["no-new-privileges:true"],
    "privileged": None,
    "network_mode": None,
    "pid": None,
    "restart": "unless-stopped",
}

_NOBODY_LOGS_IN: Final = {
    "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
    "GF_AUTH_BASIC_ENABLED": "false",
    "GF_AUTH_DISABLE_LOGIN_FORM": "true",
    "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
}


class ComposeError(Exception):
    """Docker Compose does not take a file."""


class Stack:
    """A Compose file with everything resolved."""

    def __init__(self, model: dict[str, Any]) -> None:
        self.services: dict[str, Service] = model["services"]
        self.volumes: dict[str, Any] = model.get("volumes", {})

    @classmethod
    def load(cls, file: Path = FILE) -> Stack:
        """Have Docker Compose read a file; it needs no engine for that.

        Raises:
            ComposeError: it does not take it.
        """
        command = [str(COMPOSE), "--file", str(file), "config", "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={}, timeout=30)  # noqa: S603 - fixed
        if done.returncode or done.stderr:
            raise ComposeError(done.stderr)
        return cls(json.loads(done.stdout))

    def port(self, service: str) -> int:
        """Return the one port that a service listens on."""
        (port,) = self.services[service]["ports"]
        return int(port["target"])

    def mounted(self, service: str, path: str) -> Path | None:
        """Return the file of this repository that a service sees at ``path``."""
        for mount in self.services[service].get("volumes", ()):
            target = PurePosixPath(mount["target"])
            if mount["type"] == "bind" and PurePosixPath(path).is_relative_to(target):
                return Path(mount["source"], PurePosixPath(path).relative_to(target))
        return None

    def writable(self, service: str, path: str) -> bool:
        """Whether a service can write to ``path``."""
        folders = [mount["target"] for mount in self.services[service]["volumes"] if mount["type"] == "volume"]
        folders += [entry.partition(":")[0] for entry in self.services[service].get("tmpfs", ())]
        return self.mounted(service, path) is None and any(PurePosixPath(path).is_relative_to(at) for at in folders)

    def setting(self, service: str, path: str) -> Any:
        """Return the YAML that a service sees at ``path``."""
        file = self.mounted(service, path)
        assert file is not None, f"{service}: nothing is mounted at {path}"
        return yaml.load(file.read_text(), Loader=_Loader)  # noqa: S506 - a safe loader and one tag of Ruby's

    def unreachable(self, service: str, address: str) -> str | None:
        """Say why a service does not reach ``host:port``, where it does not."""
        host, _, port = address.rpartition(":")
        if host not in self.services:
            return f"{service}: {address} is no service"
        if int(port) != self.port(host):
            return f"{service}: {address} is not the port of {host}, which is {self.port(host)}"
        if not self.services[service]["networks"].keys() & self.services[host]["networks"].keys():
            return f"{service}: shares no network with {host}"
        return None


class _Loader(yaml.SafeLoader):
    """YAML in which Ruby may have put an expression."""


_Loader.add_constructor("!ruby/regexp", lambda loader, node: loader.construct_scalar(node).strip("/"))  # type: ignore[arg-type] # a scalar's


def hardening(stack: Stack) -> Iterator[str]:
    for name, service in stack.services.items():
        for key, value in _HARDENED.items():
            if service.get(key) != value:
                yield f"{name}: {key} is {service.get(key)!r}, not {value!r}"
        if service.get("user", "").partition(":")[0] in {"0", "root"}:
            yield f"{name}: runs as root"
        for variable in service.get("environment") or ():
            if _SECRET.search(variable):
                yield f"{name}: {variable} looks like a secret"


def images(stack: Stack) -> Iterator[str]:
    for name, service in stack.services.items():
        build = service.get("build")
        if not (_PINNED if build is None else _LOCAL).fullmatch(service["image"]):
            yield f"{name}: the image {service['image']} is not pinned"
        if build is not None and not Path(build["context"], build["dockerfile"]).is_file():
            yield f"{name}: {build['dockerfile']} is not there"


def ports(stack: Stack) -> Iterator[str]:
    published: set[str] = set()
    for name, service in stack.services.items():
        for port in service.get("ports", ()):
            if port.get("host_ip") != "127.0.0.1":
                yield f"{name}: port {port['published']} is published to others than this machine"
            if port["published"] in published:
                yield f"{name}: port {port['published']} is published twice"
            published.add(port["published"])


def health_checks(stack: Stack) -> Iterator[str]:
    for name, service in stack.services.items():
        kind, *command = service.get("healthcheck", {}).get("test") or ("NONE",)
        if kind != "CMD":
            yield f"{name}: has no health check that does without a shell"
        for port in re.findall(r"127\.0\.0\.1:(\d+)", " ".join(command)):
            if int(port) != stack.port(name):
                yield f"{name}: the health check asks port {port}"


def mounts(stack: Stack) -> Iterator[str]:
    used: set[str] = set()
    for name, service in stack.services.items():
        for mount in service.get("volumes", ()):
            if mount["type"] == "volume":
                used.add(mount["source"])
            elif not Path(mount["source"]).exists():
                yield f"{name}: {mount['source']} is not there"
            elif not mount.get("read_only"):
                yield f"{name}: {mount['target']} can be written to"
    yield from (f"volume {name}: nobody uses it" for name in stack.volumes.keys() - used)


def oxidized(stack: Stack) -> Iterator[str]:
    if not all(stack.services["oxidized"].get(key) for key in ("user", "entrypoint")):
        yield "oxidized: is started by its image's own init, which needs root"
    config = stack.setting("oxidized", "/home/oxidized/config")
    web = config["extensions"]["oxidized-web"]
    if not web["load"] or web["listen"] != "0.0.0.0" or web["port"] != stack.port("oxidized"):  # noqa: S104 - in its container
        yield f"oxidized: does not listen where it is asked: {web}"
    written = (config["pid"], config["crash"]["directory"], config["output"]["git"]["repo"])
    yield from (f"oxidized: cannot write {path}" for path in written if not stack.writable("oxidized", path))
    source = config["source"]["csv"]
    devices = stack.mounted("oxidized", source["file"])
    if devices is None:
        yield f"oxidized: {source['file']} is not mounted"
        return
    rows = [line.split(source["delimiter"]) for line in devices.read_text().splitlines() if not line.startswith("#")]
    if not rows:
        yield "oxidized: there is no device, and without one it does not start"
    yield from (f"oxidized: {row} is no device" for row in rows if len(row) <= max(source["map"].values()))


def exporter(stack: Stack) -> Iterator[str]:
    for name, target in stack.setting("oxidized-exporter", "/etc/oxidized_exporter/config.yml")["targets"].items():
        if fault := stack.unreachable("oxidized-exporter", urlsplit(target["url"]).netloc):
            yield f"target {name}: {fault}"


def prometheus(stack: Stack) -> Iterator[str]:
    config = stack.setting("prometheus", "/etc/prometheus/prometheus.yml")
    targets = stack.setting("oxidized-exporter", "/etc/oxidized_exporter/config.yml")["targets"]
    addresses = [*_addresses(config["alerting"]["alertmanagers"])]
    for job in config["scrape_configs"]:
        replaced = [rule["replacement"] for rule in job.get("relabel_configs", ()) if "replacement" in rule]
        if replaced:
            strange = set(_addresses([job])) - targets.keys()
            yield from (f"prometheus: {name} is no target of the exporter" for name in strange)
        addresses += replaced or _addresses([job])
    yield from filter(None, (stack.unreachable("prometheus", address) for address in addresses))
    for name in config["rule_files"]:
        file = stack.mounted("prometheus", f"/etc/prometheus/{name}")
        if file is None or not file.is_file():
            yield f"prometheus: {name} is not mounted"


def _addresses(configs: list[dict[str, Any]]) -> Iterator[str]:
    for config in configs:
        for group in config["static_configs"]:
            yield from group["targets"]


def grafana(stack: Stack) -> Iterator[str]:
    (source,) = stack.setting("grafana", "/etc/grafana/provisioning/datasources/prometheus.yml")["datasources"]
    if fault := stack.unreachable("grafana", urlsplit(source["url"]).netloc):
        yield fault
    scraped = stack.setting("prometheus", "/etc/prometheus/prometheus.yml")["global"]["scrape_interval"]
    if source["jsonData"]["timeInterval"] != scraped:
        yield f"grafana: asks in steps of {source['jsonData']['timeInterval']}, and prometheus scrapes every {scraped}"
    (provider,) = stack.setting("grafana", "/etc/grafana/provisioning/dashboards/oxidized.yml")["providers"]
    environment = stack.services["grafana"]["environment"]
    for name, value in _NOBODY_LOGS_IN.items():
        if environment.get(name) != value:
            yield f"grafana: {name} is {environment.get(name)!r}: somebody may log in, or change what there is"
    home = environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    if str(PurePosixPath(home).parent) != provider["options"]["path"]:
        yield f"grafana: {home} is not where dashboards are looked for"
    dashboard = stack.mounted("grafana", home)
    if dashboard is None or "panels" not in json.loads(dashboard.read_text()):
        yield f"grafana: {home} is no dashboard"


CHECKS: Final[tuple[Callable[[Stack], Iterator[str]], ...]] = (
    hardening,
    images,
    ports,
    health_checks,
    mounts,
    oxidized,
    exporter,
    prometheus,
    grafana,
)


def faults(stack: Stack) -> list[str]:
    """Return all that is wrong."""
    return [fault for check in CHECKS for fault in check(stack)]
