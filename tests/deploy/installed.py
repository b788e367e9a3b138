"""The suite against a wheel: ``python -m tests.deploy.installed dist`` runs it where the package's sources are not.

The tests, and the pages and files that they hold to the code, come out of the source distribution beside the wheel, so
that this shows that to be whole, too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Final

PACKAGE: Final = "oxidized_exporter"
# These change how Python finds modules, or what pytest does: the run has only its own.
_STRANGE_VARIABLES: Final = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTEST_ADDOPTS", "COVERAGE_PROCESS_START")


def run(dist: Path, arguments: list[str]) -> int:
    """Install the wheel in that folder into a new environment and run pytest with it; return pytest's exit code.

    Raises:
        FileNotFoundError: the folder does not hold one wheel and one source distribution.
        subprocess.CalledProcessError: pip does not take the wheel, or what is imported is not what it brought.
    """
    wheels, sources = sorted(dist.glob("*.whl")), sorted(dist.glob("*.tar.gz"))
    if (len(wheels), len(sources)) != (1, 1):
        raise FileNotFoundError(f"{dist} must hold one wheel and one source distribution: `make dist` builds them")
    environment = {name: value for name, value in os.environ.items() if name not in _STRANGE_VARIABLES}
    with tempfile.TemporaryDirectory(prefix="installed-") as folder:
        python = Path(folder) / "venv" / "bin" / "python"
        venv.create(python.parent.parent, with_pip=True)
        shutil.unpack_archive(sources[0], folder)
        tree = Path(folder) / sources[0].name.removesuffix(".tar.gz")
        shutil.rmtree(tree / PACKAGE)

        def call(*command: str, check: bool = True) -> int:
            words = [str(python), *command]
            return subprocess.run(words, cwd=tree, env=environment, check=check).returncode  # noqa: S603 - the new venv

        call("-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{wheels[0].resolve()}[test]")
        found = f"import sys, {PACKAGE}; sys.exit(not {PACKAGE}.__file__.startswith(sys.prefix))"
        call("-c", found)
        return call("-m", "pytest", "--numprocesses=auto", "--ignore=tests/deploy", *arguments, check=False)


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), sys.argv[2:]))
