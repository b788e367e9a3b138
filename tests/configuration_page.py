"""Writes docs/configuration.md and docs/config.schema.json from the types: ``python -m tests.configuration_page``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from oxidized_exporter.config.schema import json_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DOCS: Final = Path(__file__).parent.parent / "docs"
PAGE: Final = _DOCS / "configuration.md"
SCHEMA: Final = _DOCS / "config.schema.json"

_INTRODUCTION: Final = """\
# Configuration file

<!-- Written by `make docs` from the types in oxidized_exporter/config/; do not edit. -->

The exporter works without a file. `--config.file=config.yml` (or `OXIDIZED_EXPORTER_CONFIG_FILE`) names one, in YAML:
[config.example.yml](../config.example.yml) shows every key. `oxidized-exporter check-config config.yml` prints all
faults at once, each with file, line and key, and exits 1 if there is one. Editors that know JSON Schema complete and
check the file with [config.schema.json](config.schema.json).

- Names of files are relative to the configuration file.
- *duration*: as Prometheus writes it, units from the largest to the smallest: `1m30s`, `500ms`, `2h`.
- *expression*: a regular expression in [RE2's syntax](https://github.com/google/re2/wiki/Syntax) that matches the whole
  text; it takes time linear in the length of the text.
- *line expression*: an expression that is looked for as grep does: anywhere, `^` and `$` at the ends of each line.
  `\\A` and `\\z` are the ends of the whole text.
- *target pattern*: `http[s]://host[:port][/prefix]`. `*` in place of one label of a host name stands for exactly one
  label, `*` in place of the port for any port; without a port the scheme's own counts. The prefix stands for itself and
  for all paths below it. No `*` stands for an address or a part of one.
- *network*: `10.20.0.0/16`, `2001:db8::/32` or a single address. To allow, an IPv6 address counts as an IPv4 one only
  where it is the same host (`::ffff:0:0/96`, `64:ff9b::/96`); to deny, every IPv4 address counts that it may lead to
  (6to4, Teredo, ISATAP and other NAT64, too).
- *secret*: shown as `<secret>` wherever the configuration is shown. Secrets in files are read when they are used.
- *name*: letters, digits, `_` and `-`."""

_TYPES: Final = {"boolean": "`true` \\| `false`", "object": "mapping"}


def page() -> str:
    """Return the page."""
    return "\n".join(_lines(json_schema())) + "\n"


def schema() -> str:
    """Return the JSON Schema."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _lines(whole: Mapping[str, Any]) -> Iterator[str]:
    yield _INTRODUCTION
    yield from tables(whole)


def tables(whole: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the tables of all keys, of the file and of what stands in it."""
    yield from _section("The file", whole)
    for path, definition in _sections(whole, whole, ""):
        yield from _section(f"`{path}`", definition)


def _sections(
    schema: Mapping[str, Any], whole: Mapping[str, Any], above: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what stands below ``schema``, each with its path, from the outside in."""
    for name, value in schema["properties"].items():
        step, inner = _inner(value)
        if "$ref" in inner:
            definition = whole["$defs"][inner["$ref"].rpartition("/")[2]]
            yield above + name + step, definition
            yield from _sections(definition, whole, f"{above}{name}{step}.")


def _inner(value: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    if value.get("type") == "array":
        return "[]", value["items"]
    if value.get("type") == "object":
        return ".NAME", _entry(value)
    return "", value


def _entry(value: Mapping[str, Any]) -> Mapping[str, Any]:
    patterns = value.get("patternProperties")
    entry: Mapping[str, Any] = next(iter(patterns.values())) if patterns else value["additionalProperties"]
    return entry


def _section(title: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    if "description" in schema:
        yield schema["description"]
        yield ""
    yield "| key | value | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, value in schema["properties"].items():
        default = "required" if name in schema.get("required", ()) else _default(value)
        yield f"| `{name}` | {_type(value)} | {default} | {value['description']} |"


def _type(value: Mapping[str, Any]) -> str:
    if "enum" in value or "const" in value:
        return " \\| ".join(f"`{word}`" for word in value.get("enum", [value.get("const")]))
    if value.get("type") == "array":
        return "list" if "$ref" in value["items"] else f"list of {_type(value['items'])}"
    if value.get("type") == "object":
        return "mapping by name" if "$ref" in _entry(value) else f"mapping of {_type(_entry(value))}"
    if value.get("type") == "integer":
        if "maximum" in value:
            return f"whole number, {value['minimum']} to {value['maximum']}"
        return ", ".join(["whole number", *([f"{value['minimum']} or more"] if "minimum" in value else [])])
    return _TYPES.get(value.get("type", "object")) or str(value["$comment"])


def _default(value: Mapping[str, Any]) -> str:
    default = value.get("default")
    return "" if default is None or default == [] else "`" + json.dumps(default).strip('"').replace('"', "") + "`"


if __name__ == "__main__":
    PAGE.write_text(page())
    SCHEMA.write_text(schema())
