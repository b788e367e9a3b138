"""Imports point one way: docs/architecture.md draws it, this holds the code to it."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import oxidized_exporter

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(oxidized_exporter.__file__).parent
FILES: Final = sorted(ROOT.rglob("*.py"))
PACKAGE: Final = oxidized_exporter.__name__

# Part of the package -> parts that it may import from besides itself. `metrics` reads frozen results, nothing else.
ALLOWED: Final = {
    "__init__": set(),
    "errors": set(),
    "targets": {"errors"},
    "config": {"errors", "targets"},
    "log": {"errors"},
    "supervisor": set(),
    "workers": set(),
    "simulator": set(),
    "oxidized": {"__init__", "config", "targets", "errors"},
    "scrape": {"oxidized", "config", "targets", "errors", "workers"},
    "metrics": {"__init__", "scrape.snapshot", "oxidized.models", "targets", "errors"},
    "web": {"__init__", "metrics", "scrape", "targets", "config", "errors", "supervisor", "workers"},
    "compose": {"web", "metrics", "scrape", "oxidized", "config", "supervisor", "workers"},
    "demo": {"compose", "web", "simulator", "config", "targets"},
    "flags": {"web.listen_address", "web.own_url", "errors"},
    "help_page": set(),
    "single_instance": {"flags", "config", "web.listen_address"},
    "healthcheck": {"web.listen_address", "errors"},
    "commands": {
        "compose",
        "flags",
        "healthcheck",
        "single_instance",
        "log",
        "web.debug",
        "web.listen_address",
        "web.own_url",
        "web.state",
        "web.web_config_loader",
        "scrape",
        "oxidized.models",
        "metrics",
        "config",
        "targets",
        "errors",
    },
    "cli": {
        "__init__",
        "commands",
        "compose",
        "demo",
        "healthcheck",
        "flags",
        "help_page",
        "single_instance",
        "log",
        "web",
        "config",
        "errors",
    },
    "__main__": {"cli"},
}
AIOHTTP_CLIENT: Final = {"oxidized"}
AIOHTTP_SERVER: Final = {"web", "simulator", "demo"}  # the demo serves the simulator


def part(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Yield every module that is imported, with the imported name behind ``from``; type-checking ones included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_part_is_named() -> None:
    assert {part(path) for path in FILES} == set(ALLOWED)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    allowed = ALLOWED[part(path)] | {part(path)}
    for name in imported(path):
        if name.split(".")[0] != PACKAGE:
            continue
        inside = name.removeprefix(f"{PACKAGE}.")
        if inside.startswith("__version__"):
            inside = "__init__"
        assert any(f"{inside}.".startswith(f"{prefix}.") for prefix in allowed), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_their_parts_use_aiohttps_client_and_server(path: Path) -> None:
    for name in imported(path):
        if name.split(".")[0] != "aiohttp":
            continue
        if name.startswith(("aiohttp.abc.", "aiohttp.hdrs", "aiohttp.typedefs.")):  # names and types of both sides
            assert part(path) not in {"metrics", "scrape"} or name.startswith("aiohttp.abc."), name
            continue
        user = AIOHTTP_SERVER if name.startswith("aiohttp.web") else AIOHTTP_CLIENT
        assert part(path) in user, f"{path.name} imports {name}"


def normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_what_is_imported_is_asked_for_and_nothing_else() -> None:
    """A library that another one brings along is gone when that one does without it."""
    used = {name.split(".")[0] for path in FILES for name in imported(path)} - {PACKAGE} - sys.stdlib_module_names
    brought_by = packages_distributions()
    bring = {normal(distribution) for name in used for distribution in brought_by[name]}
    assert asked_for() == bring - {"pydantic-core"} | {"aiodns"}  # pydantic's other half; aiohttp imports aiodns


def asked_for() -> set[str]:
    """Return the distributions that the package asks for, with those of the extra `systemd`."""
    lines = [line.partition(";") for line in requires("oxidized-exporter") or ()]
    needed = [name for name, _, marker in lines if "extra" not in marker or "systemd" in marker]
    return {normal(re.split(r"[^\w.-]", name)[0]) for name in needed}
