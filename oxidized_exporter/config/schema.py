"""Plain data to the types, by pydantic, whose words are replaced: every fault, and no value that may be a secret."""

from __future__ import annotations

import difflib
import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError

from oxidized_exporter.config.document import Issue
from oxidized_exporter.config.model import Config
from oxidized_exporter.config.text import kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

    from oxidized_exporter.config.document import KeyPath
    from oxidized_exporter.config.text import Place

_KEYED: Final = ("modules", "targets")
_KEY: Final = "[key]"  # how pydantic says that it is the key which is wrong

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


_NEARLY: Final = 0.75


def validate(data: Any, *, place: Place) -> tuple[Config | None, list[Issue]]:
    """Return the configuration that ``data`` says, or None and what is wrong with it."""
    if data is None:
        return Config(), []
    if not isinstance(data, dict):
        return None, [Issue((), f"must be a mapping with the sections {', '.join(_keys_below(()))}, not {kind(data)}")]
    config, errors = _validated(_named(data), place)
    issues = [*_given_names(data), *(issue for error in errors if (issue := _issue(error, data)))]
    return (None if issues else config), issues


@cache
def json_schema() -> Mapping[str, Any]:
    """Return the JSON Schema of the file, for editors; ``$comment`` says what is written where text is."""
    generated = _tidied(_adapter().json_schema())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration file of oxidized_exporter",
        **generated,
    }


def _validated(data: Mapping[str, Any], place: Place) -> tuple[Config | None, list[ErrorDetails]]:
    try:
        # From JSON strictly: lists are tuples and mappings are dataclasses there, but no text is a number.
        return _adapter().validate_json(json.dumps(data), context=place), []
    except ValidationError as error:
        return None, error.errors(include_url=False, include_input=False)


@cache
def _adapter() -> TypeAdapter[Config]:
    return TypeAdapter(Config)


def _tidied(schema: Any) -> Any:
    """Leave out of a schema what stands in no file: the names of entries (their keys), null, and made-up titles."""
    if isinstance(schema, list):
        return [_tidied(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "properties" in schema:
        keys = {name for name, value in schema["properties"].items() if value.get("key")}
        schema = {**schema, "properties": {k: v for k, v in schema["properties"].items() if k not in keys}}
        required = [name for name in schema.pop("required", ()) if name not in keys]
        schema |= {"required": required} if required else {}
    if "properties" in schema or "patternProperties" in schema:
        schema = {k: v for k, v in schema.items() if k != "additionalProperties"} | {"additionalProperties": False}
    if isinstance(description := schema.get("description"), str):
        schema = schema | {"description": description.split("\n\n")[0].replace("``", "`")}
    if "anyOf" in schema:
        (one,) = (item for item in schema["anyOf"] if item != {"type": "null"})
        schema = one | {k: v for k, v in schema.items() if k not in {"anyOf", "default"}}
    return {name: _tidied(value) for name, value in schema.items() if name != "title" or isinstance(value, dict)}


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


def _issue(error: ErrorDetails, data: Any) -> Issue | None:
    """Put an error of pydantic in words of our own; None for one that only follows from others."""
    path: KeyPath = error["loc"]
    if path[-1] == _KEY:
        path = path[:-1]
    value = at(data, path)
    type_ = error["type"]
    if type_ == "too_short" and value:  # entries that are wrong are not counted
        return None
    if type_ == "unexpected_keyword_argument":
        message = _unknown(path)
    elif type_ == "bool_type" and isinstance(value, str):
        message = "must be true or false, without quotes"
    else:
        message = _MESSAGES.get(type_, "is not as it must be").format(**error.get("ctx", {}), kind=kind(value))
    if type_ == "literal_error":
        message = message.replace("'", "")
    return Issue(path, message)


_MESSAGES: Final = {
    "value_error": "{error}",
    "missing": "is missing",
    "too_short": "must have at least one entry",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "bool_type": "must be true or false, not {kind}",
    "int_type": "must be a whole number, not {kind}",
    "tuple_type": "must be a list, not {kind}",
    "dict_type": "must be a mapping, not {kind}",
    "mapping_type": "must be a mapping, not {kind}",
    "dataclass_type": "must be a mapping, not {kind}",
}


def _unknown(path: KeyPath) -> str:
    key = str(path[-1])
    if key in _INSTEAD and path[0] == "connections":
        return f"not supported; {_INSTEAD[key]}"
    known = _keys_below(path[:-1])
    near = difflib.get_close_matches(key, known, n=1)
    return f"unknown key; did you mean {near[0]}?" if near else f"unknown key; known are {', '.join(known)}"


def is_connection_key(key: str) -> bool:
    """Tell whether ``key`` is one that stands somewhere in a connection, or in Prometheus's, or nearly one."""
    return key.replace("_", "").isalpha() and bool(
        difflib.get_close_matches(key, _connection_keys(), n=1, cutoff=_NEARLY)
    )


@cache
def _connection_keys() -> tuple[str, ...]:
    definitions = json_schema()["$defs"]
    types = ("Connection", "BasicAuth", "Authorization", "TlsConfig", "HttpHeader")
    return tuple(key for name in types for key in definitions[name]["properties"]) + tuple(_INSTEAD)


def _keys_below(path: KeyPath) -> list[str]:
    """Return the keys that the mapping at ``path``, which has a type, may have."""
    whole = json_schema()
    schema = whole
    for step in path:
        schema = schema.get("items") or schema.get("properties", {}).get(step) or _of_any_key(schema)
        schema = whole["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return list(schema["properties"])


def _of_any_key(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    value: Mapping[str, Any]
    (value,) = schema.get("patternProperties", {}).values() or [schema["additionalProperties"]]
    return value


def at(data: Any, path: KeyPath) -> Any:
    """Return what stands at ``path``, or None."""
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data
