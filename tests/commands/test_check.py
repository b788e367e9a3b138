"""What `check` makes of a scrape: state, text and performance data."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nagiosplugin import Range

from oxidized_exporter.commands.check import State, Thresholds, verdict
from oxidized_exporter.commands.condition import so_many_devices
from oxidized_exporter.scrape.snapshot import CollectorRun, Failure
from tests.commands.test_condition import FAILED, NEVER, NOW, OLD, RECENT
from tests.metrics.test_collector import device, failed, scraped

_DAY: Final = 86400.0
# 'label'=value[UOM];[warn];[crit];[min];[max], as the guidelines have it
_DATUM: Final = re.compile(r"[a-z]+=[0-9.]+s?(?:;[0-9.:@~]*){0,4}")


def thresholds(warning: str = "0", critical: str | None = None) -> Thresholds:
    return Thresholds(
        max_age=2 * _DAY,
        warning=Range(warning),
        critical=None if critical is None else Range(critical),
    )


def read(line: str) -> tuple[str, str]:
    """Return text and performance data of a line that is as the guidelines have it."""
    assert line.isprintable()
    assert len(line.encode()) < 1024
    text, separator, data = line.partition(" | ")
    assert separator
    assert "|" not in text + data
    assert all(_DATUM.fullmatch(datum) for datum in data.split())
    return text, data


def test_devices_in_trouble_are_counted_and_named_the_worst_first() -> None:
    scrape = replace(
        scraped(
            device(full_name="a/fresh", name="fresh", end=RECENT),
            device(full_name="a/never", name="never", **NEVER | {"modified": None}),
            device(full_name="a/stale", name="stale", end=OLD),
            device(full_name="b/failing", name="failing", **FAILED | {"end": RECENT}),
            device(full_name="a/failing", name="failing", group="x", **FAILED | {"end": RECENT, "status": "fail"}),
            device(full_name="a/waiting", name="waiting", **NEVER),
        ),
        duration=0.0314,
    )
    state, line = verdict(scrape, thresholds=thresholds(critical="10"), now=NOW)
    assert state is State.WARNING
    assert read(line) == (
        (
            "OXIDIZED WARNING - 4 of 6 devices in trouble: 2 failing, 1 stale, 1 never backed up, "
            "1 waiting for a job - "
            "a/failing (fail), b/failing (no_connection), a/stale (last success 3d ago), a/never (never); "
            "3 rows of the list could not be read"
        ),
        "trouble=4;0;10;0;6 failing=2;;;0;6 stale=1;;;0;6 never=1;;;0;6 devices=6;;;0 time=0.031s;;;0",
    )


@pytest.mark.parametrize(
    "warning, critical, state",
    [
        ("0", None, State.WARNING),
        ("3", None, State.OK),
        ("2", None, State.WARNING),
        ("", None, State.OK),
        ("2", "3", State.WARNING),
        ("3", "2", State.CRITICAL),
        ("0", "2", State.CRITICAL),
        ("~:3", "~:3", State.OK),
        ("4:", None, State.WARNING),
        ("@1:3", None, State.WARNING),
        ("@4:9", None, State.OK),
        ("0", "@3", State.CRITICAL),
    ],
)
def test_ranges_are_those_of_the_guidelines(warning: str, critical: str | None, state: State) -> None:
    devices = [device(full_name=f"a/{n}", name=str(n), **FAILED) for n in range(3)]
    found, line = verdict(scraped(*devices), thresholds=thresholds(warning, critical), now=NOW)
    assert found is state
    text, data = read(line)
    assert text.startswith(f"OXIDIZED {state.name} - 3 of 3 devices in trouble")
    assert data.startswith(f"trouble=3;{Range(warning)};{'' if critical is None else Range(critical)};0;3 ")


def test_at_most_20_are_named() -> None:
    devices = [device(full_name=f"a/{n:02}", name=str(n), **FAILED) for n in range(23)]
    text, _ = read(verdict(scraped(*devices), thresholds=thresholds(), now=NOW)[1])
    named = re.findall(r"a/\d\d \(no_connection\)", text)
    assert len(named) == 20
    assert ", a/19 (no_connection), and 3 more" in text
    twenty, _ = read(verdict(scraped(*devices[:20]), thresholds=thresholds(), now=NOW)[1])
    assert "more" not in twenty


def test_long_names_are_cut_and_no_more_named_than_the_line_holds() -> None:
    devices = [device(full_name=f"{n:02}" + "x" * 200, **FAILED | {"status": "y" * 200}) for n in range(20)]
    text, _ = read(verdict(scraped(*devices), thresholds=thresholds(), now=NOW)[1])
    assert f"00{'x' * 57}… ({'y' * 29}…), 01" in text
    assert re.search(r", and 1\d more; ", text)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.text(min_size=1), st.text()), min_size=1, max_size=25))
def test_nothing_that_oxidized_says_breaks_the_line(said: list[tuple[str, str]]) -> None:
    devices = [
        device(full_name=f"{number}{name}", **FAILED | {"status": status}) for number, (name, status) in enumerate(said)
    ]
    state, line = verdict(scraped(*devices), thresholds=thresholds(), now=NOW)
    assert state is State.WARNING
    text, _ = read(line)
    assert text.startswith(f"OXIDIZED WARNING - {len(said)} of {so_many_devices(len(said))} in trouble")


def test_hostile_names_are_shown_as_escapes() -> None:
    hostile = device(full_name="a|load=1\n\x1b[2J\u202e", **FAILED | {"status": "x\r|y"})
    text, _ = read(verdict(scraped(hostile), thresholds=thresholds(), now=NOW)[1])
    assert r"a\x7cload=1\n\x1b[2J\u202e (x\r\x7cy)" in text


def test_an_oxidized_that_does_not_answer_is_critical_whatever_the_thresholds() -> None:
    state, line = verdict(failed(), thresholds=thresholds("~:"), now=NOW)
    assert (state, read(line)) == (
        State.CRITICAL,
        ("OXIDIZED CRITICAL - http://b:1: timeout: …", "time=1.500s;;;0"),
    )


def test_that_it_may_not_be_asked_says_nothing_of_oxidized() -> None:
    denied = replace(failed(), failure=Failure(reason="target_denied", detail="not allowed"))
    state, line = verdict(denied, thresholds=thresholds(), now=NOW)
    assert state is State.UNKNOWN
    assert read(line)[0] == "OXIDIZED UNKNOWN - http://b:1: target_denied: not allowed"


def test_of_no_device_nothing_is_known() -> None:
    state, line = verdict(scraped(), thresholds=thresholds(), now=NOW)
    assert state is State.UNKNOWN
    assert read(line)[0] == "OXIDIZED UNKNOWN - http://a:1 lists no device, or the module selects none of them"


def test_a_collector_that_failed_is_named_beside_the_counts() -> None:
    run = CollectorRun(name="stats", success=False, duration=0.1, failure=Failure(reason="auth", detail="status 401"))
    scrape = scraped(device(end=RECENT))
    state, line = verdict(replace(scrape, collectors=(*scrape.collectors, run)), thresholds=thresholds(), now=NOW)
    assert state is State.OK
    assert "; collector stats: auth: status 401; 3 rows" in read(line)[0]
