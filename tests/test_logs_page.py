"""What docs/logs.md says of messages and formats is what the code logs."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Final

import oxidized_exporter
from oxidized_exporter.log import FORMATS
from tests.rule_files import ROOT
from tests.system.program import parse_logfmt

_TEXT: Final = (ROOT / "docs" / "logs.md").read_text()
_PACKAGE: Final = Path(oxidized_exporter.__file__).parent
_LEVELS: Final = {"info", "warning", "error"}
_ROWS: Final = re.findall(r"^\| (`.*`) \| ([\w, ]+) \| .* \| (.*) \|$", _TEXT, re.MULTILINE)
_SHOWN: Final = re.findall(r"^```console\n(.*?)^```$", _TEXT, re.DOTALL | re.MULTILINE)


def _logged() -> set[tuple[str, str]]:
    """Return level and message of every call of a logger in the package."""
    said: set[tuple[str, str]] = set()
    for path in _PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if isinstance(node.func.value, ast.Name) and node.func.value.id == "_log":
                assert node.func.attr in _LEVELS
                constants = [each.value for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant)]
                messages = [text for text in constants if isinstance(text, str)]
                assert messages, f"{path}:{node.lineno}: no message that a page could name"
                said |= {(node.func.attr, text) for text in messages if not text.startswith("bug: ")}
    return said


def test_every_message_is_on_the_page_and_no_other() -> None:
    shown = {
        (level, message)
        for messages, levels, _ in _ROWS
        for message in re.findall(r"`([^`]+)`", messages)
        for level in levels.split(", ")
        if not message.startswith("bug: ")
    }
    assert shown == _logged()


def test_the_shown_lines_are_of_the_formats_and_have_the_keys_that_the_page_names() -> None:
    logfmt, objects = ([line for line in text.splitlines() if line[0] in "t{"] for text in _SHOWN)
    assert [json.loads(line)["msg"] for line in objects] == ["listening", "probe failed"]
    assert FORMATS == ("logfmt", "json")
    rows = {message: keys for messages, _, keys in _ROWS for message in re.findall(r"`([^`]+)`", messages)}
    seen: set[str] = set()
    for line in (*map(parse_logfmt, logfmt), *map(json.loads, objects)):
        keys = rows[line["msg"]]
        seen.add(line["msg"])
        if "as `" not in keys:
            assert set(line) - {"ts", "level", "msg"} <= set(re.findall(r"`(\w+)`", keys))
    assert seen == {"listening", "probe failed", "probe recovered", "target refused", "stopping", "stopped"}


def test_the_readme_leads_to_the_page() -> None:
    assert "(docs/logs.md)" in (ROOT / "README.md").read_text()
