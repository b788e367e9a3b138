"""The form of the configuration file, and what it adds to its types: names that are keys, sections that are empty."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from oxidized_exporter.config.document import Issue
from oxidized_exporter.config.form import Form
from oxidized_exporter.config.model import Config
from oxidized_exporter.config.reading import is_nearly_one_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from oxidized_exporter.config.document import KeyPath
    from oxidized_exporter.config.text import Place

_KEYED: Final = ("modules", "targets")

# Keys of Prometheus's HTTP clients that are not supported, with what serves instead.
_INSTEAD: Final = {
    "bearer_token": "write authorization with credentials",
    "bearer_token_file": "write authorization with credentials_file",
    "oauth2": "this exporter has no OAuth 2",
    "ca": "write ca_file",
    "cert": "write cert_file",
    "key": "write key_file",
    "max_version": "the newest version that both sides have is taken",
    "enable_http2": "this exporter speaks HTTP/1.1",
    "no_proxy": "write a connection without proxy_url in front of this one",
    "proxy_from_environment": "write proxy_url",
    "proxy_connect_header": "a proxy that wants headers is not supported",
}


def validate(data: Any, *, place: Place) -> tuple[Config | None, list[Issue]]:
    """Return the configuration that ``data`` says, or None and what is wrong with it."""
    if data is None:
        return Config(), []
    if not isinstance(data, dict):
        return None, [_FORM.no_mapping(data)]
    config, found = _FORM.validate(_named(data), written=data, place=place)
    issues = [*_given_names(data), *found]
    return (None if issues else config), issues


def json_schema() -> Mapping[str, Any]:
    """Return the JSON Schema of the file, for editors; ``$comment`` says what is written where text is."""
    return _FORM.json_schema


def _given_names(data: Mapping[str, Any]) -> Iterator[Issue]:
    """Find the keys that the types have and the file has not: an entry's name is its key."""
    for section in _KEYED:
        entries = data.get(section)
        for key, entry in entries.items() if isinstance(entries, dict) else ():
            if isinstance(entry, dict) and "name" in entry:
                yield Issue((section, key, "name"), f"unknown key; the name is {key} already")


def _named(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``data`` with the name in each entry that has one, and without empty sections."""
    sections = {section: entries for section, entries in data.items() if entries is not None}
    for section in _KEYED:
        if isinstance(sections.get(section), dict):
            sections[section] = {
                key: {**entry, "name": key} if isinstance(entry, dict) else entry
                for key, entry in sections[section].items()
            }
    return sections


def _instead(path: KeyPath) -> str | None:
    return _INSTEAD.get(str(path[-1])) if path[0] == "connections" else None


_FORM: Final = Form(Config, title="Configuration file of oxidized_exporter", instead=_instead)


def is_connection_key(key: str) -> bool:
    """Tell whether ``key`` is one that stands somewhere in a connection, or in Prometheus's, or nearly one."""
    return key.replace("_", "").isalpha() and is_nearly_one_of(key, _connection_keys())


@cache
def _connection_keys() -> tuple[str, ...]:
    definitions = json_schema()["$defs"]
    types = ("Connection", "BasicAuth", "Authorization", "TlsConfig", "HttpHeader")
    return tuple(key for name in types for key in definitions[name]["properties"]) + tuple(_INSTEAD)
