from __future__ import annotations

import json

import pytest

from oxidized_exporter.config import Expression, Limits, Module, Selector
from oxidized_exporter.errors import TooLargeError
from oxidized_exporter.oxidized.models import Devices, NodeList
from oxidized_exporter.oxidized.nodes import read_nodes
from oxidized_exporter.scrape.nodes import STATUSES, collect_nodes, summarise
from tests.metrics.test_collector import device

DEVICES = Devices.of(
    device(name=name, full_name=f"{group}/{name}", group=group, model=model, status=status)
    for name, group, model, status in (
        ("sw1", "access", "IOS", "success"),
        ("sw2", "access/lab", "EOS", "fail"),
        ("r1", "core", "JunOS", "never"),
        ("r2", "core", "IOS", "success"),
    )
)


def summary(**settings: object) -> tuple[list[str], int, bool]:
    module = Module(name="m", **settings)  # type: ignore[arg-type]
    found = summarise(NodeList(devices=DEVICES), module=module)
    return [shown.name for shown in found.shown], sum(found.by_status.values()), found.complete


def expressions(*texts: str) -> tuple[Expression, ...]:
    return tuple(map(Expression, texts))


@pytest.mark.parametrize(
    "devices,shown", [("all", ["sw1", "sw2", "r1", "r2"]), ("failing", ["sw2", "r1"]), ("none", [])]
)
def test_which_devices_have_series_and_aggregates_always_count_all(devices: str, shown: list[str]) -> None:
    assert summary(devices=devices) == (shown, 4, True)


@pytest.mark.parametrize(
    "include,exclude,shown",
    [
        ({"group": ["access/.*"]}, {}, ["sw2"]),
        ({"group": ["access.*"]}, {}, ["sw1", "sw2"]),
        ({"group": ["access.*", "core"]}, {"model": ["IOS"]}, ["sw2", "r1"]),
        ({"group": ["core"], "model": ["IOS"]}, {}, ["r2"]),
        ({}, {"name": ["sw.", "r1"]}, ["r2"]),
        ({"name": ["w"]}, {}, []),
    ],
)
def test_what_a_module_selects_is_shown_and_counted(
    include: dict[str, list[str]], exclude: dict[str, list[str]], shown: list[str]
) -> None:
    selectors = [Selector(**{key: expressions(*texts) for key, texts in given.items()}) for given in (include, exclude)]
    assert summary(include=selectors[0], exclude=selectors[1]) == (shown, len(shown), True)


def test_too_many_devices_give_aggregates_and_no_series() -> None:
    assert summary(max_devices=4) == (["sw1", "sw2", "r1", "r2"], 4, True)
    assert summary(max_devices=3) == ([], 4, False)
    assert summary(max_devices=3, devices="failing") == ([], 4, False)


def test_only_what_is_selected_counts_for_times_and_secrets() -> None:
    devices = Devices.of(
        (
            device(name="old", full_name="old", end=1.0, exposes_secrets=True),
            device(name="mid", full_name="mid", end=2.0, exposes_secrets=True),
            device(name="new", full_name="new", end=3.0),
        )
    )
    module = Module(name="m", include=Selector(name=expressions("mid")))
    found = summarise(NodeList(devices=devices), module=module)
    assert (found.newest_end, found.oldest_end, found.exposing_secrets) == (2.0, 2.0, 1)


def test_devices_are_counted_by_each_status_that_there_is_a_label_for_zeros_included() -> None:
    devices = Devices.of(device(status=status) for status in ("success", "success", "fail", "on_fire", ""))
    found = summarise(NodeList(devices=devices), module=Module(name="m"))
    assert tuple(found.by_status) == STATUSES
    assert dict(found.by_status) == {
        "success": 2,
        "no_connection": 0,
        "fail": 1,
        "timelimit": 0,
        "never": 0,
        "other": 2,
    }


_BODY = json.dumps([{"name": "sw1", "status": "fail"}, {"name": "sw2", "status": "success"}, {"name": "r1"}]).encode()
_SWITCHES = Module(name="m", include=Selector(name=expressions("sw.")))


def test_the_body_is_read_within_the_limits_and_what_the_module_selects_is_counted() -> None:
    found = collect_nodes(_BODY, module=_SWITCHES, limits=Limits(rows=3))
    assert [shown.name for shown in found.shown] == ["sw1", "sw2"]
    assert (found.by_status["fail"], found.by_status["success"], found.by_status["never"]) == (1, 1, 0)
    with pytest.raises(TooLargeError):
        collect_nodes(_BODY, module=_SWITCHES, limits=Limits(rows=2))


def test_whoever_waits_is_asked_for_while_the_body_is_read_and_at_each_device_that_is_looked_at() -> None:
    reading: list[None] = []
    all_of_it: list[None] = []
    devices = read_nodes(_BODY, limits=Limits(), still_wanted=lambda: reading.append(None)).devices
    collect_nodes(_BODY, module=_SWITCHES, limits=Limits(), still_wanted=lambda: all_of_it.append(None))
    assert len(all_of_it) == len(reading) + len(devices)
    assert reading


def test_selecting_ends_when_nobody_waits_for_it() -> None:
    def give_up() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        summarise(
            NodeList(devices=DEVICES),
            module=Module(name="m", include=Selector(name=expressions("sw.*"))),
            still_wanted=give_up,
        )
