from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from oxidized_exporter.commands.condition import TROUBLE, Condition, conditions, so_many_devices
from tests.metrics.test_collector import NO_JOB, device, failed, scraped, with_all_collectors

NOW = 1_000_000.0
DAY = 86400.0
OLD, RECENT = NOW - 3 * DAY, NOW - DAY


FAILED: dict[str, Any] = {"succeeded": False, "status": "no_connection"}
NEVER: dict[str, Any] = NO_JOB | {"status": "never"}


@pytest.mark.parametrize(
    "device_says, stats_say, condition",
    [
        ({"end": RECENT}, None, Condition.OK),
        ({"end": NOW - 2 * DAY}, None, Condition.OK),
        ({"end": OLD}, None, Condition.STALE),
        ({"end": OLD}, RECENT, Condition.OK),
        ({"end": NOW + DAY}, None, Condition.OK),  # by a clock that differs
        ({"end": None}, None, Condition.OK),  # when it was cannot be read
        (FAILED | {"end": RECENT}, None, Condition.FAILING),
        (FAILED | {"end": RECENT}, RECENT, Condition.FAILING),
        (NEVER | {"modified": None}, None, Condition.NEVER),
        (NEVER | {"modified": None}, RECENT, Condition.WAITING),
        (NEVER | {"modified": None}, OLD, Condition.STALE),
        (NEVER | {"modified": OLD}, None, Condition.WAITING),  # stored once, and perhaps again without a change
        (NEVER | {"modified": RECENT}, None, Condition.WAITING),
    ],
)
def test_each_device_has_one_condition(
    device_says: dict[str, Any], stats_say: float | None, condition: Condition
) -> None:
    scrape = scraped(device(**device_says))
    if stats_say is not None:
        stats = with_all_collectors(scrape).stats
        assert stats
        scrape = replace(scrape, stats=replace(stats, last_success=[stats_say]))
    assert conditions(scrape, now=NOW, max_age=2 * DAY) == [condition]


def test_conditions_are_words_the_worst_first_and_the_first_three_are_trouble() -> None:
    words = ["failing", "stale", "never", "waiting", "ok"]
    assert [str(condition) for condition in Condition] == words
    assert set(words[:3]) == TROUBLE


@pytest.mark.parametrize("count,words", [(0, "0 devices"), (1, "1 device"), (2, "2 devices")])
def test_devices_are_counted_in_words(count: int, words: str) -> None:
    assert so_many_devices(count) == words


def test_of_a_target_that_did_not_answer_no_device_is_known() -> None:
    assert conditions(failed(), now=NOW, max_age=DAY) == []
