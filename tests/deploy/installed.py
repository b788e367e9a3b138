"""The suite against a wheel: ``python -m tests.deploy.installed dist`` runs it where the package's sources are not.

The tests, and the pages and files that they hold to the code, come out of the source distribution beside the wheel, so
that this shows that to be whole, too. First the wheel stands alone: what the tests bring along must not hide that it
does not name something that it needs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path
from typing import Final

from tests.rule_files import ROOT

PACKAGE: Final = "oxidized_exporter"
# These change how Python finds modules, or what pytest does: the run has only its own.
_STRANGE_VARIABLES: Final = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTEST_ADDOPTS", "COVERAGE_PROCESS_START")
_LOADS_ALL: Final = f"""\
import importlib, pkgutil, sys, {PACKAGE}
for module in pkgutil.walk_packages({PACKAGE}.__path__, "{PACKAGE}."):
    importlib.import_module(module.name)
sys.exit(not {PACKAGE}.__file__.startswith(sys.prefix))
"""


def package(root: Path = ROOT) -> set[str]:
    """Return the files of the package below the root that belong into a wheel, by their paths."""
    modules = {file.relative_to(root).as_posix() for file in (root / PACKAGE).rglob("*.py")}
    return modules | {f"{PACKAGE}/py.typed"}


def unlike_the_package(wheel: Path, source: Path) -> list[str]:
    """Return what a wheel and a source distribution lack of the package, or have beyond it, in words."""
    with zipfile.ZipFile(wheel) as packed:
        in_wheel = {name for name in packed.namelist() if ".dist-info/" not in name}
    with tarfile.open(source) as packed_source:
        names = (name.partition("/")[2] for name in packed_source.getnames())
        in_source = {name for name in names if name.startswith(f"{PACKAGE}/")}
    return [
        f"{file.name} {fault} {name}"
        for file, found in ((wheel, in_wheel), (source, in_source))
        for fault, strange in (("lacks", package() - found), ("has, which is not the package's,", found - package()))
        for name in sorted(strange)
    ]


def run(dist: Path, arguments: list[str]) -> int:
    """Install the wheel in that folder into a new environment and run pytest with it; return pytest's exit code.

    Raises:
        FileNotFoundError: the folder does not hold one wheel and one source distribution.
        ValueError: one of them lacks files of the package, or has others.
        subprocess.CalledProcessError: pip does not take the wheel; without what the tests need, a module or the command
            does not load, or what is imported is not what the wheel brought.
    """
    wheels, sources = sorted(dist.glob("*.whl")), sorted(dist.glob("*.tar.gz"))
    if (len(wheels), len(sources)) != (1, 1):
        raise FileNotFoundError(f"{dist} must hold one wheel and one source distribution: `make dist` builds them")
    if faults := unlike_the_package(wheels[0], sources[0]):
        raise ValueError("\n".join(faults))
    environment = {name: value for name, value in os.environ.items() if name not in _STRANGE_VARIABLES}
    with tempfile.TemporaryDirectory(prefix="installed-") as folder:
        python = Path(folder) / "venv" / "bin" / "python"
        venv.create(python.parent.parent, with_pip=True)
        shutil.unpack_archive(sources[0], folder)
        tree = Path(folder) / sources[0].name.removesuffix(".tar.gz")
        shutil.rmtree(tree / PACKAGE)

        def call(*command: str, program: Path = python, check: bool = True) -> int:
            words = [str(program), *command]
            return subprocess.run(words, cwd=tree, env=environment, check=check).returncode  # noqa: S603 - the new venv

        install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        call(*install, str(wheels[0].resolve()))
        call("-c", _LOADS_ALL)
        call("--version", program=python.with_name("oxidized-exporter"))
        call(*install, f"{wheels[0].resolve()}[test]")
        return call("-m", "pytest", "--numprocesses=auto", "--ignore=tests/deploy", *arguments, check=False)


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), sys.argv[2:]))
