from __future__ import annotations

import pytest

from oxidized_exporter.errors import BadTimeoutHeaderError
from oxidized_exporter.scrape.deadline import scrape_seconds


@pytest.mark.parametrize(
    "header,offset,module_timeout,seconds",
    [
        (None, 0.5, None, 10.0),
        (None, 0.5, 30.0, 30.0),
        (None, 0.5, 3.0, 3.0),
        ("15", 0.5, None, 14.5),
        ("120", 0.5, None, 119.5),
        ("15", 0.5, 3.0, 3.0),
        ("15", 0.5, 30.0, 14.5),
        ("15.000000", 0.0, None, 15.0),
        ("0.5", 0.5, None, 0.25),
        ("0.2", 0.5, None, 0.1),
        ("0.2", 0.5, 0.05, 0.05),
        ("1e1", 0.5, None, 9.5),
        (".5", 0.0, None, 0.5),
        (" 10\t", 0.5, None, 9.5),
    ],
)
def test_seconds(header: str | None, offset: float, module_timeout: float | None, seconds: float) -> None:
    assert scrape_seconds(header, offset=offset, module_timeout=module_timeout) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "header",
    ["", " ", "abc", "nan", "NaN", "inf", "-inf", "1e999", "0", "0.0", "-1", "-0", "1_0", "0x10", "10s", "１０", "1,5"],  # noqa: RUF001 - digits of another script
)
def test_what_is_no_positive_finite_number_is_the_callers_mistake(header: str) -> None:
    with pytest.raises(BadTimeoutHeaderError, match="X-Prometheus-Scrape-Timeout-Seconds: must be a positive"):
        scrape_seconds(header, offset=0.5, module_timeout=None)
