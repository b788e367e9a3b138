"""All that a user can set, ask for or see is on a page: nothing is left out, and nothing is told that there is not."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final

import click
import pytest
from multidict import MultiDict
from prometheus_client.parser import text_string_to_metric_families

from oxidized_exporter.cli import main
from oxidized_exporter.config import COLLECTORS, Access, Config, Module, TargetEntry
from oxidized_exporter.config.schema import json_schema
from oxidized_exporter.demo import closed_port, daemons
from oxidized_exporter.simulator import ManualClock, create_app
from oxidized_exporter.targets.pattern import parse_access_pattern
from oxidized_exporter.targets.url import parse_target
from oxidized_exporter.web.parameters import parse_probe
from oxidized_exporter.web.state import Settings
from oxidized_exporter.web.web_config_loader import json_schema as web_json_schema
from tests import configuration_page, flags_page, metrics_page, web_configuration_page
from tests.harness import running, running_exporter
from tests.rule_files import ALERTS, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DOCS: Final = ROOT / "docs"
_OF_AIOHTTP: Final = {"HEAD"}  # comes with each GET


def section(text: str, heading: str) -> str:
    """Return what stands below a heading, up to the next one of its level or above."""
    level, _, _ = heading.partition(" ")
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^#{{1,{len(level)}}} |\Z)", text, re.DOTALL | re.MULTILINE)
    assert found, f"no {heading!r}"
    return found[1]


def first_cells(text: str) -> list[str]:
    """Return what stands in the first cells of tables, as code."""
    return [
        name
        for cell in re.findall(r"^\| ((?:[^|\\]|\\.)*) \|", text, re.MULTILINE)
        for name in re.findall("`(.+?)`", cell)
    ]


def test_the_metrics_page_is_current() -> None:
    assert metrics_page.PAGE.read_text() == metrics_page.page(), "run `make docs`"


def test_the_flags_page_is_current() -> None:
    assert flags_page.PAGE.read_text() == flags_page.page(), "run `make docs`"


async def test_every_metric_that_is_answered_is_on_its_page() -> None:
    told = set(first_cells(metrics_page.PAGE.read_text()))
    module = Module(name="all", collectors=tuple(COLLECTORS))
    _, troubled = daemons(20)
    async with (
        running(create_app(troubled)) as url,
        running_exporter(config=Config(modules={"all": module})) as exporter,
    ):
        for path in (f"/probe?target={url}&module=all", "/probe?target=http://127.0.0.1:1&module=all", "/metrics"):
            answered = text_string_to_metric_families(await (await exporter.get(path)).text())
            names = {f"{family.name}_total" if family.type == "counter" else family.name for family in answered}
            assert len(names) > 5
            assert names <= told, path


@pytest.mark.parametrize("name", ["", *main.commands])
def test_every_flag_and_variable_of_every_command_is_on_the_page(name: str) -> None:
    told = section(flags_page.PAGE.read_text(), f"## {name or 'Serving'}")
    flags = {flag.partition(" ")[0] for flag in first_cells(told)}
    variables = set(re.findall(r"`(OXIDIZED_EXPORTER_\w+)`", told))
    command: click.Command = main.commands[name] if name else main
    declared = [option for option in command.params if isinstance(option, click.Option)]
    assert flags == {flag for option in declared for flag in option.opts} | {"-h", "--help"}
    assert variables == {
        variable
        for option in declared
        for variable in ([option.envvar] if isinstance(option.envvar, str) else option.envvar or ())
    }


def _keys(schema: Mapping[str, Any], whole: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the heading of the section that each key stands below, and the key."""
    for key, value in schema["properties"].items():
        yield path, key
        for inner, step in (
            (value, ""),
            (value.get("items", {}), "[]"),
            *((entry, ".NAME") for entry in value.get("patternProperties", {}).values()),
            (value.get("additionalProperties") or {}, ".NAME"),
        ):
            if isinstance(inner, dict) and "$ref" in inner:
                below = f"{path}.{key}{step}".removeprefix(".")
                yield from _keys(whole["$defs"][inner["$ref"].rpartition("/")[2]], whole, below)


@pytest.mark.parametrize(
    "page, schema, first",
    [
        (configuration_page.PAGE, json_schema(), "## The file"),
        (web_configuration_page.PAGE, web_json_schema(), "## The file"),
    ],
    ids=["configuration", "web configuration"],
)
def test_every_setting_is_on_its_page(page: Any, schema: Mapping[str, Any], first: str) -> None:
    text = page.read_text()
    keys = list(_keys(schema, schema))
    assert {key for _, key in keys} == {
        key for definition in (schema, *schema["$defs"].values()) for key in definition["properties"]
    }
    for path, key in keys:
        assert key in first_cells(section(text, f"## `{path}`" if path else first)), f"{path}.{key}"


async def test_every_route_is_on_the_page_and_no_other() -> None:
    rows = first_cells((_DOCS / "requests.md").read_text().partition("## Parameters")[0])
    told = {tuple(row.partition("?")[0].split(" ")) for row in rows if "/" in row}
    async with running_exporter(settings=Settings(timeout_offset=0)) as exporter:
        routes = {(route.method, route.resource.canonical) for route in exporter.app.router.routes() if route.resource}
    assert told == {route for route in routes if route[0] not in _OF_AIOHTTP}


class _Asked(MultiDict[str]):
    """A query that notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__(target="http://127.0.0.1:1")
        self.names: set[str] = set()

    def getall(self, key: str, default: Any = None) -> Any:
        self.names.add(key)
        return super().getall(key, default)


def test_every_parameter_of_a_probe_is_on_the_page_and_no_other() -> None:
    told = section((_DOCS / "requests.md").read_text(), "## Parameters of `/probe`")
    asked = _Asked()
    parse_probe(asked, config=Config())
    table = re.findall(r"^\| `([\w\[\]]+)=", told, re.MULTILINE)
    assert sorted(table) == sorted(asked.names)


def test_every_alert_is_on_a_page() -> None:
    listed = (_DOCS / "runbooks" / "README.md").read_text()
    for alert in ALERTS:
        assert f"]({alert}.md)" in listed
        assert (_DOCS / "runbooks" / f"{alert}.md").is_file()


@pytest.mark.parametrize("name", main.commands)
def test_every_command_is_told_of_where_it_is_used(name: str) -> None:
    pages = [path for path in (*_DOCS.glob("*.md"), ROOT / "deploy" / "README.md") if path != flags_page.PAGE]
    assert any(f"oxidized-exporter {name}" in path.read_text() for path in pages)


def _shown_requests() -> list[tuple[str, str]]:
    """Return the requests that pages show, each with what is answered: all of it, or what grep has left."""
    blocks = [
        block
        for path in (ROOT / "README.md", _DOCS / "requests.md")
        for block in re.findall(r"^```console\n(\$ curl .*?)^```$", path.read_text(), re.DOTALL | re.MULTILINE)
    ]
    return re.findall(r"\$ curl .*?'http://127\.0\.0\.1:10888(/.*?)'.*\n((?:[^$\n].*\n)+)", "".join(blocks))


async def test_what_is_answered_to_shown_requests_is_real() -> None:
    _, troubled = daemons(50, clock=ManualClock(float(int(time.time()))))
    with closed_port(0) as port:
        async with running(create_app(troubled)) as url:
            urls = {"troubled": url, "down": f"http://127.0.0.1:{port}"}
            targets = {name: TargetEntry(name=name, target=parse_target(text)) for name, text in urls.items()}
            anybody = Access(allow=(parse_access_pattern("http://127.0.0.1:*"),))
            async with running_exporter(config=Config(targets=targets, access=anybody)) as exporter:
                assert len(_shown_requests()) == 4
                for path, output in _shown_requests():
                    answer = await (await exporter.get(path.replace("http://127.0.0.1:10890", url))).text()
                    assert set(output.splitlines()) <= set(answer.splitlines()), path
