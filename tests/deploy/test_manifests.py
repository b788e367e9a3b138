"""deploy/kubernetes/ and the chart's copies are current, and what they say holds without Helm."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from tests.deploy import manifests
from tests.deploy.binaries import program
from tests.deploy.cases import faults
from tests.deploy.chart import NEWEST, OLDEST, Rendered, load_all
from tests.deploy.schemas import schema_fault
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from pathlib import Path

OPERATOR: Final = manifests.MANIFESTS / "prometheus-operator"


def kustomized(folder: Path) -> list[dict[str, object]]:
    """Build a folder with the real Kustomize."""
    done = subprocess.run(  # noqa: S603 - a program of the checks
        [program("kubectl"), "kustomize", str(folder)], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stderr == ""
    return load_all(done.stdout)


def test_what_is_written_is_current() -> None:
    expected = manifests.parts_of_chart() | manifests.manifests()
    assert manifests.standing() == set(expected), "run `make manifests`"
    for path, content in expected.items():
        assert path.read_text() == content, f"{path.relative_to(ROOT)}: run `make manifests`"


@pytest.mark.parametrize("kube_version", [OLDEST, NEWEST])
def test_objects_hold_to_their_schemas_and_fit_together(kube_version: str) -> None:
    built = Rendered([*kustomized(manifests.MANIFESTS), *kustomized(OPERATOR)])
    assert [fault for found in built.objects if (fault := schema_fault(found, kube_version=kube_version))] == []
    assert faults(built) == []
    assert {found["kind"] for found in built.objects} >= {"Deployment", "Service", "ConfigMap", "ServiceMonitor"}


def test_nothing_is_left_of_helm() -> None:
    text = "".join(path.read_text() for path in manifests.MANIFESTS.rglob("*.y*ml"))
    assert "helm" not in text.lower()
    assert "checksum" not in text
    assert "namespace:" not in text
