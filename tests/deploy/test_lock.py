"""deploy/*.lock: each holds exactly what pyproject.toml asks for, and what that needs."""

from __future__ import annotations

import re
import tomllib
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.deploy.rule_files import ROOT

PYPROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())
ASKED: Final = {
    "requirements.lock": ("oxidized-exporter (pyproject.toml)", PYPROJECT["project"]["dependencies"]),
    "requirements-build.lock": (
        "oxidized-exporter (pyproject.toml::build-system.requires)",
        PYPROJECT["build-system"]["requires"],
    ),
}
_ENTRY: Final = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+) \\\n(?P<rest>(?: .*\n)+)", re.MULTILINE)


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
