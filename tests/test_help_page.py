"""``--help``: what is on it, and that it is readable."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

import click
import pytest
from click.testing import CliRunner

from oxidized_exporter.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDEST: Final = 100


def _page(*command: str, columns: int = 200) -> str:
    done = CliRunner().invoke(main, [*command, "--help"], prog_name="oxidized-exporter", env={"COLUMNS": str(columns)})
    assert done.exit_code == (3 if command == ("check",) else 0)  # a plugin's: no check may be OK that asks for it
    return done.output


def _sections(page: str) -> dict[str, str]:
    parts = re.split(r"^(\w[\w ]*):$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _examples() -> Iterator[str]:
    yield from re.findall(r"^  oxidized-exporter (.*)$", _sections(_page())["Examples"], re.MULTILINE)


@pytest.mark.parametrize("columns", [80, 100, 200])
@pytest.mark.parametrize("command", ["", *main.commands])
def test_no_line_is_too_long(command: str, columns: int) -> None:
    lines = _page(*filter(None, [command]), columns=columns).splitlines()
    widest = max(len(line) for line in lines if not line.startswith("  oxidized-exporter "))  # to be copied
    assert widest <= min(columns, _WIDEST)
    assert max(map(len, lines)) <= _WIDEST
    assert not any(line != line.rstrip() for line in lines)


def test_every_flag_is_in_its_section_with_its_variable() -> None:
    sections = _sections(_page())
    assert {"Configuration", "Web", "Scrapes", "Logging", "Other", "Commands", "Examples"} <= set(sections)
    assert "Options" not in sections
    beginnings = {
        "web.": "Web",
        "config.": "Configuration",
        "log.": "Logging",
        "oxidized.": "Single instance",
        "user": "Single instance",
        "pass": "Single instance",
        "path": "Single instance",
    }
    for option in main.params:
        assert isinstance(option, click.Option)
        name = next((opt for opt in option.opts if "." in opt), option.opts[0])
        written = re.compile(rf"^  (?=-)[^\n]*?{re.escape(name)}(?![\w.-])", re.MULTILINE)
        where = [section for section, text in sections.items() if written.search(text)]
        assert len(where) == (not option.hidden), name
        if option.hidden:  # another spelling of one that is shown
            continue
        for beginning, section in beginnings.items():
            if name.startswith(f"--{beginning}"):
                assert where == [section]
        if not option.is_eager:
            variable = name.lstrip("-").replace(".", "_").replace("-", "_").upper()
            assert f"OXIDIZED_EXPORTER_{variable}" in sections[where[0]]


def test_all_sections_have_the_same_columns() -> None:
    page = _page()
    flags = page[page.index("Configuration:") : page.index("Commands:")]
    columns = {len(matched[0]) for matched in re.finditer(r"^  --?\S+(?: \S+)?  +(?=\S)", flags, re.MULTILINE)}
    assert len(columns) == 1


def test_every_command_is_told_in_a_whole_sentence() -> None:
    commands = _sections(_page())["Commands"]
    assert re.findall(r"^  (\S+) ", commands, re.MULTILINE) == sorted(main.commands)
    assert "..." not in commands


@pytest.mark.parametrize("example", tuple(_examples()))
def test_an_example_is_understood(example: str) -> None:
    first, *rest = shlex.split(example)
    if first.startswith("--"):
        assert main.make_context("oxidized-exporter", [first, *rest]).params
    else:
        assert main.commands[first].make_context(first, rest).params


def test_it_leads_to_examples_and_the_documentation() -> None:
    assert len(list(_examples())) > 3
    assert _page().rstrip().endswith("Documentation: https://github.com/oxidized-exporter/oxidized_exporter")
