"""The checks themselves: each is shown one thing that is broken, and says so."""

from __future__ import annotations

from typing import Final

import pytest

from tests.deploy.cases import GONE, POD, KeyPath, changed, faults, rendered
from tests.deploy.chart import Rendered

CONTAINER: Final = (*POD, "containers", 0)


BROKEN: Final[dict[str, tuple[str, str, KeyPath, object, str]]] = {
    "name": ("default", "Service", ("metadata", "name"), "1st", "Service/1st: the name is no DNS label"),
    "namespace": ("default", "Service", ("metadata", "namespace"), "a", "Service/oxidized-exporter: has a namespace"),
    "label": ("default", "Service", ("metadata", "labels", "a"), "no words", "label a='no words'"),
    "labels": (
        "default",
        "Service",
        ("metadata", "labels", "app.kubernetes.io/version"),
        GONE,
        "lacks a recommended label",
    ),
    "selector-of-the-service": (
        "default",
        "Service",
        ("spec", "selector", "app.kubernetes.io/name"),
        "other",
        "Service: its selector",
    ),
    "selector-of-the-deployment": (
        "default",
        "Deployment",
        ("spec", "selector", "matchLabels", "app.kubernetes.io/name"),
        "other",
        "Deployment: its selector",
    ),
    "selector-of-the-budget": (
        "default",
        "PodDisruptionBudget",
        ("spec", "selector", "matchLabels", "app.kubernetes.io/instance"),
        "other",
        "PodDisruptionBudget: its selector",
    ),
    "selector-of-the-policy": (
        "network-policy",
        "NetworkPolicy",
        ("spec", "podSelector", "matchLabels"),
        {},
        "NetworkPolicy: its selector",
    ),
    "selector-of-a-spread": (
        "default",
        "Deployment",
        (*POD, "topologySpreadConstraints", 0, "labelSelector", "matchLabels", "a"),
        "b",
        "topologySpreadConstraints: ",
    ),
    "selector-of-the-monitor": (
        "service-monitor",
        "Service",
        ("metadata", "labels", "app.kubernetes.io/instance"),
        "other",
        "ServiceMonitor: no Service has the labels",
    ),
    "job-label": (
        "service-monitor",
        "ServiceMonitor",
        ("spec", "jobLabel"),
        "app",
        "ServiceMonitor: no Service has the label app",
    ),
    "port-of-the-monitor": (
        "service-monitor",
        "ServiceMonitor",
        ("spec", "endpoints", 0, "port"),
        "metrics",
        "ServiceMonitor: the Service has no port 'metrics'",
    ),
    "port-of-the-service": (
        "default",
        "Service",
        ("spec", "ports", 0, "targetPort"),
        "web",
        "Service: no container has the port 'web'",
    ),
    "port-of-the-policy": (
        "network-policy",
        "NetworkPolicy",
        ("spec", "ingress", 0, "ports", 0, "port"),
        "web",
        "NetworkPolicy: no container has the port 'web'",
    ),
    "port-of-a-probe": (
        "default",
        "Deployment",
        (*CONTAINER, "readinessProbe", "httpGet", "port"),
        "web",
        "readinessProbe: the container has no port 'web'",
    ),
    "everybody-in": (
        "network-policy",
        "NetworkPolicy",
        ("spec", "ingress", 0, "from"),
        [],
        "NetworkPolicy: lets everybody in",
    ),
    "everything-out": (
        "network-policy",
        "NetworkPolicy",
        ("spec", "egress", 1, "to"),
        GONE,
        "NetworkPolicy: lets everything out",
    ),
    "no-dns": (
        "network-policy",
        "NetworkPolicy",
        ("spec", "egress", 0, "ports", 0, "port"),
        54,
        "NetworkPolicy: no DNS can be asked",
    ),
    "prober": ("probes", "Probe", ("spec", "prober", "url"), "other:10888", "Probe: other:10888 is none of"),
    "scrape-config": (
        "scrape-config",
        "ScrapeConfig",
        ("spec", "relabelings", 2, "replacement"),
        "oxidized-exporter:10888",
        "does not lead to one of",
    ),
    "autoscaled": (
        "autoscaling",
        "HorizontalPodAutoscaler",
        ("spec", "scaleTargetRef", "name"),
        "other",
        "HorizontalPodAutoscaler: scales {",
    ),
    "replicas": ("autoscaling", "Deployment", ("spec", "replicas"), 2, "the Deployment's replicas fight it"),
    "percentage": (
        "autoscaling",
        "Deployment",
        (*CONTAINER, "resources", "requests", "cpu"),
        GONE,
        "a container requests no CPU to take a percentage of",
    ),
    "budget": (
        "default",
        "PodDisruptionBudget",
        ("spec", "maxUnavailable"),
        GONE,
        "PodDisruptionBudget: keeps a node from being drained",
    ),
    "volume": ("config-map", "Deployment", (*POD, "volumes", 0, "name"), "a", "exporter: mounts 'config', which is no"),
    "sub-path": (
        "config-map",
        "Deployment",
        (*CONTAINER, "volumeMounts", 0, "subPath"),
        "config.yml",
        "exporter: mounts 'config' by subPath",
    ),
    "config-map": ("config-map", "ConfigMap", ("metadata", "name"), "a", "ConfigMap/oxidized: nobody makes it"),
    "key": ("config-in-secret", "Secret", ("stringData",), {"a": "b"}, "nobody makes it with the key 'config.yml'"),
    "account": ("default", "ServiceAccount", ("metadata", "name"), "a", "ServiceAccount/oxidized-exporter: nobody"),
    "null": (
        "default",
        "Deployment",
        (*CONTAINER, "env"),
        None,
        "Deployment.spec.template.spec.containers[0].env: null",
    ),
    "flag": ("default", "Deployment", (*CONTAINER, "args", 0), "--web.listen=:1", "args: No such option"),
    "value-of-a-flag": ("default", "Deployment", (*CONTAINER, "args", 1), "--web.shutdown-delay=10s", "'10s' is not a"),
    "listens-elsewhere": (
        "default",
        "Deployment",
        (*CONTAINER, "args", 0),
        "--web.listen-address=:8080",
        "args: listens on :8080, the container's port is 10888",
    ),
    "grace": (
        "default",
        "Deployment",
        (*POD, "terminationGracePeriodSeconds"),
        40,
        "terminationGracePeriodSeconds: 40 is not enough for a delay of 10 s",
    ),
    "mount": (
        "config-map",
        "Deployment",
        (*CONTAINER, "volumeMounts", 0, "mountPath"),
        "/etc/oxidized",
        "args: nothing is mounted at /etc/oxidized_exporter",
    ),
    "path": (
        "default",
        "Deployment",
        (*CONTAINER, "livenessProbe", "httpGet", "path"),
        "/healthz",
        "livenessProbe: the exporter has no GET /healthz",
    ),
    "path-of-the-prober": ("probes", "Probe", ("spec", "prober", "path"), "/scrape", "Probe: the exporter has no GET"),
    "path-of-the-reloader": (
        "reload",
        "Deployment",
        (*POD, "containers", 1, "args", 1),
        "--reload-url=http://127.0.0.1:10888/reload",
        "reloader: the exporter has no POST /reload",
    ),
    "reload-forbidden": (
        "reload",
        "Deployment",
        (*CONTAINER, "args", 4),
        "--log.level=info",
        "reloader: the exporter does not allow a reload",
    ),
    "root": ("default", "Deployment", (*POD, "securityContext", "runAsUser"), 0, "container exporter: may run as root"),
    "seccomp": ("default", "Deployment", (*POD, "securityContext", "seccompProfile"), GONE, "no seccomp profile"),
    "privileges": (
        "default",
        "Deployment",
        (*CONTAINER, "securityContext", "allowPrivilegeEscalation"),
        GONE,
        "may gain privileges",
    ),
    "capabilities": (
        "default",
        "Deployment",
        (*CONTAINER, "securityContext", "capabilities"),
        {"drop": ["ALL"], "add": ["NET_RAW"]},
        "keeps capabilities",
    ),
    "root-file-system": (
        "default",
        "Deployment",
        (*CONTAINER, "securityContext", "readOnlyRootFilesystem"),
        False,
        "can write to its root file system",
    ),
    "host-network": ("default", "Deployment", (*POD, "hostNetwork"), True, "pod: hostNetwork"),
    "token": ("default", "Deployment", (*POD, "automountServiceAccountToken"), GONE, "pod: mounts a token"),
    "links": (
        "default",
        "Deployment",
        (*POD, "enableServiceLinks"),
        GONE,
        "pod: has an environment variable for every",
    ),
    "host-path": (
        "scheduling",
        "Deployment",
        (*POD, "volumes", 0),
        {"name": "more", "hostPath": {"path": "/"}},
        "volume more: hostPath is not allowed",
    ),
    "mode": (
        "config-map",
        "Deployment",
        (*POD, "volumes", 0, "projected", "defaultMode"),
        0o444,
        "volume config: mode 444 without fsGroup, or for everybody",
    ),
    "quantity": (
        "default",
        "Deployment",
        (*CONTAINER, "resources", "limits", "memory"),
        "512MB",
        "exporter: limits.memory: '512MB' is no quantity",
    ),
    "request-over-limit": (
        "default",
        "Deployment",
        (*CONTAINER, "resources", "requests", "memory"),
        "1Gi",
        "exporter: requests more memory than its limit",
    ),
    "no-limit": ("default", "Deployment", (*CONTAINER, "resources"), GONE, "exporter: has no limit of memory"),
}


@pytest.mark.parametrize("case,kind,path,value,message", BROKEN.values(), ids=BROKEN)
def test_what_does_not_fit_is_told(case: str, kind: str, path: KeyPath, value: object, message: str) -> None:
    told = faults(changed(case, kind, path, value))
    assert any(message in fault for fault in told), told


def test_an_object_that_stands_twice_is_told() -> None:
    good = rendered("default")
    assert "ServiceAccount/oxidized-exporter: stands twice" in faults(
        Rendered([*good.objects, *good.of("ServiceAccount")])
    )
