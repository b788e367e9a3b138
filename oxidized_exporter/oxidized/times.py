"""Reading the times that Oxidized writes."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# "2026-11-22 08:03:50 UTC" (every version), offsets as ±HHMM or ±HH:MM, and ISO 8601.
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[ Tt](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))? ?(UTC|GMT|[Zz]|[+-]\d\d:?\d\d)?", re.ASCII
)

_HOUR: Final = len("2026-11-22 08:")
_WITHIN_HOUR: Final = {f"{second // 60:02}:{second % 60:02} UTC": second for second in range(3600)}


def parse_time(text: str | None) -> float | None:
    """Return Unix seconds, or None for what is no time (``never``, ``unknown``, null).

    A time without a zone is taken as UTC, which is what Oxidized converts all its times to (0.20 to 0.37).
    """
    matched = _TIME.fullmatch(text.strip()) if text else None
    if not matched:
        return None
    date, time, fraction, zone = matched.groups()
    if zone is None or zone[0] not in "+-":
        zone = "+00:00"
    try:
        whole = datetime.fromisoformat(f"{date}T{time}{zone}").timestamp()
    except ValueError:
        return None
    return whole + float(f"0.{fraction}") if fraction else whole


class _Hours(dict[str, float]):
    """When the hours begin that times in Oxidized's own form begin with, such as ``2026-11-22 08:``."""

    def __missing__(self, hour: str) -> float:
        began = parse_time(f"{hour}00:00 UTC")
        if began is None:
            raise KeyError(hour)
        self[hour] = began
        return began


class Times(dict[str | None, float | None]):
    """`parse_time` of the texts of one list, each read once: ``times[text]``.

    A fleet has fewer seconds than jobs, and fewer hours than seconds: in the form that Oxidized writes, only the hours
    are parsed. Lives as long as the reading of a list.
    """

    def __init__(self, still_wanted: Callable[[], None] = lambda: None) -> None:
        """Take what is called for each text that is read; what it raises ends the reading."""
        super().__init__()
        self._hours = _Hours()
        self._still_wanted = still_wanted

    def __missing__(self, text: str | None) -> float | None:
        self._still_wanted()
        time: float | None
        try:
            time = self._hours[text[:_HOUR]] + _WITHIN_HOUR[text[_HOUR:]]  # type: ignore[index]  # None is caught
        except (KeyError, TypeError):
            time = parse_time(text)
        self[text] = time
        return time
