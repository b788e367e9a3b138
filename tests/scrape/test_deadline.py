from __future__ import annotations

import pytest

from oxidized_exporter.errors import BadTimeoutHeaderError
from oxidized_exporter.scrape.deadline import Rule, scrape_time


@pytest.mark.parametrize(
    "header,offset,module_timeout,seconds,rule",
    [
        (None, 0.5, None, 10.0, Rule.DEFAULT),
        (None, 0.5, 30.0, 30.0, Rule.MODULE),
        (None, 0.5, 3.0, 3.0, Rule.MODULE),
        ("15", 0.5, None, 14.5, Rule.CALLER),
        ("120", 0.5, None, 119.5, Rule.CALLER),
        ("15", 0.5, 3.0, 3.0, Rule.MODULE),
        ("15", 0.5, 14.5, 14.5, Rule.CALLER),
        ("15", 0.5, 30.0, 14.5, Rule.CALLER),
        ("15.000000", 0.0, None, 15.0, Rule.CALLER),
        ("0.5", 0.5, None, 0.25, Rule.HALF),
        ("0.2", 0.5, None, 0.1, Rule.HALF),
        ("0.2", 0.5, 0.1, 0.1, Rule.HALF),
        ("0.2", 0.5, 0.05, 0.05, Rule.MODULE),
        ("1e1", 0.5, None, 9.5, Rule.CALLER),
        ("1.5E+1", 0.5, None, 14.5, Rule.CALLER),
        (".15E2", 0.5, None, 14.5, Rule.CALLER),
        (".5", 0.0, None, 0.5, Rule.CALLER),
        (" 10\t", 0.5, None, 9.5, Rule.CALLER),
    ],
)
def test_seconds_and_what_decided_them(
    header: str | None, offset: float, module_timeout: float | None, seconds: float, rule: Rule
) -> None:
    time = scrape_time(header, offset=offset, module_timeout=module_timeout)
    assert time.seconds == pytest.approx(seconds)
    assert time.rule == rule
    assert time.sent == (None if header is None else float(header))


@pytest.mark.parametrize(
    "header",
    [
        *("", " ", "abc", "nan", "NaN", "inf", "-inf", "1e999", "0", "0.0", "-1", "-0", "1_0", "0x10", "10s", "1,5"),
        *("X10", "10\xa0", "１０"),  # noqa: RUF001 - digits of another script
    ],
)
def test_what_is_no_positive_finite_number_is_the_callers_mistake(header: str) -> None:
    with pytest.raises(BadTimeoutHeaderError, match="X-Prometheus-Scrape-Timeout-Seconds: must be a positive"):
        scrape_time(header, offset=0.5, module_timeout=None)
