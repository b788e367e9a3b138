from __future__ import annotations

import pytest

from oxidized_exporter.commands.ages import format_age


@pytest.mark.parametrize(
    "seconds, written",
    [
        (-5, "0s"),
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (3599, "59m"),
        (3661, "1h1m"),
        (86399, "23h59m"),
        (86400 * 3 + 3600 * 4 + 59, "3d4h"),
        (86400 * 8 + 3600 * 4, "8d"),
        (86400 * 14, "2w"),
    ],
)
def test_an_age_is_as_exact_as_it_matters(seconds: float, written: str) -> None:
    assert format_age(seconds) == written
