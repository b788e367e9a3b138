"""The checks of `wiring`: each is shown one thing that is broken, and says so."""

from __future__ import annotations

from typing import Final

import pytest

from tests.deploy.cases import GONE, POD, KeyPath, changed, faults, rendered
from tests.deploy.chart import NAMESPACE, Rendered

CONTAINER: Final = (*POD, "containers", 0)


BROKEN: Final[dict[str, tuple[str, str, KeyPath, object, str]]] = {
    "name": ("default", "Service", ("metadata", "name"), "1st", "Service/1st: the name is no DNS label"),
    "namespace": ("default", "Service", ("metadata", "namespace"), "a", "Service/oxidized-exporter: has a namespace"),
    "label": ("default", "Service", ("metadata", "labels", "a"), "no words", "label a='no words'"),
    "key-of-a-label": ("default", "Service", ("metadata", "labels", "a b"), "c", "label 'a b' is no key"),
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
    "port-of-the-first-probe": (
        "default",
        "Deployment",
        (*CONTAINER, "startupProbe", "httpGet", "port"),
        "web",
        "startupProbe: the container has no port 'web'",
    ),
    "port-of-a-socket": (
        "web-config-mutual",
        "Deployment",
        (*CONTAINER, "readinessProbe", "tcpSocket", "port"),
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
    "one-way": (
        "network-policy",
        "NetworkPolicy",
        ("spec", "policyTypes"),
        ["Ingress"],
        "NetworkPolicy: is not for both ways",
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
    "discovery": (
        "discovery",
        "ScrapeConfig",
        ("spec", "httpSDConfigs", 0, "url"),
        "http://oxidized-exporter:10888/oxidized/exporter/sd",
        "is none of",
    ),
    "discovered-twice": (
        "discovery",
        "ScrapeConfig",
        ("spec", "httpSDConfigs"),
        [{"url": f"http://oxidized-exporter.{NAMESPACE}.svc:10888/sd"}] * 2,
        "is none of",
    ),
    "discovery-relabelled": (
        "discovery",
        "ScrapeConfig",
        ("spec", "relabelings"),
        [{"targetLabel": "instance", "replacement": "a"}],
        "ScrapeConfig: relabelings beside httpSDConfigs",
    ),
    "autoscaled": (
        "autoscaling",
        "HorizontalPodAutoscaler",
        ("spec", "scaleTargetRef", "name"),
        "other",
        "HorizontalPodAutoscaler: scales {",
    ),
    "autoscaled-in-another-version": (
        "autoscaling",
        "HorizontalPodAutoscaler",
        ("spec", "scaleTargetRef", "apiVersion"),
        "apps/v2",
        "HorizontalPodAutoscaler: scales {",
    ),
    "bounds": (
        "autoscaling",
        "HorizontalPodAutoscaler",
        ("spec", "minReplicas"),
        1000,
        "HorizontalPodAutoscaler: minReplicas exceeds maxReplicas",
    ),
    "replicas": ("autoscaling", "Deployment", ("spec", "replicas"), 2, "the Deployment's replicas fight it"),
    "percentage": (
        "autoscaling",
        "Deployment",
        (*CONTAINER, "resources", "limits", "cpu"),
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
    "budget-of-none": (
        "default",
        "PodDisruptionBudget",
        ("spec", "maxUnavailable"),
        "0%",
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
