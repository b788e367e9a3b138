"""Reading the times that Oxidized writes."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

# "2026-11-22 08:03:50 UTC" (every version), offsets as ±HHMM or ±HH:MM, and ISO 8601.
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[ Tt](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))? ?(UTC|GMT|[Zz]|[+-]\d\d:?\d\d)?", re.ASCII
)


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
