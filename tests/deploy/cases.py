"""The cases: files of values, what the chart renders of them, and what all the checks say to that."""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tests.deploy import pods, wiring
from tests.deploy.chart import CASES, NEWEST, Rendered, template, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

VALUES: Final[dict[str, dict[str, Any]]] = {"default": {}} | {
    path.stem: values_of(path) for path in sorted(CASES.glob("*.yml"))
}

GONE: Final = object()
KeyPath: TypeAlias = tuple[str | int, ...]
POD: Final = ("spec", "template", "spec")


@functools.cache
def rendered(case: str, kube_version: str = NEWEST) -> Rendered:
    """Return what a case renders."""
    return Rendered(template(VALUES[case], kube_version=kube_version), given=given(VALUES[case]))


def given(values: Mapping[str, Any]) -> frozenset[str]:
    """Return what exists already, by the values' word."""
    config, account = values.get("config", {}), values.get("serviceAccount", {})
    web_config = values.get("webConfig", {})
    files = [*config.get("files", []), *web_config.get("files", [])]
    named = {
        f"ConfigMap/{config.get('existingConfigMap')}",
        f"Secret/{config.get('existingSecret')}",
        f"Secret/{web_config.get('existingSecret')}",
        *(f"ConfigMap/{file['configMap']}" for file in files if "configMap" in file),
        *(f"Secret/{file['secret']}" for file in files if "secret" in file),
    }
    return frozenset(
        named | ({f"ServiceAccount/{account.get('name', 'default')}"} if not account.get("create", True) else set())
    )


def faults(judged: Rendered) -> list[str]:
    return [fault for check in (*wiring.CHECKS, *pods.CHECKS) for fault in check(judged)]


def changed(case: str, kind: str, path: KeyPath, value: object) -> Rendered:
    """Return what a case renders, with one thing of its first object of a kind in place of another, or gone."""
    good = rendered(case)
    objects = copy.deepcopy(good.objects)
    part: Any = next(found for found in objects if found["kind"] == kind)
    for key in path[:-1]:
        part = part[key]
    if value is GONE:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    return Rendered(objects, given=good.given)
