"""A file becomes a configuration, or every one of its faults."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from oxidized_exporter.config.consistency import check
from oxidized_exporter.config.document import read_document
from oxidized_exporter.config.reading import PLAIN, faults_of, read_text, shown_path
from oxidized_exporter.config.schema import is_connection_key, validate
from oxidized_exporter.config.text import Place
from oxidized_exporter.errors import ConfigError

if TYPE_CHECKING:
    from oxidized_exporter.config.document import KeyPath
    from oxidized_exporter.config.model import Config

_SECRETS: Final = frozenset({"password", "credentials", "values", "secrets"})
_HARMLESS: Final = re.compile(r"[A-Za-z0-9_. -]{1,64}")
_HEADER_DEPTH: Final = 4  # connections, a number, http_headers, the name of a header


def load_config(path: str, *, check_files: bool = True) -> Config:
    """Read the configuration file ``path``; blocks while it is read, and the files that it names.

    Raises:
        ConfigError: it cannot be read, or has faults.
    """
    return parse_config(read_text(path), file=path, place=Place(directory=Path(path).parent, check_files=check_files))


def parse_config(text: str, *, file: str, place: Place) -> Config:
    """Read the text of a configuration file.

    Args:
        text: YAML.
        file: what it is called in faults.
        place: where the names of files in it lead to.

    Raises:
        ConfigError: it has faults.
    """
    document = read_document(text)
    config, found = validate(document.data, place=place)
    found.extend(check(document.data, place=place))
    if (faults := faults_of(document, found, file=file, shown=_shown)) or config is None:
        raise ConfigError(faults)
    return config


def _shown(path: KeyPath) -> str:
    """Write a path without a key that may be a secret.

    A missing space or a wrong indentation makes a key of a password: ``{username: me, password:s3cr3t}``. So among
    connections a key is shown only if it is one that there is, or nearly, or a header's name.
    """
    return shown_path(_above_secrets(path), may_show=_may_show)


def _above_secrets(path: KeyPath) -> KeyPath:
    """Return ``path`` up to a key that stands where the value of a secret does."""
    below_secret = False
    for number, step in enumerate(path):
        if below_secret and isinstance(step, str):
            return path[:number]
        below_secret = below_secret or (path[0] == "connections" and step in _SECRETS)
    return path


def _may_show(path: KeyPath) -> bool:
    step = str(path[-1])
    if path[0] != "connections" or len(path) == 1:
        return _HARMLESS.fullmatch(step) is not None
    if len(path) == _HEADER_DEPTH and path[2] == "http_headers":
        return PLAIN.fullmatch(step) is not None
    return is_connection_key(step)
