"""Writes what is made of the chart and for it: ``python -m tests.deploy.manifests``.

deploy/kubernetes/ is the chart rendered, for those who use no Helm; the chart holds copies of the rules of Prometheus,
of the dashboard and, in the schema of its values, of the schema of the configuration file.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from deploy.grafana.dashboard import FILE as DASHBOARD
from deploy.grafana.dashboard import build, encode
from tests.deploy.chart import CHART, template
from tests.rule_files import ROOT, RULES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deploy.chart import Object

RULES_OF_CHART: Final = CHART / "files" / "rules"
DASHBOARD_OF_CHART: Final = CHART / "files" / "dashboards" / DASHBOARD.name
MANIFESTS: Final = ROOT / "deploy" / "kubernetes"
VALUES_SCHEMA: Final = CHART / "values.schema.json"

# A configuration to begin with, which says what holds without one.
_VALUES: Final = {
    "config": {"data": {"modules": {"default": {"collectors": ["nodes"]}}}, "onChange": "none"},
    "serviceMonitor": {"enabled": True},
    "prometheusRule": {"enabled": True},
}
_OPERATOR: Final = "prometheus-operator"
_OF_HELM: Final = ("helm.sh/chart", "app.kubernetes.io/managed-by")
_HEAD: Final = (
    "# Written by `make manifests` from the chart. To have it otherwise, patch it with Kustomize, or edit your copy"
)
_RESTART: Final = "; then run\n# `kubectl rollout restart deployment/oxidized-exporter`"


def parts_of_chart() -> dict[Path, str]:
    """Return what the chart holds of others: the rules, the dashboard, and the schema of the configuration file.

    The chart's dashboard has no blanks: what `kubectl apply` notes of an object must fit into 256 KiB with it.
    """
    rules = {RULES_OF_CHART / path.name: path.read_text() for path in sorted(RULES.glob("*.yml"))}
    dashboard = encode(build())
    packed = json.dumps(json.loads(dashboard), separators=(",", ":"), ensure_ascii=False) + "\n"
    return rules | {DASHBOARD: dashboard, DASHBOARD_OF_CHART: packed, VALUES_SCHEMA: _values_schema()}


def manifests() -> dict[Path, str]:
    """Return the plain manifests, rendered from the chart as it stands."""
    folders: dict[Path, list[Object]] = {MANIFESTS: [], MANIFESTS / _OPERATOR: []}
    for found in template(_VALUES):
        _forget_helm(found)
        folders[MANIFESTS / _OPERATOR if "coreos.com" in found["apiVersion"] else MANIFESTS].append(found)
    written: dict[Path, str] = {}
    for folder, objects in folders.items():
        names = [f"{found['kind'].lower()}.yml" for found in objects]
        for name, found in zip(names, objects, strict=True):
            written[folder / name] = _headed(found, _RESTART if found["kind"] == "ConfigMap" else "")
        kustomization = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": names}
        written[folder / "kustomization.yaml"] = _headed(kustomization)
    return written


def standing() -> set[Path]:
    """Return the files that stand where these are written."""
    dashboards = {*DASHBOARD.parent.glob("*.json"), *DASHBOARD_OF_CHART.parent.glob("*.json")}
    return {*MANIFESTS.rglob("*.y*ml"), *RULES_OF_CHART.glob("*.yml"), *dashboards, VALUES_SCHEMA}


def write() -> None:
    """Write them all, first what the chart is rendered with, and delete what is none of them any more."""
    written: dict[Path, str] = {}
    for made in (parts_of_chart, manifests):
        for path, content in made().items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            written[path] = content
    for path in standing() - written.keys():
        path.unlink()


def _forget_helm(part: object) -> None:
    """Take out the labels that would be a lie without Helm."""
    if isinstance(part, dict):
        for label in _OF_HELM:
            part.pop(label, None)
        for value in part.values():
            _forget_helm(value)
    elif isinstance(part, list):
        for value in part:
            _forget_helm(value)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _headed(content: Object, then: str = "") -> str:
    return f"{_HEAD}{then}.\n" + yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=120)


def _values_schema() -> str:
    """Return the schema of the values, with that of the configuration file as it is now."""
    schema = json.loads(VALUES_SCHEMA.read_text())
    configuration = _for_go(json.loads((ROOT / "docs" / "config.schema.json").read_text()))
    schema["$defs"] = configuration.pop("$defs")
    properties = configuration["properties"]
    schema["properties"]["config"]["properties"]["data"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }
    return json.dumps(schema, indent=2) + "\n"


def _for_go(part: Any) -> Any:
    """Return a schema without what Helm's regular expressions cannot do (looking ahead), saying the same."""
    if isinstance(part, list):
        return [_for_go(each) for each in part]
    if not isinstance(part, dict):
        return part
    same = {key: _for_go(each) for key, each in part.items()}
    for pattern in part.get("patternProperties", {}):
        ahead = re.match(r"\^\(\?!([^()]*)\)", pattern)
        if ahead is not None:
            same["patternProperties"]["^" + pattern[ahead.end() :]] = same["patternProperties"].pop(pattern)
            same["propertyNames"] = {"not": {"pattern": f"^(?:{ahead[1]})"}}
    return same


if __name__ == "__main__":
    write()
