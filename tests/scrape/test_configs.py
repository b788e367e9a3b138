"""What the collector configs asks for, in which order, and what of it is known already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from oxidized_exporter.config import Check, Expression, LineExpression, Module, Selector
from oxidized_exporter.oxidized.configuration import Skip
from oxidized_exporter.oxidized.models import Device, Devices, NodeList
from oxidized_exporter.scrape.configs import Progress, Wanted, plan_fetches
from oxidized_exporter.scrape.memory import Key, Remembered
from oxidized_exporter.scrape.nodes import summarise
from tests.metrics.test_collector import device

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxidized_exporter.scrape.snapshot import NodesSummary

UNTIL = 100.0


def switch(name: str, **changes: Any) -> Device:
    return device(full_name=f"access/{name}", name=name, **changes)


def alone(name: str, **changes: Any) -> Device:
    return device(full_name=name, name=name, group="default", **changes)


def summary(*devices: Device, module: Module | None = None) -> NodesSummary:
    return summarise(NodeList(devices=Devices.of(devices)), module=module or Module(name="default"))


def known(*devices: Device, **changes: Any) -> dict[Key, Remembered]:
    return {
        (one.full_name, one.model, one.group): Remembered(
            end=one.end, modified=one.modified, until=UNTIL, size=5, lines=2, checks=(True,)
        )._replace(**changes)
        for one in devices
    }


def fetches(
    *devices: Device, shuffle: Callable[[list[Wanted]], None] = lambda _wanted: None, **settings: Any
) -> Progress:
    given: dict[str, Any] = {"known": {}, "checks": {}, "now": 0.0} | settings
    return plan_fetches(summary(*devices, module=given.pop("module", None)), shuffle=shuffle, **given)


def asked_for(progress: Progress) -> list[str]:
    return [wanted.path.rpartition("/")[2] for wanted in progress.wanted]


def test_what_was_never_seen_comes_first_and_what_was_in_trouble_last() -> None:
    """Else a fleet that changes faster than it is asked for would never be told whole."""
    devices = [switch(name) for name in ("hung", "changed", "new", "same", "hung-before", "newer")]
    before = known(devices[1], devices[4], end=1.0) | known(devices[3])
    progress = fetches(*devices, known=before, troubled={"access/hung", "access/hung-before"})
    assert asked_for(progress) == ["new", "newer", "changed", "hung", "hung-before"]
    assert progress.remembered == 1


def test_each_part_comes_in_another_order_each_time() -> None:
    """Else what lies behind those that hang would never be reached."""
    devices = [switch(f"{part}{number}") for part in ("new", "old", "bad") for number in range(2)]
    troubled = {"access/bad0", "access/bad1"}
    progress = fetches(*devices, known=known(*devices[2:4], end=1.0), troubled=troubled, shuffle=list.reverse)
    assert asked_for(progress) == ["new1", "new0", "old1", "old0", "bad1", "bad0"]

    many = summary(*(switch(f"sw{number}") for number in range(200)))
    orders = {tuple(asked_for(plan_fetches(many, known={}, checks={}, now=0.0))) for _ in range(2)}
    assert len(orders) == 2


@pytest.mark.parametrize("changes", [{"end": 103.0}, {"modified": 51.0}, {"end": None}, {"modified": None}])
def test_both_times_of_the_list_stand_where_they_stood_or_it_is_asked_for(changes: dict[str, Any]) -> None:
    before = known(switch("sw1"))
    assert asked_for(fetches(switch("sw1"), known=before)) == []
    assert asked_for(fetches(switch("sw1", **changes), known=before)) == ["sw1"]


@pytest.mark.parametrize("now,wanted", [(UNTIL - 1, []), (UNTIL, ["sw1"]), (UNTIL + 1, ["sw1"])])
def test_nothing_is_remembered_for_longer_than_it_holds(now: float, wanted: list[str]) -> None:
    assert asked_for(fetches(switch("sw1"), known=known(switch("sw1")), now=now)) == wanted


@pytest.mark.parametrize("changes", [{"end": 1.0}, {"until": -1.0}])
def test_of_what_is_asked_for_nothing_old_is_told(changes: dict[str, Any]) -> None:
    devices = (switch("same"), switch("changed"))
    checks = {"ntp": Check(must_match=LineExpression("ntp"))}
    before = known(devices[0]) | known(devices[1], **changes)
    told = fetches(*devices, known=before, checks=checks).summary()
    assert (told.size, told.lines, told.checks) == ((5, None), (2, None), {"ntp": (True, None)})
    assert told.pending == 1


def test_a_namesake_counts_though_the_module_does_not_show_it() -> None:
    """The file output may answer with the other one's configuration, whoever is shown."""
    module = Module(name="default", exclude=Selector(group=(Expression("access"),)))
    progress = fetches(alone("sw1"), switch("sw1"), alone("sw2"), module=module)
    assert asked_for(progress) == ["sw2"]
    assert progress.skipped == {Skip.NAMESAKE: 1}
