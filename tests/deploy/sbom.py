"""A bill of materials: ``python -m tests.deploy.sbom dist`` writes one for the wheel in that folder, in CycloneDX.

It names what the image has beside Python and Debian's libraries: the wheel and what deploy/requirements.lock names,
with licences and who needs whom, as they are found once they are installed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name, parse_wheel_filename

from tests.rule_files import ROOT

LOCK: Final = ROOT / "deploy" / "requirements.lock"


def locked_versions() -> set[tuple[str, str]]:
    """Return the name and version of each package in the lock."""
    entries = re.findall(r"^([\w.-]+)==(\S+)", LOCK.read_text(), re.MULTILINE)
    return {(canonicalize_name(name), version) for name, version in entries}


def write(dist: Path) -> Path:
    """Write the bill of the one wheel in that folder beside it and return its file.

    Raises:
        subprocess.CalledProcessError: pip takes no part of the lock or not the wheel, or what was found is no
            CycloneDX.
        ValueError: the bill names other packages or versions than the lock.
    """
    (wheel,) = dist.glob("*.whl")
    _, version, *_ = parse_wheel_filename(wheel.name)
    bill = dist / f"{wheel.name.partition('-py3')[0]}.cdx.json"
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=False)
        python = str(Path(folder) / "bin" / "python")
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python, "install", "--quiet")
        locked = ("--only-binary", ":all:", "--require-hashes", "--requirement", str(LOCK))
        maker = Path(sys.executable).parent / "cyclonedx-py"
        project = ("--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application")
        for command in (
            (*pip, *locked),
            (*pip, "--no-deps", "--no-index", str(wheel)),
            (str(maker), "environment", *project, "--output-reproducible", "--output-file", str(bill), python),
        ):
            subprocess.run(command, check=True)  # noqa: S603 - fixed, and the wheel that was built here
    found = json.loads(bill.read_text())
    named = {(canonicalize_name(each["name"]), each["version"]) for each in found["components"]}
    if named != locked_versions():
        raise ValueError(f"{bill} and {LOCK} differ in: {sorted(named ^ locked_versions())}")
    # pyproject.toml has no version: it is the package's.
    found["metadata"]["component"] |= {"version": str(version), "purl": f"pkg:pypi/oxidized-exporter@{version}"}
    bill.write_text(json.dumps(found, indent=2) + "\n")
    return bill


if __name__ == "__main__":
    write(Path(sys.argv[1]))
