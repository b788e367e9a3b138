"""The chart, as the real Helm renders it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import yaml

from tests.deploy.binaries import program
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

CHART: Final = ROOT / "deploy" / "helm" / "oxidized-exporter"
CASES: Final = Path(__file__).parent / "values"
RELEASE: Final = "oxidized-exporter"
NAMESPACE: Final = "monitoring"
OLDEST: Final = "1.27.0"
NEWEST: Final = "1.37.0"

Object: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rendered:
    """The objects of one rendering; ``given`` are the ``Kind/name`` that the values say exist already."""

    objects: Sequence[Object]
    given: frozenset[str] = frozenset()

    def of(self, kind: str) -> list[Object]:
        return [found for found in self.objects if found["kind"] == kind]

    def named(self, kind: str, name: str) -> Object | None:
        return next((found for found in self.of(kind) if found["metadata"]["name"] == name), None)

    @property
    def pod(self) -> Object:
        """The pod template of the one Deployment."""
        (deployment,) = self.of("Deployment")
        pod: Object = deployment["spec"]["template"]
        return pod


class RefusedError(Exception):
    """Helm refuses; the message is what it says."""


class UniqueKeysLoader(yaml.CSafeLoader):
    """Refuses a key that stands twice, as an API server does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) < len(node.value):
            raise yaml.constructor.ConstructorError(None, None, f"a key stands twice among {list(mapping)}")
        return mapping


def load_all(text: str) -> list[Object]:
    """Read a stream of YAML documents, the empty ones left out."""
    return [document for document in yaml.load_all(text, Loader=UniqueKeysLoader) if document is not None]


def values_of(path: Path) -> Object:
    """Read a file of values."""
    (values,) = load_all(path.read_text())
    return values


def template_text(
    values: Mapping[str, object],
    *,
    release: str = RELEASE,
    kube_version: str = NEWEST,
    helm: str = "helm4",
    chart: Path = CHART,
) -> str:
    """Return what ``helm template`` prints.

    Raises:
        RefusedError: it refuses the values.
    """
    return _helm(
        helm,
        "template",
        release,
        str(chart),
        f"--namespace={NAMESPACE}",
        f"--kube-version={kube_version}",
        values=values,
    )


def template(values: Mapping[str, object], **settings: Any) -> list[Object]:
    """Return the objects that ``helm template`` prints; settings as of `template_text`."""
    return load_all(template_text(values, **settings))


def lint(values: Mapping[str, object], *, helm: str = "helm4", chart: Path = CHART) -> str:
    """Return what ``helm lint --strict`` prints.

    Raises:
        RefusedError: it finds a fault or has a warning.
    """
    return _helm(helm, "lint", "--strict", str(chart), values=values)


def notes(values: Mapping[str, object]) -> str:
    """Return NOTES.txt as rendered, which ``helm template`` leaves out."""
    printed = _helm(
        "helm4", "install", RELEASE, str(CHART), f"--namespace={NAMESPACE}", "--dry-run=client", values=values
    )
    return printed.partition("NOTES:\n")[2]


def _helm(helm: str, *arguments: str, values: Mapping[str, object]) -> str:
    done = subprocess.run(  # noqa: S603 - a program of the checks, with arguments of the checks
        [program(helm), *arguments, "--values=-"],
        input=json.dumps(values),  # which is YAML, and leaves no doubt what is text
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    if done.returncode:
        raise RefusedError((done.stdout + done.stderr).strip())
    return done.stdout
