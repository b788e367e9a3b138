"""The files that a pod sees, as a kubelet lays them out: behind a link that is swapped as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trustme

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.deploy.chart import Rendered

CONFIG = "config.yml"
WEB_CONFIG = "web.yml"


def lay_out(rendered: Rendered, folder: Path, *, generation: str = "first") -> Path | None:
    """Write the volume with the configuration into ``folder`` and return the configuration file, None without one.

    Files of objects that are not rendered hold what a user could have there.
    """
    return folder / CONFIG if _lay_out(rendered, folder, volume="config", generation=generation, given={}) else None


def lay_out_web(rendered: Rendered, folder: Path, *, given: Mapping[str, str]) -> Path | None:
    """Do the same with the web configuration; ``given`` is what the user's objects hold, by the file's name."""
    return folder / WEB_CONFIG if _lay_out(rendered, folder, volume="web-config", generation="1", given=given) else None


def _lay_out(rendered: Rendered, folder: Path, *, volume: str, generation: str, given: Mapping[str, str]) -> bool:
    volumes = [v for v in rendered.pod["spec"].get("volumes", []) if v["name"] == volume]
    if not volumes:
        return False
    written = folder / f"..{generation}"
    for source in volumes[0]["projected"]["sources"]:
        ((field, named),) = source.items()
        kind = {"configMap": "ConfigMap", "secret": "Secret"}[field]
        found = rendered.named(kind, named["name"]) or {}
        content = {**found.get("data", {}), **found.get("stringData", {})}
        for item in named["items"]:
            path = written / item["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content.get(item["key"]) or given.get(item["path"]) or _given(item))
    swapped = folder / "..data_tmp"
    swapped.symlink_to(written.name)
    swapped.replace(folder / "..data")
    for path in written.iterdir():
        link = folder / path.name
        if not link.is_symlink():
            link.symlink_to(f"..data/{path.name}")
    return True


def _given(item: dict[str, Any]) -> str:
    if item["path"] == CONFIG:
        return "modules: {default: {collectors: [nodes]}}\n"
    if item["path"].endswith(".pem"):
        return trustme.CA().cert_pem.bytes().decode()
    return "of-the-user\n"
