"""What no schema sees: names that objects know each other by. Every check yields what is wrong, in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tests.deploy.chart import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.deploy.chart import Object, Rendered

_LABEL: Final = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_KEY: Final = re.compile(r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_VALUE: Final = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?")
# What the labels of discovered targets say already.
_OF_STATIC: Final = {"metricsPath", "params", "staticConfigs", "relabelings"}
# Ports of an egress rule, as the chart writes them.
_DNS: Final = {(("port", 53), ("protocol", protocol)) for protocol in ("UDP", "TCP")}


def _meets(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    assert set(selector) == {"matchLabels"}, selector
    return bool(selector["matchLabels"]) and selector["matchLabels"].items() <= labels.items()


def names(rendered: Rendered) -> Iterator[str]:
    seen = set()
    for found in rendered.objects:
        name = found["metadata"]["name"]
        at = f"{found['kind']}/{name}"
        if at in seen:
            yield f"{at}: stands twice"
        seen.add(at)
        if not _LABEL.fullmatch(name):
            yield f"{at}: the name is no DNS label of at most 63 characters that begins with a letter"
        if "namespace" in found["metadata"]:
            yield f"{at}: has a namespace"
        labels = found["metadata"].get("labels", {})
        if not {"app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/version"} <= labels.keys():
            yield f"{at}: lacks a recommended label"
        yield from (f"{at}: label {key}={value!r}" for key, value in labels.items() if not _VALUE.fullmatch(value))
        yield from (f"{at}: label {key!r} is no key" for key in labels if not _KEY.fullmatch(key))


def selectors(rendered: Rendered) -> Iterator[str]:
    labels = rendered.pod["metadata"]["labels"]
    for found in rendered.objects:
        spec = found.get("spec", {})
        match found["kind"]:
            case "Service":
                selector = {"matchLabels": spec["selector"]}
            case "Deployment" | "PodDisruptionBudget":
                selector = spec["selector"]
            case "NetworkPolicy":
                selector = spec["podSelector"]
            case _:
                continue
        if not _meets(selector, labels):
            yield f"{found['kind']}: its selector {selector} does not meet the pods' {labels}"
    for constraint in rendered.pod["spec"].get("topologySpreadConstraints", []):
        if not _meets(constraint["labelSelector"], labels):
            yield f"topologySpreadConstraints: {constraint['labelSelector']} does not meet the pods' {labels}"


def scaling(rendered: Rendered) -> Iterator[str]:
    (deployment,) = rendered.of("Deployment")
    for autoscaler in rendered.of("HorizontalPodAutoscaler"):
        target = autoscaler["spec"]["scaleTargetRef"]
        if target["name"] != deployment["metadata"]["name"] or target["apiVersion"] != deployment["apiVersion"]:
            yield f"HorizontalPodAutoscaler: scales {target}, which is not here"
        if "replicas" in deployment["spec"]:
            yield "HorizontalPodAutoscaler: the Deployment's replicas fight it"
        if not all(map(_cpu_is_requested, _containers(rendered))):
            yield "HorizontalPodAutoscaler: a container requests no CPU to take a percentage of"
        if autoscaler["spec"]["minReplicas"] > autoscaler["spec"]["maxReplicas"]:
            yield "HorizontalPodAutoscaler: minReplicas exceeds maxReplicas"
    for budget in rendered.of("PodDisruptionBudget"):
        if str(budget["spec"].get("maxUnavailable")) in {"None", "0", "0%"}:
            yield "PodDisruptionBudget: keeps a node from being drained"


def ports(rendered: Rendered) -> Iterator[str]:
    of_pod = _ports_of_pod(rendered)
    for service in rendered.of("Service"):
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in of_pod:
                yield f"Service: no container has the port {port['targetPort']!r}"
    for container in _containers(rendered):
        own = {port["name"] for port in container.get("ports", [])}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = container.get(probe, {})
            for kind in ("httpGet", "tcpSocket"):
                if kind in asked and asked[kind]["port"] not in own:
                    yield f"{probe}: the container has no port {asked[kind]['port']!r}"


def policies(rendered: Rendered) -> Iterator[str]:
    for policy in rendered.of("NetworkPolicy"):
        if policy["spec"]["policyTypes"] != ["Ingress", "Egress"]:
            yield "NetworkPolicy: is not for both ways"
        for rule in policy["spec"]["ingress"]:
            if not rule.get("from"):
                yield "NetworkPolicy: lets everybody in"
            for port in rule["ports"]:
                if port["port"] not in _ports_of_pod(rendered):
                    yield f"NetworkPolicy: no container has the port {port['port']!r}"
        if any(not rule.get("to") for rule in policy["spec"]["egress"]):
            yield "NetworkPolicy: lets everything out"
        if not any(
            {tuple(port.items()) for port in rule.get("ports", [])} >= _DNS for rule in policy["spec"]["egress"]
        ):
            yield "NetworkPolicy: no DNS can be asked"


def monitors(rendered: Rendered) -> Iterator[str]:
    """What a ServiceMonitor looks for, exactly the Service must have."""
    (service,) = rendered.of("Service")
    labels = service["metadata"]["labels"]
    of_service = {port["name"] for port in service["spec"]["ports"]}
    for monitor in rendered.of("ServiceMonitor"):
        if not _meets(monitor["spec"]["selector"], labels):
            yield f"ServiceMonitor: no Service has the labels {monitor['spec']['selector']}"
        if monitor["spec"]["jobLabel"] not in labels:
            yield f"ServiceMonitor: no Service has the label {monitor['spec']['jobLabel']}"
        for endpoint in monitor["spec"]["endpoints"]:
            if endpoint["port"] not in of_service:
                yield f"ServiceMonitor: the Service has no port {endpoint['port']!r}"


def probers(rendered: Rendered) -> Iterator[str]:
    """Whom a Probe or a ScrapeConfig asks must be the Service."""
    addresses = {
        f"{service['metadata']['name']}.{NAMESPACE}.svc:{port['port']}"
        for service in rendered.of("Service")
        for port in service["spec"]["ports"]
    }
    for probe in rendered.of("Probe"):
        if probe["spec"]["prober"]["url"] not in addresses:
            yield f"Probe: {probe['spec']['prober']['url']} is none of {addresses}"
    for scrape in rendered.of("ScrapeConfig"):
        if "httpSDConfigs" in scrape["spec"]:
            asked = [urlsplit(discovery["url"]).netloc for discovery in scrape["spec"]["httpSDConfigs"]]
            if len(asked) != 1 or asked[0] not in addresses:
                yield f"ScrapeConfig: {asked} is none of {addresses}"
            yield from (f"ScrapeConfig: {key} beside httpSDConfigs" for key in _OF_STATIC & scrape["spec"].keys())
            continue
        rules = scrape["spec"]["relabelings"]
        steps = [
            (rule.get("sourceLabels"), rule["targetLabel"], rule.get("replacement") in addresses) for rule in rules
        ]
        if steps != [
            (["__address__"], "__param_target", False),
            (["__param_target"], "instance", False),
            (None, "__address__", True),
        ]:
            yield f"ScrapeConfig: {rules} does not lead to one of {addresses}"


def volumes(rendered: Rendered) -> Iterator[str]:
    """Every mount has its volume, and every ConfigMap and Secret is rendered with its key, or given."""
    spec = rendered.pod["spec"]
    known = {volume["name"] for volume in spec.get("volumes", [])}
    for container in _containers(rendered):
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in known:
                yield f"{container['name']}: mounts {mount['name']!r}, which is no volume"
            if "subPath" in mount:
                yield f"{container['name']}: mounts {mount['name']!r} by subPath, where no update arrives"
    for volume in spec.get("volumes", []):
        for source in volume.get("projected", {}).get("sources", []):
            for field, named in source.items():
                kind = {"configMap": "ConfigMap", "secret": "Secret"}[field]
                found = rendered.named(kind, named["name"])
                content = {} if found is None else {**found.get("data", {}), **found.get("stringData", {})}
                missing = [item["key"] for item in named["items"] if item["key"] not in content]
                if missing and f"{kind}/{named['name']}" not in rendered.given:
                    yield f"{kind}/{named['name']}: nobody makes it with the key {missing[0]!r}"
    account = spec["serviceAccountName"]
    if rendered.named("ServiceAccount", account) is None and f"ServiceAccount/{account}" not in rendered.given:
        yield f"ServiceAccount/{account}: nobody makes it"


def nulls(rendered: Rendered) -> Iterator[str]:
    def paths(value: object, at: str) -> Iterator[str]:
        match value:
            case None:
                yield f"{at}: null"
            case dict():
                for key, part in value.items():
                    yield from paths(part, f"{at}.{key}")
            case list():
                for number, part in enumerate(value):
                    yield from paths(part, f"{at}[{number}]")

    for found in rendered.objects:
        yield from paths(found, found["kind"])


def _cpu_is_requested(container: Object) -> bool:
    """Tell whether it is, or has a limit, which Kubernetes takes for it."""
    return any("cpu" in amounts for amounts in container.get("resources", {}).values())


def _ports_of_pod(rendered: Rendered) -> set[str]:
    return {port["name"] for container in _containers(rendered) for port in container.get("ports", [])}


def _containers(rendered: Rendered) -> list[Object]:
    containers: list[Object] = rendered.pod["spec"]["containers"]
    return containers


CHECKS: Final[tuple[Callable[[Rendered], Iterator[str]], ...]] = (
    names,
    selectors,
    scaling,
    ports,
    policies,
    monitors,
    probers,
    volumes,
    nulls,
)
