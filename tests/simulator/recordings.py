"""What three real Oxidized daemons answered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oxidized_exporter.simulator import RELEASE_0_30, RELEASE_0_34, RELEASE_0_37, Device, Release

_FOLDER = Path(__file__).parent.parent / "recordings"


@dataclass(frozen=True)
class Recording:
    """One daemon's answers, by the file that holds them."""

    release: Release

    def __str__(self) -> str:
        return self.release.oxidized

    @property
    def folder(self) -> Path:
        return _FOLDER / f"oxidized-{self.release.oxidized}_web-{self.release.web}"

    def body(self, file: str) -> bytes:
        return (self.folder / file).read_bytes()

    def answer(self, file: str) -> dict[str, Any]:
        index: dict[str, dict[str, Any]] = json.loads(self.body("index.json"))
        return index[file]

    def path(self, file: str) -> str:
        request: str = self.answer(file)["request"]
        return request.removeprefix("GET ")

    def devices(self) -> list[Device]:
        return [
            Device(
                name=row["name"],
                group=None if row["full_name"] == row["name"] else row["group"],
                outcome=row["last"]["status"],
            )
            for row in json.loads(self.body("nodes.json"))
        ]


RECORDINGS = [Recording(release) for release in (RELEASE_0_30, RELEASE_0_34, RELEASE_0_37)]
