"""docs/commands.md says what the commands do: their output, their flags, their JSON."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any, Final

import pytest
from nagiosplugin import Range

from oxidized_exporter.cli import main
from oxidized_exporter.commands.condition import Condition
from oxidized_exporter.commands.status_json import document
from oxidized_exporter.scrape.snapshot import Snapshot
from tests.commands_page import PAGE, lasting, page
from tests.metrics.test_collector import device, failed, scraped, with_all_collectors
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

_TEXT: Final = PAGE.read_text()
_COMMANDS: Final = ("probe", "check", "status")


def section(heading: str) -> str:
    """Return what stands below a heading, up to the next one."""
    return re.split(r"^#+ ", _TEXT.partition(f"# {heading}\n")[2], flags=re.MULTILINE)[0]


def first_cells(text: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
async def test_the_page_is_current() -> None:
    assert lasting(_TEXT) == lasting(await page()), "run `make docs`"


def test_the_moment_leaves_what_lasts() -> None:
    assert lasting("time=0.004s 36m 3d18h 10 of 50 10m") == "time=0 0 0 10 of 50 0"


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_flag_is_on_the_page_and_no_other(command: str) -> None:
    flags = {option for parameter in main.commands[command].params for option in parameter.opts if option[:2] == "--"}
    told = section(command)
    synopsis = re.search(r"^`(oxidized-exporter [^`]+)`", told, re.MULTILINE)
    assert synopsis
    assert set(re.findall(r"--[a-z.-]+", synopsis[1])) == flags
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z.-]*[a-z]", told)) <= flags | {"--help"}


def test_the_ranges_are_as_the_table_has_them() -> None:
    ranges = first_cells(section("check").partition("| range |")[2])
    inside = {text: [number for number in range(25) if Range(text).match(number)] for text in ranges}
    assert inside == {
        "5": [*range(6)],
        "10:": [*range(10, 25)],
        "~:10": [*range(11)],
        "10:20": [*range(10, 21)],
        "@10:20": [*range(10), *range(21, 25)],
    }


def test_every_condition_is_in_the_table() -> None:
    assert first_cells(section("check"))[: len(Condition)] == list(Condition)


def keys(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every key; below the results of checks the user's own names begin."""
    if isinstance(value, list):
        for one in value:
            yield from keys(one, f"{path}[]")
    elif isinstance(value, dict) and not path.endswith(".checks"):
        for name, one in value.items():
            below = f"{path}.{name}".removeprefix(".")
            yield below
            yield from keys(one, below)


def test_every_key_of_the_json_is_in_the_table() -> None:
    snapshot = Snapshot(scrapes=(with_all_collectors(scraped(device())), failed()))
    found = document(snapshot, module="default", now=0.0, max_age=1.0)
    assert sorted(first_cells(section("JSON"))) == sorted(set(keys(found)))


def test_the_page_is_found() -> None:
    assert "(docs/commands.md)" in (ROOT / "README.md").read_text()
