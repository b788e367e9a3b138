"""Checks of stored configurations, from the simulator's answers to the metrics."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from oxidized_exporter.config import Check, Expression, LineExpression
from oxidized_exporter.simulator import Device, Outcome
from tests.harness import running_exporter
from tests.web.instances import (
    configuring,
    instance,
    sizes,
    successes,
    switches,
)

if TYPE_CHECKING:
    import pytest


def must(expression: str, **settings: Any) -> Check:
    return Check(must_match=LineExpression(expression), **settings)


def must_not(expression: str, **settings: Any) -> Check:
    return Check(must_not_match=LineExpression(expression), **settings)


async def test_checks_look_into_configurations_and_are_remembered() -> None:
    devices = (
        Device(name="good", group="a", model="IOS", configuration="ntp server 10.0.0.1\nend\n"),
        Device(name="bad", group="a", model="IOS", configuration="line vty 0 4\n transport input telnet\nend\nx\n"),
        Device(name="other", group="b", model="JunOS", configuration="set system ntp\n"),
        Device(name="none", group="a", model="IOS", outcome=Outcome.NO_CONNECTION),
    )
    config = configuring(
        "configs",
        ntp=must("^ntp server "),
        telnet=must_not(r"^\s*transport input .*telnet", models=(Expression("IOS"),)),
        complete=must(r"^end\s*\z", groups=(Expression("a"),)),
    )
    async with instance(*devices) as oxidized, running_exporter(config=config) as exporter:
        for requests in (5, 1):  # the device that has none: its last job has failed, so that is remembered, too
            answer = await exporter.probe(oxidized.url)
            results = {
                (labels["name"], labels["check"]): value for labels, value in answer.all("oxidized_device_config_check")
            }
            assert results == {
                ("good", "ntp"): 1,
                ("good", "telnet"): 1,
                ("good", "complete"): 1,
                ("bad", "ntp"): 0,
                ("bad", "telnet"): 0,
                ("bad", "complete"): 0,
                ("other", "ntp"): 0,
            }
            assert len(oxidized.asked()) == requests
            assert "transport" not in answer.text


async def test_a_configuration_above_16_mebibytes_is_counted_and_not_checked() -> None:
    large = "x" * 1023 + "\n"
    devices = (Device(name="large", group="a", configuration=large * (16 * 1024 + 1)),)
    config = configuring("configs", anything=must("x"))
    async with instance(*devices) as oxidized, running_exporter(config=config) as exporter:
        answer = await exporter.probe(oxidized.url, timeout_seconds=30)
    assert sizes(answer) == {"a/large": 1024 * (16 * 1024 + 1)}
    assert not answer.all("oxidized_device_config_check")


async def test_a_bug_in_a_check_fails_the_collector_and_is_logged_with_its_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_check: Check, content: bytearray) -> bool:
        raise KeyError(content.decode())

    monkeypatch.setattr(Check, "holds", broken)
    config = configuring("nodes", "configs", ntp=must("ntp"))
    async with (
        instance(*switches(2, configuration="secret\n")) as oxidized,
        running_exporter(config=config) as exporter,
    ):
        answer = await exporter.probe(oxidized.url)
    assert successes(answer) == {"nodes": 1, "configs": 0}
    logged = capsys.readouterr().out
    [bug] = [line for line in logged.splitlines() if "bug: unexpected exception while scraping" in line]
    assert "collector=configs" in bug
    assert re.search(r"KeyError < \S+test_checks\.py:\d+ in broken < ", bug)
    assert "unexpected KeyError" in logged
    assert "Group" not in logged
    assert "secret" not in logged
