"""The schemas: each is shown one thing that it does not allow, and says so."""

from __future__ import annotations

from typing import Final

import pytest
import yaml

from tests.deploy.cases import GONE, POD, KeyPath, changed, rendered
from tests.deploy.chart import NEWEST, OLDEST, load_all
from tests.deploy.schemas import schema_fault

OF_SCHEMA: Final[dict[str, tuple[str, str, KeyPath, object, str]]] = {
    "unknown-key": ("default", "Deployment", (*POD, "replica"), 1, "('replica' was unexpected)"),
    "unknown-key-of-a-probe": ("probes", "Probe", ("spec", "prober", "uri"), "a", "('uri' was unexpected)"),
    "unknown-key-of-a-scrape": (
        "scrape-config",
        "ScrapeConfig",
        ("spec", "interval"),
        "1m",
        "('interval' was unexpected)",
    ),
    "unknown-key-of-a-monitor": (
        "service-monitor",
        "ServiceMonitor",
        ("spec", "endpoints", 0, "intervall"),
        "1m",
        "('intervall' was unexpected)",
    ),
    "unknown-key-of-a-rule": (
        "prometheus-rule",
        "PrometheusRule",
        ("spec", "groups", 0, "rules", 0, "runbook"),
        "a",
        "('runbook' was unexpected)",
    ),
    "type": ("default", "Service", ("spec", "ports", 0, "port"), "10888", "'10888' is not of type 'integer'"),
    "type-of-the-operator": ("probes", "Probe", ("spec", "module"), 7, "7 is not of type 'string'"),
    "duration": ("probes", "Probe", ("spec", "interval"), "1 minute", "'1 minute' does not match"),
    "choice": ("scrape-config", "ScrapeConfig", ("spec", "scheme"), "http", "'http' is not one of ['HTTP', 'HTTPS']"),
    "missing": ("default", "Deployment", ("spec", "selector"), GONE, "'selector' is a required property"),
    "no-such-kind": (
        "default",
        "PodDisruptionBudget",
        ("apiVersion",),
        "policy/v1beta1",
        "Couldn't find schema for kind PodDisruptionBudget with api version policy/v1beta1",
    ),
}


@pytest.mark.parametrize("case,kind,path,value,message", OF_SCHEMA.values(), ids=OF_SCHEMA)
def test_what_its_type_does_not_allow_is_told(case: str, kind: str, path: KeyPath, value: object, message: str) -> None:
    (broken, *_) = changed(case, kind, path, value).of(kind)
    assert message in str(schema_fault(broken, kube_version=NEWEST))


def test_what_only_a_newer_kubernetes_knows_is_told() -> None:
    (budget,) = rendered("default").of("PodDisruptionBudget")
    assert "'unhealthyPodEvictionPolicy' was unexpected" in str(schema_fault(budget, kube_version="1.25.0"))
    assert schema_fault(budget, kube_version=OLDEST) is None


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(yaml.constructor.ConstructorError, match="a key stands twice"):
        load_all("a: {b: 1, b: 2}")
