"""What docs/logs.md says of messages and formats is what the code logs."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import oxidized_exporter
from oxidized_exporter.log import FORMATS
from tests.rule_files import ROOT
from tests.system.program import parse_logfmt

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEXT: Final = (ROOT / "docs" / "logs.md").read_text()
_PACKAGE: Final = Path(oxidized_exporter.__file__).parent
_LEVELS: Final = {"info", "warning", "error"}
_ROWS: Final = re.findall(r"^\| (`.*`) \| ([\w, ]+) \| .* \| (.*) \|$", _TEXT, re.MULTILINE)
_SHOWN: Final = re.findall(r"^```console\n(.*?)^```$", _TEXT, re.DOTALL | re.MULTILINE)


_HANDED_ON: Final = {
    "_repeated": {"repeated"},
    "_told": {"reason", "detail", "seconds", "before", "repeated"},
    "_secured": {"tls"},
    "told": {"fault", "more_faults"},
}
"""What a line has by ``**``: the function, or variable, and the keys that it may add."""


def _logged() -> dict[tuple[str, str], set[str]]:
    """Return level and message of every call of a logger in the package, with the keys of their lines."""
    said: dict[tuple[str, str], set[str]] = {}
    for path in _PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if isinstance(node.func.value, ast.Name) and node.func.value.id == "_log":
                assert node.func.attr in _LEVELS
                constants = [each.value for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant)]
                messages = [text for text in constants if isinstance(text, str)]
                assert messages, f"{path}:{node.lineno}: no message that a page could name"
                for text in messages:
                    if not text.startswith("bug: "):
                        said.setdefault((node.func.attr, text), set()).update(_keys_of(node))
    return said


def _keys_of(call: ast.Call) -> Iterator[str]:
    for keyword in call.keywords:
        if keyword.arg is not None:
            yield keyword.arg
        else:
            yield from _HANDED_ON[ast.unparse(keyword.value).partition("(")[0]]


def _keys_on_the_page() -> dict[str, set[str]]:
    """Return the keys that the page names, by message."""
    rows: dict[str, set[str]] = {}
    for messages, _, cell in _ROWS:
        told = re.sub(r"\([^)]*\)", "", cell)
        same = re.match(r"as `([^`]+)`", told)
        keys = (
            rows[same[1]] | set(re.findall(r"`(\w+)`", told[same.end() :]))
            if same
            else set(re.findall(r"`(\w+)`", told))
        )
        rows |= dict.fromkeys(re.findall(r"`([^`]+)`", messages), keys)
    return rows


def test_every_message_is_on_the_page_and_no_other() -> None:
    shown = {
        (level, message)
        for messages, levels, _ in _ROWS
        for message in re.findall(r"`([^`]+)`", messages)
        for level in levels.split(", ")
        if not message.startswith("bug: ")
    }
    assert shown == set(_logged())


def test_every_message_has_the_keys_that_the_page_names() -> None:
    """Messages that share a row share its keys."""
    named = _keys_on_the_page()
    logged: dict[str, set[str]] = {}
    for (_, message), keys in _logged().items():
        logged.setdefault(message, set()).update(keys)
    for messages, *_ in _ROWS:
        in_row = [message for message in re.findall(r"`([^`]+)`", messages) if message in logged]
        assert all(set().union(*(logged[message] for message in in_row)) == named[message] for message in in_row), (
            in_row
        )


def test_the_shown_lines_are_of_the_formats_and_have_the_keys_that_the_page_names() -> None:
    logfmt, objects = ([line for line in text.splitlines() if line[0] in "t{"] for text in _SHOWN)
    assert [json.loads(line)["msg"] for line in objects] == ["listening", "probe failed"]
    assert FORMATS == ("logfmt", "json")
    rows = _keys_on_the_page()
    seen: set[str] = set()
    for line in (*map(parse_logfmt, logfmt), *map(json.loads, objects)):
        seen.add(line["msg"])
        assert set(line) - {"ts", "level", "msg"} <= rows[line["msg"]]
    assert seen == {"listening", "probe failed", "probe recovered", "target refused", "stopping", "stopped"}


def test_the_readme_leads_to_the_page() -> None:
    assert "(docs/logs.md)" in (ROOT / "README.md").read_text()
