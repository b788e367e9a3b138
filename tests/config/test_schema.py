from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import jsonschema
import pytest
import yaml

from oxidized_exporter.config import Config, load_config
from oxidized_exporter.config.schema import json_schema
from tests.config.test_faults import BAD, EXAMPLE
from tests.configuration_page import PAGE, SCHEMA, page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Files whose fault an editor is to show: unknown keys, wrong types, words and names that are not in a closed form.
_FOR_EDITORS: Final = (
    "unknown_section",
    "unknown_key",
    "collectors_unknown",
    "collectors_empty",
    "devices_unknown",
    "timeout_is_a_number",
    "timeout_is_no_duration",
    "max_devices_is_zero",
    "module_name",
    "module_with_a_name",
    "connection_without_targets",
    "target_without_url",
    "label_name",
    "label_taken",
    "min_version",
)


def keys(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every key that a file can have, with the type that has it."""
    yield from (("Config", key) for key in schema["properties"])
    for name, definition in schema["$defs"].items():
        yield from ((name, key) for key in definition["properties"])


def used(
    data: Any, schema: Mapping[str, Any], whole: Mapping[str, Any], name: str = "Config"
) -> Iterator[tuple[str, str]]:
    """Yield every key of the schema that stands in ``data``."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = whole["$defs"][name]
    if isinstance(data, list):
        for item in data:
            yield from used(item, schema["items"], whole, name)
    elif isinstance(data, dict) and "properties" in schema:
        for key, value in data.items():
            yield name, key
            yield from used(value, schema["properties"][key], whole, name)
    elif isinstance(data, dict):
        entry = next(iter(schema.get("patternProperties", {"": schema.get("additionalProperties")}).values()))
        for value in data.values():
            yield from used(value, entry, whole, name)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_the_schema_and_the_page_are_current() -> None:
    assert json.loads(SCHEMA.read_text()) == json_schema(), "run `make docs`"
    assert PAGE.read_text() == page(), "run `make docs`"


def test_every_key_is_described() -> None:
    for name, definition in json_schema()["$defs"].items():
        for key, value in definition["properties"].items():
            assert value.get("description"), f"{name}.{key}"


def test_the_example_has_every_key_and_no_other() -> None:
    schema = json_schema()
    assert set(used(yaml.safe_load(EXAMPLE.read_text()), schema, schema)) == set(keys(schema))


def test_the_example_has_no_fault() -> None:
    config = load_config(str(EXAMPLE), check_files=False)
    assert isinstance(config, Config)
    assert list(config.modules) == ["default", "access-layer", "audit"]
    jsonschema.validate(yaml.safe_load(EXAMPLE.read_text()), json_schema())


def test_the_defaults_that_the_example_shows_are_the_defaults() -> None:
    config = load_config(str(EXAMPLE), check_files=False)
    assert config.modules["default"] == Config().modules["default"]
    assert config.limits == Config().limits


@pytest.mark.parametrize("name", _FOR_EDITORS)
def test_editors_see_it(name: str) -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    assert not validator.is_valid(yaml.safe_load((BAD / f"{name}.yml").read_text()))
