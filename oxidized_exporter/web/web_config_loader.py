"""A file becomes a web configuration, or every one of its faults."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from oxidized_exporter.config.document import Issue, read_document
from oxidized_exporter.config.form import Form
from oxidized_exporter.config.reading import PLAIN, faults_of, is_nearly_one_of, read_text, shown_path
from oxidized_exporter.config.text import Place
from oxidized_exporter.errors import ConfigError
from oxidized_exporter.web.tls import server_context
from oxidized_exporter.web.web_config import WebConfig
from oxidized_exporter.web.web_config_checks import check, file_names
from oxidized_exporter.web.web_config_values import NO_CLIENT_CERT

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Mapping

    from oxidized_exporter.config.document import KeyPath
    from oxidized_exporter.errors import Fault

Stamp: TypeAlias = tuple[int, ...] | None
"""What tells one state of a file from another; None for one that is not there."""

_FORM: Final = Form(WebConfig, title="Web configuration of oxidized_exporter", instead=lambda _: None)
_USERS: Final = "basic_auth_users"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedWebConfig:
    """A web configuration that can be served.

    Attributes:
        config: what the file says.
        context: of its TLS, or None where it has none (or files were not looked at).
    """

    config: WebConfig
    context: ssl.SSLContext | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What came of reading a file.

    Attributes:
        path: of the file.
        loaded: None where there are faults.
        faults: all of them.
        stamps: of the file and of those that it names, from before they were read.
    """

    path: str
    loaded: LoadedWebConfig | None
    faults: tuple[Fault, ...]
    stamps: Mapping[Path, Stamp]

    @property
    def summary(self) -> str:
        """Say in a few words what the file configures."""
        if self.loaded is None:
            return f"faults: {len(self.faults)}"
        config = self.loaded.config
        tls = "TLS" if config.tls_server_config.serves_tls else "no TLS"
        if config.tls_server_config.client_auth_type != NO_CLIENT_CERT:
            tls += f" with {config.tls_server_config.client_auth_type}"
        users = len(config.basic_auth_users)
        return f"{tls}, {users} user{'' if users == 1 else 's'}"


def json_schema() -> Mapping[str, Any]:
    """Return the form of the file as a JSON Schema."""
    return _FORM.json_schema


def load_web_config(path: str) -> Reading:
    """Read the web configuration ``path``, and the files that it names; blocks meanwhile.

    Raises:
        ConfigError: it cannot be read, or has faults: all of them.
    """
    reading = read_web_config(path)
    if reading.faults:
        raise ConfigError(reading.faults)
    return reading


def read_web_config(path: str) -> Reading:
    """Read it likewise, and return its faults."""
    stamps = stamps_of((Path(path),))
    try:
        text = read_text(path)
    except ConfigError as error:
        return Reading(path=path, loaded=None, faults=error.faults, stamps=stamps)
    reading = parse_web_config(text, file=path, place=Place(directory=Path(path).parent))
    return replace(reading, stamps=stamps | dict(reading.stamps))


def parse_web_config(text: str, *, file: str, place: Place) -> Reading:
    """Read the text of a web configuration; blocks while files that it names are read.

    Args:
        text: YAML.
        file: what it is called in faults.
        place: where the names of files in it lead to.
    """
    document = read_document(text)
    stamps = stamps_of(place.path(name) for name in file_names(document.data))
    config, found = _validate(document.data, place=place)
    found.extend(check(document.data, place=place))
    faults = faults_of(document, found, file=file, shown=_shown)
    context = None
    if config is not None and not faults and config.tls_server_config.serves_tls and place.check_files:
        try:
            context = server_context(config.tls_server_config)
        except (ValueError, OSError):  # a file has changed since it was looked at, a moment ago
            issue = Issue(("tls_server_config",), "cannot be used: its files are being changed")
            faults = faults_of(document, [issue], file=file, shown=_shown)
    loaded = None if config is None or faults else LoadedWebConfig(config=config, context=context)
    return Reading(path=file, loaded=loaded, faults=faults, stamps=stamps)


def stamps_of(paths: Iterable[Path]) -> dict[Path, Stamp]:
    """Return what tells the present state of each file from another; blocks meanwhile."""
    return {path: _stamp(path) for path in paths}


def _stamp(path: Path) -> Stamp:
    try:
        found = os.stat(path)  # noqa: PTH116 - a name with a NUL is no error of its own there
    except (OSError, ValueError):
        return None
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev)


def _validate(data: Any, *, place: Place) -> tuple[WebConfig | None, list[Issue]]:
    if data is None:
        return WebConfig(), []
    if not isinstance(data, dict):
        return None, [_FORM.no_mapping(data)]
    given = {section: entries for section, entries in data.items() if entries is not None}
    return _FORM.validate(given, written=data, place=place)


def _shown(path: KeyPath) -> str:
    """Write a path without a key that may be a hash, a key or a password.

    A missing space or a wrong indentation makes a key of what stands behind it.
    """
    return shown_path(path, may_show=_may_show)


def _may_show(path: KeyPath) -> bool:
    step = str(path[-1])
    if path[0] == _USERS and len(path) > 1:
        return PLAIN.fullmatch(step) is not None
    definitions = (json_schema(), *json_schema()["$defs"].values())
    return is_nearly_one_of(step, [key for definition in definitions for key in definition["properties"]])
