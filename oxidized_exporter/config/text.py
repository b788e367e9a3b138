"""How a value is read from the text that stands for it in the file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Annotation of a value that the file holds as text.

    Attributes:
        parse: reads it; its ValueError says what would be right. Of a secret it does not repeat the text.
        form: what is written there, in a word or two, for the documentation.
        example: one that is right, or empty.
        pattern: regular expression for editors that what is right always matches, or None.
    """

    parse: Callable[[str], Any]
    form: str
    example: str = ""
    pattern: str | None = None

    def read(self, value: object) -> Any:
        """Return what ``value``, as it stands in the file, is read as.

        Raises:
            ValueError: it is no text, or not the right one.
        """
        if not isinstance(value, str):
            raise ValueError(_wanted(self.form, self.example, value))  # noqa: TRY004 - pydantic collects ValueErrors
        return self.parse(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Tell pydantic how to read it."""
        from pydantic_core import core_schema  # noqa: PLC0415 - where there is no file, pydantic is not loaded

        return core_schema.no_info_plain_validator_function(
            self.read, json_schema_input_schema=core_schema.str_schema(pattern=self.pattern)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Tell editors what it is."""
        return _described(handler(schema), form=self.form, example=self.example)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the names of files lead to.

    Attributes:
        directory: of the configuration file; relative names begin there.
        check_files: whether files must be there and be readable.
    """

    directory: Path = Path()
    check_files: bool = True

    def path(self, name: str) -> Path:
        """Return the path of the file ``name``."""
        return Path(self.directory, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileName:
    """Annotation of a `Path` that the file holds as text.

    Attributes:
        check: raises ValueError where the file is not as it must be; not called where `Place` says so.
        example: one that is right.
    """

    check: Callable[[Path], None]
    example: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Tell pydantic how to read it; the validation's context is a `Place`."""
        from pydantic_core import core_schema  # noqa: PLC0415 - where there is no file, pydantic is not loaded

        return core_schema.with_info_plain_validator_function(
            self._read, json_schema_input_schema=core_schema.str_schema()
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Tell editors what it is."""
        return _described(handler(schema), form="file", example=self.example)

    def _read(self, value: object, info: ValidationInfo) -> Path:
        if not isinstance(value, str) or not value or not value.isprintable():
            raise ValueError(_wanted("file name", self.example, value))
        place = info.context or Place()
        path = place.path(value)
        if place.check_files:
            self.check(path)
        return path


def kind(value: object) -> str:
    """Say what ``value``, as it stands in the file, is; never its text."""
    for types, name in _KINDS:
        if isinstance(value, types):
            return name
    return "nothing"


_KINDS: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (bool, "true or false"),
    (int, "a number"),
    (float, "a decimal number"),
    (str, "text"),
    (list, "a list"),
    (dict, "a mapping"),
)


def _wanted(form: str, example: str, value: object) -> str:
    wanted = (
        f"must be {'an' if form[0] in 'aeiou' else 'a'} {form}" if form not in {"text", "secret"} else "must be text"
    )
    if isinstance(value, str):
        return f"{wanted} such as {example}"
    if wanted == "must be text" and isinstance(value, bool):
        return f"{wanted}; put it in quotes, since YAML reads true, yes, on, false, no and off as something else"
    if wanted == "must be text" and isinstance(value, (int, float)):
        return f"{wanted}, not a number; put it in quotes"
    return f"{wanted}{f' such as {example}' if example else ''}, not {kind(value)}"


def _described(schema: JsonSchemaValue, *, form: str, example: str) -> JsonSchemaValue:
    return {**schema, "$comment": form, **({"examples": [example]} if example else {})}


_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def parse_name(text: str) -> str:
    """Read the name of an entry.

    Raises:
        ValueError: it is none.
    """
    if not _NAME.fullmatch(text):
        raise ValueError("must be a name of letters, digits, _ and -, at most 64 characters")
    return text


Name = Annotated[str, Text(parse=parse_name, form="name", pattern=f"^{_NAME.pattern}$")]
