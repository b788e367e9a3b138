"""What a release says of itself: ``python -m tests.deploy.release v1.2.3`` prints its notes, or why it is none."""

from __future__ import annotations

import re
import sys
import tomllib
from typing import TYPE_CHECKING, Final

import click
import yaml

from oxidized_exporter import __version__
from tests.deploy.dockerfile import read
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_SECTION: Final = re.compile(r"^## (?P<version>\S+)(?: - (?P<date>\d{4}-\d\d-\d\d))?\n", re.MULTILINE)
_LINK_TO_A_FILE: Final = re.compile(r"\]\((?!https?://|#)")


def versions(root: Path) -> dict[str, str]:
    """Return the version that each place below the root gives; that of the package is what is installed."""
    chart = yaml.safe_load((root / "deploy" / "helm" / "oxidized-exporter" / "Chart.yaml").read_text())
    *_, final = read(root / "deploy" / "Dockerfile")
    (image,) = (each.argument.removeprefix("VERSION=") for each in final if each.argument.startswith("VERSION="))
    return {
        "oxidized_exporter/__init__.py": __version__,
        "version in Chart.yaml": str(chart["version"]),
        "appVersion in Chart.yaml": str(chart["appVersion"]),
        "VERSION in deploy/Dockerfile": image,
    }


def notes(tag: str, root: Path = ROOT) -> str:
    """Return the section of the tag's version in CHANGELOG.md, its links made to lead to the files of that tag.

    Raises:
        ValueError: the tag is not the version of the package, the chart and the image, or CHANGELOG.md has no dated
            section for it, or an empty one. Every fault is named.
    """
    faults = [
        f"{place} is {version}, the tag is {tag}: it would have to be v{version}"
        for place, version in versions(root).items()
        if tag != f"v{version}"
    ]
    changelog = (root / "CHANGELOG.md").read_text()
    sections = {found["version"]: found for found in _SECTION.finditer(changelog)}
    section = sections.get(tag.removeprefix("v"))
    text = ""
    if section is None or section["date"] is None:
        faults.append(f"CHANGELOG.md has no heading `## {tag.removeprefix('v')} - YYYY-MM-DD`")
    else:
        after = _SECTION.search(changelog, section.end())
        text = changelog[section.end() : after.start() if after else None].strip()
        if not text:
            faults.append(f"CHANGELOG.md says nothing of {tag}")
    if faults:
        raise ValueError("\n".join(faults))
    repository = tomllib.loads((root / "pyproject.toml").read_text())["project"]["urls"]["Repository"]
    return _LINK_TO_A_FILE.sub(f"]({repository}/blob/{tag}/", text) + "\n"


if __name__ == "__main__":
    try:
        click.echo(notes(sys.argv[1]), nl=False)
    except ValueError as error:
        sys.exit(str(error))
