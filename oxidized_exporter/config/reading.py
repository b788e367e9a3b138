"""What the files of this exporter have in common: how their text is read, and how what is wrong is told."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from oxidized_exporter.config.files import read_start
from oxidized_exporter.config.form import at
from oxidized_exporter.errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from oxidized_exporter.config.document import Document, Issue, KeyPath

_MAX_BYTES: Final = 1024 * 1024
_NEARLY: Final = 0.75
_MOST_FOREIGN: Final = 2  # characters; with more, a secret may stand in front of a key, or behind it
PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Keys that are shown as they are."""


def read_text(path: str) -> str:
    """Return the text of the file ``path``; blocks meanwhile.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        content = read_start(Path(path), _MAX_BYTES + 1)
    except ValueError as error:
        raise ConfigError((_fault(path, None, str(error)),)) from None
    if len(content) > _MAX_BYTES:
        raise ConfigError((_fault(path, None, f"is larger than {_MAX_BYTES} bytes"),))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError((_fault(path, line, "is not UTF-8"),)) from None


def faults_of(
    document: Document, found: Iterable[Issue], *, file: str, shown: Callable[[KeyPath], str]
) -> tuple[Fault, ...]:
    """Return all that is wrong, in the order of the lines.

    Args:
        document: the file, with what is wrong as YAML.
        found: what else is wrong; passed over where the value could not be read, which is a fault already.
        file: what it is called in faults.
        shown: writes a path, without what may be a secret.
    """
    unread = {issue.path for issue in document.issues if at(document.data, issue.path) is None}
    issues = [*document.issues, *(issue for issue in found if issue.path not in unread)]
    faults = [
        Fault(
            file=file,
            line=issue.line or document.line(issue.path),
            key_path=shown(issue.path),
            message=issue.message,
        )
        for issue in issues
    ]
    return tuple(sorted(dict.fromkeys(faults), key=lambda fault: fault.line or 0))


def shown_path(path: KeyPath, *, may_show: Callable[[KeyPath], bool]) -> str:
    """Write a path as ``connections[0].tls_config.ca_file``, and ``[…]`` in place of a key that is not to be shown.

    Args:
        path: of an issue.
        may_show: asked for each key, with the path that leads to it and ends with it.
    """
    written = ""
    for number, step in enumerate(path, start=1):
        if isinstance(step, int):
            written += f"[{step}]"
        elif not may_show(path[:number]):
            return f"{written}[…]"
        elif PLAIN.fullmatch(step):
            written += f".{step}" if written else step
        else:
            written += f"[{step!r}]"
    return written


def is_nearly_one_of(key: str, known: Sequence[str]) -> bool:
    """Tell whether ``key`` is one that is known, or mistyped, and so no secret that a missing space made a key."""
    for near in difflib.get_close_matches(key, known, n=1, cutoff=_NEARLY):
        same = sum(
            block.size for block in difflib.SequenceMatcher(None, key.lower(), near.lower()).get_matching_blocks()
        )
        return len(key) - same <= _MOST_FOREIGN
    return False


def _fault(file: str, line: int | None, message: str) -> Fault:
    return Fault(file=file, line=line, key_path="", message=message)
