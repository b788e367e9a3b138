"""A Dockerfile as its instructions."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Instruction:
    keyword: str
    argument: str

    @property
    def words(self) -> list[str]:
        return self.argument.split()

    def exec_form(self) -> list[str]:
        """Return the program and its arguments; a command for a shell is no list."""
        command = json.loads(self.argument[self.argument.index("[") :])
        assert isinstance(command, list)
        assert all(isinstance(word, str) for word in command)
        return command


def read(path: Path) -> list[list[Instruction]]:
    """Return the instructions before the first FROM, then those of each stage, which begin with its FROM."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(), flags=re.MULTILINE)
    parts: list[list[Instruction]] = [[]]
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip():
            continue
        keyword, _, argument = line.partition(" ")
        if keyword == "FROM":
            parts.append([])
        parts[-1].append(Instruction(keyword, argument.strip()))
    return parts
