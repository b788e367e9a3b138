"""The programs of the checks, where none were unpacked: those on the PATH, if they are the right ones."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.deploy import binaries
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from pathlib import Path

find = binaries.program.__wrapped__  # the same, without what it found before


@pytest.fixture
def helms() -> dict[str, str]:
    return {name: binaries.program(name) for name in ("helm3", "helm4")}


@pytest.fixture
def path(helms: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the PATH, in which `helm` is Helm 4."""
    (tmp_path / "helm").symlink_to(helms["helm4"])
    monkeypatch.setattr(binaries, "FOLDER", tmp_path / "nothing-unpacked")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_helm_of_another_version_is_refused(path: Path) -> None:
    assert find("helm4") == str(path / "helm")
    with pytest.raises(FileNotFoundError, match=r"/helm is Helm v4\.\S+: put a Helm 3 on the PATH as helm3"):
        find("helm3")


def test_a_name_with_the_version_comes_first(path: Path, helms: dict[str, str]) -> None:
    (path / "helm3").symlink_to(helms["helm3"])
    assert find("helm3") == str(path / "helm3")


def test_what_is_nowhere_is_told(path: Path) -> None:
    (path / "helm").unlink()
    for name in ("helm4", "kubectl"):
        with pytest.raises(FileNotFoundError, match=f"no {name}: `make check-deploy`"):
            find(name)


def test_the_module_runs_the_program_that_it_is_given() -> None:
    command = (sys.executable, "-m", "tests.deploy.binaries", "helm4", "version", "--template={{.Version}}")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - fixed
    assert done.stdout.startswith("v4.")
