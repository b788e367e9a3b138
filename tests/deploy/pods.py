"""What a pod asks for: flags and paths that the exporter has, restricted security, quantities. As in `wiring`."""

from __future__ import annotations

import asyncio
import functools
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import click

from oxidized_exporter.cli import main
from oxidized_exporter.compose import open_exporter
from oxidized_exporter.config import Config
from oxidized_exporter.web.app import create_app
from oxidized_exporter.web.own_url import routes_below
from oxidized_exporter.web.state import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.deploy.chart import Object, Rendered

# In seconds: what the server needs at most after the shutdown delay (README.md says so).
_DRAIN: Final = 30
_QUANTITY: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|Ki|[MGTPE]i?)?")
_SUFFIXES: Final[dict[str | None, Decimal]] = {
    None: Decimal(1),
    "m": Decimal("0.001"),
    "k": Decimal(1000),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("KMGTPE", 1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
}
# Of the restricted pod security standard.
_VOLUMES: Final = {
    "name", "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"
}  # fmt: skip


def flags(args: list[str]) -> dict[str, Any]:
    """Return what the command line makes of its arguments.

    Raises:
        click.UsageError: it refuses them.
    """
    return main.make_context("oxidized-exporter", list(args)).params


@functools.cache
def routes(route_prefix: str) -> frozenset[str]:
    """Return the method and path of everything that the exporter answers below a prefix."""

    async def found() -> frozenset[str]:
        settings = Settings(route_prefix=route_prefix)
        async with open_exporter(config=Config(), settings=settings) as exporter:
            return frozenset(
                f"{route.method} {route.resource.canonical}"
                for route in create_app(exporter).router.routes()
                if route.resource is not None
            )

    return asyncio.run(found())


def prefix_of(rendered: Rendered) -> str:
    """Return what the flags of the exporter put in front of its routes."""
    given = flags(exporter_of(rendered)["args"])
    return routes_below(given["web_route_prefix"], given["web_external_url"])


def exporter_of(rendered: Rendered) -> Object:
    """Return the container of the exporter."""
    (container,) = [each for each in rendered.pod["spec"]["containers"] if each["name"] == "exporter"]
    return dict(container)


def _mounted(container: Object) -> list[str]:
    return [mount["mountPath"] for mount in container.get("volumeMounts", [])]


def _listened_on(rendered: Rendered) -> list[int]:
    """Return the ports of the exporter."""
    return [address.port for address in flags(exporter_of(rendered)["args"])["web_listen_address"]]


def arguments(rendered: Rendered) -> Iterator[str]:
    container = exporter_of(rendered)
    try:
        given = flags(container["args"])
    except click.UsageError as error:
        yield f"args: {error.format_message()}"
        return
    (port,) = container["ports"]
    if _listened_on(rendered) != [port["containerPort"]]:
        yield f"args: listens on {given['web_listen_address'][0]}, the container's port is {port['containerPort']}"
    grace = rendered.pod["spec"]["terminationGracePeriodSeconds"]
    if grace <= given["web_shutdown_delay"] + _DRAIN:
        yield f"terminationGracePeriodSeconds: {grace} is not enough for a delay of {given['web_shutdown_delay']:g} s"
    for file in (given["config_file"], given["web_config_file"]):
        if file is not None and (folder := file.rpartition("/")[0]) not in _mounted(container):
            yield f"args: nothing is mounted at {folder}"


def own_checks(rendered: Rendered) -> Iterator[str]:
    """A container that asks itself asks what it serves, as it serves it."""
    container = exporter_of(rendered)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        if "exec" not in container.get(probe, {}):
            continue
        program, command, *args = container[probe]["exec"]["command"]
        found = main.commands.get(command) if program == "oxidized-exporter" else None
        if found is None:
            yield f"{probe}: {program} {command} is no command of the exporter"
            continue
        try:
            # A command remembers its --help as it was first asked for, and that is as its parent has it.
            asked = found.make_context(command, args, parent=click.Context(main, **main.context_settings)).params
        except click.UsageError as error:
            yield f"{probe}: {error.format_message()}"
            continue
        given = flags(container["args"])
        for flag in ("web_listen_address", "web_config_file"):
            if asked[flag] != given[flag]:
                yield f"{probe}: {flag} is {asked[flag]}, the exporter's {given[flag]}"


def paths(rendered: Rendered) -> Iterator[str]:
    try:
        known = routes(prefix_of(rendered))
    except click.UsageError:  # told by `arguments`
        return
    asked = [
        (probe, f"GET {container[probe]['httpGet']['path']}")
        for container in rendered.pod["spec"]["containers"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        if "httpGet" in container.get(probe, {})
    ]
    for monitor in rendered.of("ServiceMonitor"):
        asked += [("ServiceMonitor", f"GET {endpoint['path']}") for endpoint in monitor["spec"]["endpoints"]]
    asked += [("Probe", f"GET {probe['spec']['prober']['path']}") for probe in rendered.of("Probe")]
    for scrape in rendered.of("ScrapeConfig"):
        found = [urlsplit(discovery["url"]).path for discovery in scrape["spec"].get("httpSDConfigs", [])]
        asked += [("ScrapeConfig", f"GET {path}") for path in found or [scrape["spec"]["metricsPath"]]]
    for container in rendered.pod["spec"]["containers"]:
        for argument in container["args"]:
            flag, _, url = argument.partition("=")
            if flag == "--watched-dir" and url not in _mounted(container):
                yield f"reloader: nothing is mounted at {url}"
            if flag == "--reload-url":
                asked.append(("reloader", f"POST {urlsplit(url).path}"))
                if urlsplit(url).port not in _listened_on(rendered):
                    yield f"reloader: the exporter does not listen at {url}"
                if not flags(exporter_of(rendered)["args"])["web_enable_lifecycle"]:
                    yield "reloader: the exporter does not allow a reload"
    yield from (f"{who}: the exporter has no {path}" for who, path in asked if path not in known)


def security(rendered: Rendered) -> Iterator[str]:
    """The restricted pod security standard, and what this chart promises beyond it: of the pod."""
    spec = rendered.pod["spec"]
    yield from (f"pod: {key}" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key))
    if spec.get("automountServiceAccountToken") is not False:
        yield "pod: mounts a token of the service account"
    if spec.get("enableServiceLinks") is not False:
        yield "pod: has an environment variable for every Service"
    for volume in spec.get("volumes", []):
        yield from (f"volume {volume['name']}: {kind} is not allowed" for kind in volume.keys() - _VOLUMES)
        mode = volume.get("projected", {}).get("defaultMode", 0)
        if mode & 0o007 or (mode and "fsGroup" not in spec.get("securityContext", {})):
            yield f"volume {volume['name']}: mode {mode:o} without fsGroup, or for everybody"


def security_of_containers(rendered: Rendered) -> Iterator[str]:
    """The same, of each container."""
    spec = rendered.pod["spec"]
    for container in spec["containers"] + spec.get("initContainers", []):
        context = spec.get("securityContext", {}) | container.get("securityContext", {})
        at = f"container {container['name']}"
        if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
            yield f"{at}: may run as root"
        if context.get("seccompProfile", {}).get("type") not in {"RuntimeDefault", "Localhost"}:
            yield f"{at}: no seccomp profile"
        if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
            yield f"{at}: may gain privileges"
        capabilities = context.get("capabilities", {})
        if capabilities.get("drop") != ["ALL"] or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
            yield f"{at}: keeps capabilities"
        if context.get("readOnlyRootFilesystem") is not True:
            yield f"{at}: can write to its root file system"
        yield from (f"{at}: host port {port['hostPort']}" for port in container.get("ports", []) if "hostPort" in port)


def quantities(rendered: Rendered) -> Iterator[str]:
    for container in rendered.pod["spec"]["containers"]:
        resources = container.get("resources", {})
        amounts: dict[tuple[str, str], Decimal] = {}
        for kind, named in resources.items():
            for resource, text in named.items():
                matched = _QUANTITY.fullmatch(str(text))
                if matched is None:
                    yield f"{container['name']}: {kind}.{resource}: {text!r} is no quantity"
                else:
                    amounts[kind, resource] = Decimal(matched[1]) * _SUFFIXES[matched[2]]
        if ("limits", "memory") not in amounts:
            yield f"{container['name']}: has no limit of memory"
        yield from (
            f"{container['name']}: requests more {resource} than its limit"
            for (kind, resource), amount in amounts.items()
            if kind == "requests" and amount > amounts.get(("limits", resource), amount)
        )


CHECKS: Final[tuple[Callable[[Rendered], Iterator[str]], ...]] = (
    arguments,
    own_checks,
    paths,
    security,
    security_of_containers,
    quantities,
)
