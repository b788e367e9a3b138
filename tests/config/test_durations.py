from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxidized_exporter.config.durations import DURATION, format_duration, parse_duration


@pytest.mark.parametrize(
    "text,seconds",
    [
        ("0", 0),
        ("0s", 0),
        ("324ms", 0.324),
        ("3s", 3),
        ("5m", 300),
        ("1h", 3600),
        ("4d", 345_600),
        ("4d1h", 349_200),
        ("14d", 1_209_600),
        ("3w", 1_814_400),
        ("3w2d1h", 1_990_800),
        ("10y", 315_360_000),
        ("1m30s", 90),
        ("90s", 90),
        ("0001s", 1),
        (f"{'0' * 40}1s", 1),
    ],
)
def test_as_prometheus_reads_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "1", "1s1m", "1 s", "-1s", "1.5h", "1d1w", "s", "1S", "1m30", "3s\n", "٣s", "0x1s"]
)
def test_what_prometheus_does_not_read(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"^must be a duration, units from the largest to the smallest: 1m30s, 500ms, 2h$"
    ):
        parse_duration(text)


@pytest.mark.parametrize("text", ["294y", "9223372036855ms", "99999999999999999999999999y"])
def test_what_prometheus_cannot_hold(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a duration of less than 292 years$"):
        parse_duration(text)


@pytest.mark.parametrize(
    "seconds,text",
    [
        (0, "0s"),
        (0.5, "500ms"),
        (90, "1m30s"),
        (604_800, "1w"),
        (691_200, "8d"),
        (31_536_000, "1y"),
        (31_622_400, "366d"),
    ],
)
def test_as_prometheus_writes_them(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(0, 10**11))
def test_what_is_written_is_read_back(milliseconds: int) -> None:
    text = format_duration(milliseconds / 1000)
    assert parse_duration(text) == milliseconds / 1000
    assert re.search(DURATION, text)
