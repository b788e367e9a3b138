"""A stored configuration: where it is asked for, and what is counted of it while it comes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import quote

MOST_HELD: Final = 16 * 1024 * 1024
"""Bytes of a configuration that are held for checks at most."""

_PREFIX: Final = "/node/fetch/"
# Oxidized takes the name apart at its dots to find a format, and puts together again what is left.
_FORMAT: Final = re.compile(r"(?:(?:^|\.)json|\.)\Z")
# A % would be decoded once more by a proxy in between.
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\\%]|[\ud800-\udfff]")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9_.~-]*(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*")  # as most are
_DOTS: Final = re.compile(r"\.\.?(?:[?#].*)?", re.DOTALL)  # where a proxy decodes it, a path ends in front of ? and #
# What Oxidized answers with status 200 in place of a configuration (0.30 to 0.37).
_NONE: Final = re.compile(rb"(?:(?:node not found|unable to find '[^\n]*')\n?)?")
_LONGEST_TEXT: Final = 4096


class Skip(StrEnum):
    """Why a configuration is not asked for."""

    UNSAFE_NAME = "unsafe_name"
    """The path could lead to another route, since Rack decodes it and resolves dots first, or is not known whole."""
    EMPTY_GROUP = "empty_group"
    """No path leads there: Oxidized looks for a group that is not empty."""
    JSON_NAME = "json_name"
    """For Oxidized its end, ``json`` or a dot, is no part of it: another device would answer."""
    NAMESAKE = "namesake"
    """It has no group, and a device of the same name has: the file output may answer with the other's."""
    UNGROUPED = "ungrouped"
    """It has no group, and Oxidized answers with an error, as the file output does."""


def fetch_path(*, full_name: str, name: str, group: str) -> str | Skip:
    """Return the path of a device's configuration, or why it has none.

    A device without a group has its name for its full name, whatever the node list shows as its group.
    """
    grouped = full_name != name
    if grouped and full_name != f"{group}/{name}":
        return Skip.UNSAFE_NAME  # cut, or made up: nobody knows where it leads
    if _PLAIN.fullmatch(full_name) and "/" not in name and not _FORMAT.search(name):
        return _PREFIX + full_name
    segments = [*group.split("/"), name] if grouped else [name]
    if not name or "/" in name or any(_DOTS.fullmatch(segment) or _UNSAFE.search(segment) for segment in segments):
        return Skip.UNSAFE_NAME
    if not all(segments):
        return Skip.EMPTY_GROUP
    if _FORMAT.search(name):
        return Skip.JSON_NAME
    return _PREFIX + "/".join(quote(segment, safe="") for segment in segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What is known of a stored configuration.

    Attributes:
        size: bytes.
        lines: line ends, as ``wc -l`` counts them.
        content: None where it is not held.
    """

    size: int
    lines: int
    content: bytearray | None


class Counting:
    """Counts a body while it comes, and holds no more of it than is needed."""

    def __init__(self, *, hold: bool) -> None:
        """Hold up to `MOST_HELD` bytes, or the few that tell whether it is a configuration at all."""
        self._most = MOST_HELD if hold else _LONGEST_TEXT
        self._hold = hold
        self._held = bytearray()
        self._size = 0
        self._lines = 0

    def add(self, chunk: bytes) -> None:
        """Count the next bytes."""
        self._size += len(chunk)
        self._lines += chunk.count(b"\n")
        if self._size <= self._most:
            self._held += chunk
        else:
            self._held.clear()

    def configuration(self) -> Configuration | None:
        """Return what was counted; None for an empty body and for a text that says that there is none."""
        if self._size <= _LONGEST_TEXT and _NONE.fullmatch(self._held):
            return None
        return Configuration(
            size=self._size,
            lines=self._lines,
            content=self._held if self._hold and self._size <= self._most else None,
        )
