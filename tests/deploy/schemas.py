"""Every object against the schema of its type: unknown keys and types are faults."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, Final

import jsonschema
from cloudcoil.models.prometheus_operator import v1, v1alpha1
from kubernetes_validate import utils as kubernetes

if TYPE_CHECKING:
    from tests.deploy.chart import Object

_OPERATOR_TYPES: Final = {
    ("monitoring.coreos.com/v1", "Probe"): v1.Probe,
    ("monitoring.coreos.com/v1", "ServiceMonitor"): v1.ServiceMonitor,
    ("monitoring.coreos.com/v1", "PrometheusRule"): v1.PrometheusRule,
    ("monitoring.coreos.com/v1alpha1", "ScrapeConfig"): v1alpha1.ScrapeConfig,
}

# The package reads a megabyte anew for each object.
kubernetes.schema_contents = functools.cache(kubernetes.schema_contents)


def schema_fault(judged: Object, *, kube_version: str) -> str | None:
    """Return what is wrong with an object in a version of Kubernetes, or None."""
    return _fault(json.dumps(judged, sort_keys=True), kube_version)


@functools.cache
def _fault(text: str, kube_version: str) -> str | None:
    judged = json.loads(text)
    kind = (judged["apiVersion"], judged["kind"])
    try:
        if kind in _OPERATOR_TYPES:
            jsonschema.validate(judged, _operator_schema(kind), cls=jsonschema.Draft202012Validator)
        else:
            kubernetes.validate(judged, kube_version, strict=True)
    except kubernetes.SchemaNotFoundError as error:
        return str(error.message)
    except jsonschema.ValidationError as error:
        most_telling = jsonschema.exceptions.best_match([error])
        return f"{'.'.join(str(part) for part in most_telling.absolute_path)}: {most_telling.message}"
    return None


@functools.cache
def _operator_schema(kind: tuple[str, str]) -> Any:
    schema = _OPERATOR_TYPES[kind].model_json_schema(by_alias=True)
    _tighten(schema)
    schema["properties"]["apiVersion"] = {"const": kind[0]}
    schema["properties"]["kind"] = {"const": kind[1]}
    schema["required"] = ["apiVersion", "kind", "metadata", "spec"]
    return schema


def _tighten(schema: object) -> None:
    """Forbid unknown keys, and null where the model has a default: an API server drops both silently."""
    if isinstance(schema, dict):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
        if "anyOf" in schema:
            schema["anyOf"] = [part for part in schema["anyOf"] if part != {"type": "null"}]
        if isinstance(schema.get("pattern"), str):
            schema["pattern"] = schema["pattern"].replace("^(?i)", "(?i)^")  # Go's form, which Python refuses
        for part in schema.values():
            _tighten(part)
    elif isinstance(schema, list):
        for part in schema:
            _tighten(part)
