"""What the files of this exporter have in common: how their text is read, and how what is wrong is told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from oxidized_exporter.config.files import read_start
from oxidized_exporter.config.form import at
from oxidized_exporter.errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from oxidized_exporter.config.document import Document, Issue, KeyPath

_MAX_BYTES: Final = 1024 * 1024
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


def _fault(file: str, line: int | None, message: str) -> Fault:
    return Fault(file=file, line=line, key_path="", message=message)
