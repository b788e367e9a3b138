from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxidized_exporter.oxidized.times import parse_time

RECORDED = 1795334630.0


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22 08:03:50 UTC",
        "2026-11-22 08:03:50 GMT",
        "2026-11-22 08:03:50 +0000",
        "2026-11-22 10:03:50 +0200",
        "2026-11-22 02:33:50 -05:30",
        "2026-11-22T08:03:50Z",
        "2026-11-22t08:03:50z",
        "2026-11-22T08:03:50+00:00",
        "2026-11-22 08:03:50",
        " 2026-11-22 08:03:50 UTC\n",
    ],
)
def test_one_moment_in_every_form(text: str) -> None:
    assert parse_time(text) == RECORDED


def test_fractions_of_a_second() -> None:
    assert parse_time("2026-11-22T08:03:50.25Z") == RECORDED + 0.25


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "never",
        "unknown",
        "2026-11-22",
        "2026-13-22 08:03:50 UTC",
        "2026-02-30 08:03:50 UTC",
        "2026-11-22 24:03:50 UTC",
        "2026-11-22 08:03:60 UTC",
        "2026-11-22 08:03:50 CET",
        "2026-11-22 08:03:50 +9999",
        "2026-11-22 08:03:50 UTC x",
        "２０２６-11-22 08:03:50 UTC",  # noqa: RUF001 - digits of another script
        "0000-00-00 00:00:00 UTC",
    ],
)
def test_what_is_no_time_is_none(text: str | None) -> None:
    assert parse_time(text) is None


@given(st.text(max_size=40) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} .{0,6}"))
def test_nothing_is_raised(text: str) -> None:
    parse_time(text)
