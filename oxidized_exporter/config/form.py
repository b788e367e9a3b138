"""Plain data to types, by pydantic, whose words are replaced: every fault, and no value that may be a secret."""

from __future__ import annotations

import difflib
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from oxidized_exporter.config.document import Issue
from oxidized_exporter.config.text import kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic_core import ErrorDetails

    from oxidized_exporter.config.document import KeyPath
    from oxidized_exporter.config.text import Place

_File = TypeVar("_File")

_KEY: Final = "[key]"  # how pydantic says that it is the key which is wrong


class Form(Generic[_File]):
    """The form of one kind of file: a dataclass, of which everything else follows."""

    def __init__(self, type_: type[_File], *, title: str, instead: Callable[[KeyPath], str | None]) -> None:
        """Describe a form; nothing is loaded before it is used.

        Args:
            type_: what the file becomes.
            title: of its JSON Schema.
            instead: says of an unknown key what serves in its place, or None.
        """
        self._type = type_
        self._title = title
        self._instead = instead

    def no_mapping(self, data: Any) -> Issue:
        """Say what is wrong with a file that is not even a mapping."""
        return Issue((), f"must be a mapping with the sections {', '.join(self.keys_below(()))}, not {kind(data)}")

    def validate(self, data: Mapping[str, Any], *, written: Any, place: Place) -> tuple[_File | None, list[Issue]]:
        """Return what ``data`` says, or None and what is wrong with it.

        Args:
            data: of the file.
            written: the same as it stands in the file, where something was added to ``data``.
            place: where the names of files lead to.
        """
        try:
            # From JSON strictly: lists are tuples and mappings are dataclasses there, but no text is a number.
            return self._adapter.validate_json(json.dumps(data), context=place), []
        except ValidationError as error:
            errors = error.errors(include_url=False, include_input=False)
            return None, [issue for error in errors if (issue := self._issue(error, written))]

    @cached_property
    def json_schema(self) -> Mapping[str, Any]:
        """The JSON Schema of the file, for editors; ``$comment`` says what is written where text is."""
        generated = _tidied(self._adapter.json_schema())
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": self._title, **generated}

    def keys_below(self, path: KeyPath) -> list[str]:
        """Return the keys that the mapping at ``path``, which has a type, may have."""
        whole = self.json_schema
        schema = whole
        for step in path:
            schema = schema.get("items") or schema.get("properties", {}).get(step) or _of_any_key(schema)
            schema = whole["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        return list(schema["properties"])

    @cached_property
    def _adapter(self) -> TypeAdapter[_File]:
        return TypeAdapter(self._type)

    def _issue(self, error: ErrorDetails, data: Any) -> Issue | None:
        """Put an error of pydantic in words of our own; None for one that only follows from others."""
        path: KeyPath = error["loc"]
        if path[-1] == _KEY:
            path = path[:-1]
        value = at(data, path)
        type_ = error["type"]
        if type_ == "too_short" and value:  # entries that are wrong are not counted
            return None
        if type_ == "unexpected_keyword_argument":
            message = self._unknown(path)
        elif type_ == "bool_type" and isinstance(value, str):
            message = "must be true or false, without quotes"
        else:
            message = _MESSAGES.get(type_, "is not as it must be").format(**error.get("ctx", {}), kind=kind(value))
        if type_ == "literal_error":
            message = message.replace("'", "")
        return Issue(path, message)

    def _unknown(self, path: KeyPath) -> str:
        if instead := self._instead(path):
            return f"not supported; {instead}"
        known = self.keys_below(path[:-1])
        near = difflib.get_close_matches(str(path[-1]), known, n=1)
        return f"unknown key; did you mean {near[0]}?" if near else f"unknown key; known are {', '.join(known)}"


def at(data: Any, path: KeyPath) -> Any:
    """Return what stands at ``path``, or None."""
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


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


def _of_any_key(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    value: Mapping[str, Any]
    (value,) = schema.get("patternProperties", {}).values() or [schema["additionalProperties"]]
    return value
