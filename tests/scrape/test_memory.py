"""What is remembered of configurations, and when it is forgotten."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from oxidized_exporter.config import Check, Config, Configs, Connection, LineExpression, Module
from oxidized_exporter.scrape.memory import Key, Memory, Remembered
from oxidized_exporter.scrape.plan import TargetPlan, plan
from oxidized_exporter.targets.pattern import TargetPattern
from oxidized_exporter.targets.url import parse_target

if TYPE_CHECKING:
    from collections.abc import Mapping

HOUR = 3600.0


def module(*, remember: int = 100, name: str = "default", **checks: Check) -> Module:
    return Module(name=name, configs=Configs(remember=remember, checks=checks))


def planned(target: str = "http://a:1", config: Config | None = None) -> TargetPlan:
    return plan(parse_target(target), config=config or Config())


def entry(size: int = 1, **changes: Any) -> Remembered:
    return Remembered(end=1.0, modified=2.0, until=100.0, size=size, lines=0, checks=())._replace(**changes)


def key(name: str) -> Key:
    return name, "IOS", "g"


def entries(*names: str) -> Mapping[Key, Remembered]:
    return {key(name): entry(place) for place, name in enumerate(names)}


def keys(*names: str) -> set[Key]:
    return {key(name) for name in names}


def test_what_was_kept_is_known_of_this_target_and_of_no_other() -> None:
    memory = Memory()
    kept = entries("g/sw1", "g/sw2")
    memory.keep(planned(), module(), kept, present=kept)
    assert memory.of(planned(), module()) == kept
    assert not memory.of(planned("http://a:2"), module())
    assert not memory.of(planned("http://a:1/prefix"), module())
    assert not memory.of(planned(), module(name="other"))
    assert len(memory) == 2


def test_two_spellings_of_a_target_are_one() -> None:
    memory = Memory()
    memory.keep(planned("http://a"), module(), entries("x"), present=keys("x"))
    assert memory.of(planned("HTTP://A:80/"), module()) == entries("x")


def test_what_is_kept_later_counts_and_what_has_vanished_is_forgotten() -> None:
    memory = Memory()
    memory.keep(planned(), module(), entries("a", "b", "c"), present=keys("a", "b", "c"))
    memory.keep(planned(), module(), {key("a"): entry(9)}, present=keys("a", "c"))
    assert memory.of(planned(), module()) == {key("c"): entry(2), key("a"): entry(9)}
    assert len(memory) == 2
    memory.keep(planned(), module(), {}, present=())
    assert len(memory) == 0


def test_of_more_than_the_module_remembers_the_oldest_are_left_out() -> None:
    memory, three = Memory(), module(remember=3)
    memory.keep(planned(), three, entries("a", "b"), present=keys("a", "b"))
    memory.keep(planned(), three, entries("c", "d"), present=keys("a", "b", "c", "d"))
    assert list(memory.of(planned(), three)) == [key("b"), key("c"), key("d")]


def test_the_target_that_was_not_scraped_for_longest_is_forgotten_first() -> None:
    memory, four = Memory(), module(remember=4)
    for target in ("http://a:1", "http://b:1"):
        memory.keep(planned(target), four, entries("x", "y"), present=keys("x", "y"))
    assert memory.of(planned("http://a:1"), four)
    assert len(memory) == 4
    memory.keep(planned("http://c:1"), four, entries("x", "y"), present=keys("x", "y"))
    assert len(memory) == 4
    assert not memory.of(planned("http://b:1"), four)
    assert memory.of(planned("http://a:1"), four)


def test_a_reload_does_not_change_which_target_is_forgotten_first() -> None:
    memory, two = Memory(), module(remember=2)
    config = Config(modules={"default": two})
    for target in ("http://a:1", "http://b:1"):
        memory.keep(planned(target, config), two, entries("x"), present=keys("x"))
    assert memory.of(planned("http://a:1", config), two)
    memory.forget_all_but(config)
    memory.keep(planned("http://c:1", config), two, entries("x"), present=keys("x"))
    assert not memory.of(planned("http://b:1", config), two)
    assert memory.of(planned("http://a:1", config), two)


def test_remembering_can_be_off() -> None:
    memory, off = Memory(), module(remember=0)
    memory.keep(planned(), off, entries("x"), present=keys("x"))
    assert not memory.of(planned(), off)
    assert len(memory) == 0


def test_changed_checks_forget_everything() -> None:
    memory = Memory()
    telnet = Check(must_not_match=LineExpression("telnet"))
    memory.keep(planned(), module(telnet=telnet), entries("x"), present=keys("x"))
    assert memory.of(planned(), module(telnet=Check(must_not_match=LineExpression("telnet"))))
    assert not memory.of(planned(), module(telnet=Check(must_match=LineExpression("telnet"))))
    assert not memory.of(planned(), module(ssh=telnet))
    assert not memory.of(planned(), module())


def test_the_order_of_checks_counts_since_results_stand_in_it() -> None:
    memory = Memory()
    one, other = Check(must_match=LineExpression("a")), Check(must_match=LineExpression("b"))
    memory.keep(planned(), module(one=one, other=other), entries("x"), present=keys("x"))
    assert not memory.of(planned(), module(other=other, one=one))


def connected(**settings: Any) -> Config:
    patterns = (TargetPattern.parse("http://a:1"),)
    return Config(connections=(Connection(targets=patterns, **settings),), modules={"default": module()})


def test_another_connection_forgets_everything() -> None:
    memory = Memory()
    memory.keep(planned(config=connected()), module(), entries("x"), present=keys("x"))
    assert memory.of(planned(config=connected()), module())
    assert not memory.of(planned(config=connected(host_header="other")), module())
    assert not memory.of(planned(), module())


def test_a_reload_forgets_what_it_changes_and_nothing_else() -> None:
    memory = Memory()
    before = connected()
    for target in ("http://a:1", "http://b:1"):
        memory.keep(planned(target, before), module(), entries("x"), present=keys("x"))
    memory.keep(planned("http://a:1", before), module(name="gone"), entries("x"), present=keys("x"))

    memory.forget_all_but(replace(before))
    assert len(memory) == 2
    assert not memory.of(planned("http://a:1", before), module(name="gone"))

    memory.forget_all_but(connected(host_header="other"))
    assert not memory.of(planned("http://a:1", before), module())
    assert memory.of(planned("http://b:1", before), module())

    memory.forget_all_but(Config(modules={"default": module(remember=99)}))
    assert len(memory) == 0


def test_who_was_in_trouble_is_known_though_nothing_is_remembered() -> None:
    memory = Memory()
    memory.keep(planned(), module(), {}, present=(), troubled=frozenset({"g/sw1"}))
    assert memory.troubled(planned(), module()) == {"g/sw1"}
    assert not memory.troubled(planned("http://a:2"), module())
    assert len(memory) == 0
    memory.keep(planned(), module(), {}, present=())
    assert not memory.troubled(planned(), module())


def test_an_entry_lives_between_18_and_24_hours() -> None:
    drawn: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    assert Memory(clock=lambda: 5.0, uniform=uniform).until() == 5 + 24 * HOUR
    assert drawn == [(18 * HOUR, 24 * HOUR)]
    assert len({Memory(clock=lambda: 5.0).until() for _ in range(10)}) > 1


def test_a_scrape_that_began_before_a_reload_leaves_nothing_behind() -> None:
    memory = Memory()
    before, after = connected(host_header="old"), connected()
    memory.keep(planned(config=before), module(), entries("x"), present=keys("x"))
    memory.forget_all_but(after)
    memory.keep(planned(config=before), module(), entries("x"), present=keys("x"))
    memory.keep(planned(config=before), module(name="gone"), entries("x"), present=keys("x"))
    assert len(memory) == 0
    memory.keep(planned(config=after), module(), entries("x"), present=keys("x"))
    memory.keep(planned(config=before), module(remember=7), entries("y"), present=keys("y"))
    assert memory.of(planned(config=after), module()) == entries("x")
