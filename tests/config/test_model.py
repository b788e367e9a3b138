from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxidized_exporter.config import (
    Authorization,
    BasicAuth,
    Config,
    Connection,
    Expression,
    HttpHeader,
    Module,
    Secret,
    Selector,
    TargetEntry,
)
from oxidized_exporter.config.model import TAKEN_LABELS
from oxidized_exporter.metrics.catalogue import CATALOGUE
from oxidized_exporter.metrics.definition import DEVICE_LABELS, TARGET_LABEL, ScrapeMetric
from oxidized_exporter.oxidized.models import Device
from oxidized_exporter.targets.pattern import TargetPattern
from oxidized_exporter.targets.url import parse_target


def device(*, name: str = "sw1", group: str = "access", model: str = "IOS", ip: str = "10.0.0.1") -> Device:
    return Device(
        full_name=f"{group}/{name}",
        name=name,
        group=group,
        model=model,
        ip=ip,
        status="success",
        succeeded=None,
        start=None,
        end=None,
        duration=None,
        modified=None,
        exposes_secrets=False,
    )


def expressions(*texts: str) -> tuple[Expression, ...]:
    return tuple(Expression(text) for text in texts)


@pytest.mark.parametrize(
    "include,exclude,selected",
    [
        (Selector(), Selector(), True),
        (Selector(group=expressions("access")), Selector(), True),
        (Selector(group=expressions("acc")), Selector(), False),
        (Selector(group=expressions("cess")), Selector(), False),
        (Selector(group=expressions("core", "acc.*")), Selector(), True),
        (Selector(group=expressions("a|access")), Selector(), True),
        (Selector(group=expressions("access"), model=expressions("IOS")), Selector(), True),
        (Selector(group=expressions("access"), model=expressions("JunOS")), Selector(), False),
        (Selector(full_name=expressions("access/sw.")), Selector(), True),
        (Selector(ip=expressions(r"10\.0\..*")), Selector(), True),
        (Selector(name=expressions("(?i)SW1")), Selector(), True),
        (Selector(), Selector(model=expressions("IOS")), False),
        (Selector(), Selector(model=expressions("IO")), True),
        (Selector(), Selector(model=expressions("JunOS"), name=expressions("sw1")), False),
        (Selector(group=expressions("access")), Selector(name=expressions("sw1")), False),
    ],
)
def test_which_devices_a_module_selects(include: Selector, exclude: Selector, *, selected: bool) -> None:
    assert Module(name="m", include=include, exclude=exclude).selects(device()) is selected


def test_an_expression_takes_linear_time() -> None:
    """Python's own would take years here."""
    assert not Expression("(a+)+b").matches("a" * 100_000)


@pytest.mark.parametrize("value", ["\n", "a\nb", "\ud800", "é", "日本", ""])
def test_any_text_is_looked_at(value: str) -> None:
    assert Expression(".*").matches(value)


@given(st.text(max_size=30))
def test_any_text_is_an_expression_or_a_value_error(text: str) -> None:
    try:
        expression = Expression(text)
    except ValueError:
        return
    assert expression == Expression(text)
    assert hash(expression) == hash(Expression(text))
    assert str(expression) == text
    assert repr(expression) == f"Expression({text!r})"


def test_without_a_file_there_is_one_module() -> None:
    config = Config()
    assert config.modules == {"default": Module(name="default")}
    assert config.modules["default"].collectors == ("nodes",)
    assert config.connections == ()
    assert config.targets == {}
    assert config.access.allow == config.access.deny == ()


def test_the_module_default_is_always_there() -> None:
    assert list(Config(modules={"other": Module(name="other")}).modules) == ["default", "other"]
    mine = Module(name="default", devices="none")
    assert Config(modules={"default": mine}).modules == {"default": mine}


def test_mappings_cannot_be_changed() -> None:
    entry = TargetEntry(name="a", target=parse_target("http://a"), labels={"x": "y"})
    config = Config(targets={"a": entry})
    connection = Connection(targets=(TargetPattern.parse("http://a"),))
    for mapping in (config.modules, config.targets, entry.labels, connection.http_headers):
        assert isinstance(mapping, MappingProxyType)


def test_the_label_of_a_configured_target_is_its_name() -> None:
    assert TargetEntry(name="eu-west", target=parse_target("http://a")).target.label == "eu-west"


def test_the_first_connection_that_matches_serves_a_target() -> None:
    def connection(*patterns: str) -> Connection:
        return Connection(targets=tuple(TargetPattern.parse(pattern) for pattern in patterns))

    one, other = connection("http://a", "http://b/x"), connection("http://*:*")
    config = Config(connections=(one, other))
    assert config.connection_for(parse_target("http://a/x")) is one
    assert config.connection_for(parse_target("http://b/x")) is one
    assert config.connection_for(parse_target("http://b")) is other
    assert config.connection_for(parse_target("https://b")) is None


@pytest.mark.parametrize(
    "settings,reads",
    [
        ({}, False),
        ({"basic_auth": BasicAuth(username="x", password=Secret("x"))}, False),
        ({"basic_auth": BasicAuth(username_file=Path("x"))}, True),
        ({"basic_auth": BasicAuth(username="x", password_file=Path("x"))}, True),
        ({"authorization": Authorization(credentials=Secret("x"))}, False),
        ({"authorization": Authorization(credentials_file=Path("x"))}, True),
        ({"http_headers": {"X": HttpHeader(values=(Secret("x"),), secrets=(Secret("x"),))}}, False),
        ({"http_headers": {"X": HttpHeader(files=(Path("x"),))}}, True),
    ],
)
def test_what_reads_secrets_from_files(settings: dict[str, Any], *, reads: bool) -> None:
    assert Connection(targets=(TargetPattern.parse("http://a"),), **settings).reads_secrets is reads


@dataclass(frozen=True)
class Named:
    name: str = "a"
    full_name: str = "a"
    group: str = "default"
    model: str = "IOS"
    ip: str = "10.0.0.1"


def test_a_device_is_whatever_has_the_fields() -> None:
    assert Module(name="m", include=Selector(group=expressions("default"))).selects(Named())


def test_no_label_of_a_target_is_one_that_its_series_have_already() -> None:
    of_metrics = {
        label
        for metric in CATALOGUE
        for label in (metric.labels if isinstance(metric, ScrapeMetric) else metric.labels[len(DEVICE_LABELS) :])
    }
    assert {"job", "instance", TARGET_LABEL, *DEVICE_LABELS, *of_metrics} == TAKEN_LABELS
