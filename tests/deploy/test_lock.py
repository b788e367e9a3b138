"""deploy/*.lock: each holds what pyproject.toml asks for and what that needs, and pip takes it for the image.

pip downloads the wheels for the Python of the image. It fails where something that is needed has no entry, where a
wheel has none of the hashes of its entry, and where there is no wheel.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.deploy.dockerfile import read
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PYPROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())
ASKED: Final = {
    "requirements.lock": ("oxidized-exporter (pyproject.toml)", PYPROJECT["project"]["dependencies"]),
    "requirements-build.lock": (
        "oxidized-exporter (pyproject.toml::build-system.requires)",
        PYPROJECT["build-system"]["requires"],
    ),
}
_ENTRY: Final = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+) \\\n(?P<rest>(?: .*\n)+)", re.MULTILINE)


# In the image of the Dockerfile: glibc 2.36, the C library that wheels of manylinux name, and no older ABI than 2.17.
_GLIBC: Final = range(17, 37)


@pytest.fixture(params=ASKED)
def lock(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def text(lock: str) -> str:
    return (ROOT / "deploy" / lock).read_text()


def needed_by(rest: str) -> set[str]:
    """Return who needs an entry, from the comment behind its hashes."""
    _, _, comment = rest.partition("# via")
    return {line.strip(" #") for line in comment.splitlines() if line.strip(" #")}


def test_it_covers_what_pyproject_asks_for_and_no_more(lock: str) -> None:
    project, asked = ASKED[lock]
    requirements = {canonicalize_name(Requirement(line).name): Requirement(line) for line in asked}
    entries = {found["name"]: found for found in _ENTRY.finditer(text(lock))}
    direct = {name for name, found in entries.items() if project in needed_by(found["rest"])}
    assert direct == set(requirements), "run `make lock`"
    for name, requirement in requirements.items():
        assert requirement.specifier.contains(Version(entries[name]["version"])), f"{requirement}: run `make lock`"
    for entry in entries.values():
        assert needed_by(entry["rest"]) <= {project, *entries}, entry["name"]


def test_every_line_is_an_entry_with_hashes(lock: str) -> None:
    without_comments = re.sub(r"^ *#.*\n", "", text(lock), flags=re.MULTILINE)
    entry = r"[\w.-]+==\S+ \\\n(?: +--hash=sha256:[0-9a-f]{64} \\\n)* +--hash=sha256:[0-9a-f]{64}\n"
    assert re.fullmatch(f"(?:{entry})+", without_comments)


def test_it_names_no_registry(lock: str) -> None:
    assert "://" not in text(lock)
    assert not re.search(r"^--|index-url|trusted-host|find-links", text(lock), re.MULTILINE)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_pip_installs_it_in_the_image(lock: str, machine: str, tmp_path: Path) -> None:
    before, *_ = read(ROOT / "deploy" / "Dockerfile")
    (base,) = (each.argument for each in before if each.argument.startswith("BASE="))
    matched = re.match(r"BASE=python:(3\.\d+)\.\d+-slim-bookworm", base)
    assert matched, f"{base}: which C library has it?"
    command = [
        *(sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--dest", str(tmp_path)),
        *("--require-hashes", "--only-binary", ":all:", "--requirement", str(ROOT / "deploy" / lock)),
        *("--implementation", "cp", "--python-version", matched[1]),
        *(f"--platform=manylinux_2_{minor}_{machine}" for minor in _GLIBC),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed
    assert done.returncode == 0, done.stderr
