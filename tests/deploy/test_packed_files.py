"""What a build of the image and a wheel take out of a working tree: the package, and nothing that lies about."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Final

import pytest

from tests.deploy.dockerfile import read
from tests.deploy.installed import PACKAGE, package
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_, BUILD, _ = read(ROOT / "deploy" / "Dockerfile")
STRANGE: Final = (
    "secret.txt",
    "deploy/.env",
    f"{PACKAGE}/.env",
    f"{PACKAGE}/my-config.yml",
    f"{PACKAGE}/cli.py.orig",
    f"{PACKAGE}/config/key.pem",
    f"{PACKAGE}/web/.keys/server.pem",
    f"{PACKAGE}/web/__pycache__/app.cpython-311.pyc",
)


def copied() -> set[str]:
    """Return the files that the build takes out of the repository: of the package, those that are the project's."""
    sources = {word for each in BUILD if each.keyword == "COPY" for word in each.words[:-1]}
    assert PACKAGE in sources
    return sources - {PACKAGE} | package()


def sent(tree: Path) -> set[str]:
    """Return what .dockerignore lets through.

    Only one form is understood, in which all builders agree: nothing (`*`), and then files that are let through after
    all, with wildcards in the last part of their path alone.
    """
    lines = (tree / ".dockerignore").read_text().splitlines()
    nothing, *files = [line for line in lines if not line.startswith("#")]
    assert nothing == "*"
    found: set[str] = set()
    for line in files:
        assert re.fullmatch(r"!([\w.-]+/)*(?!\*\*)[\w.*-]+", line), line
        matched = list(tree.glob(line[1:]))
        assert matched, f"{line} lets nothing through"
        assert all(file.is_file() for file in matched), f"{line} lets a folder through, and all that is in it"
        found |= {str(file.relative_to(tree)) for file in matched}
    return found


@pytest.fixture
def dirty(tmp_path: Path) -> Path:
    """A working tree with what must not leave it."""
    for name in (*copied(), ".dockerignore"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name in STRANGE:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("password: geheim")
    return tmp_path


def test_a_build_is_sent_what_it_copies_and_nothing_that_lies_about(dirty: Path) -> None:
    assert sent(ROOT) == copied()
    assert sent(dirty) == copied()


def test_a_wheel_holds_the_package_and_nothing_that_lies_about(dirty: Path) -> None:
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--disable-pip-version-check")
    subprocess.run([*pip, "--wheel-dir", str(dirty / "dist"), str(dirty)], check=True)  # noqa: S603 - fixed
    (wheel,) = (dirty / "dist").iterdir()
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
    assert names == package()
