"""How long a scrape may take."""

from __future__ import annotations

import math
import re
from enum import Enum, auto
from typing import Final, NamedTuple

from oxidized_exporter.errors import BadTimeoutHeaderError

HEADER: Final = "X-Prometheus-Scrape-Timeout-Seconds"
DEFAULT_SECONDS: Final = 10.0
_DECIMAL: Final = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?")


class Rule(Enum):
    """What decides how long a scrape may take."""

    DEFAULT = auto()
    """Nobody says anything."""
    MODULE = auto()
    """The module's time-out: alone, or since it is less than what the caller leaves."""
    CALLER = auto()
    """What the caller waits, less the offset."""
    HALF = auto()
    """Half of what the caller waits, which is no more than the offset."""


class ScrapeTime(NamedTuple):
    """How long a scrape may take from now, and why.

    Attributes:
        seconds: more than 0.
        rule: what decided it.
        sent: how long the caller waits, seconds; None where it does not say.
    """

    seconds: float
    rule: Rule
    sent: float | None = None


def scrape_time(header: str | None, *, offset: float, module_timeout: float | None) -> ScrapeTime:
    """Return the time from now in which a scrape has to be answered.

    Prometheus says in a header when it gives up (scrape_timeout); the offset leaves time for the way back. A header
    no larger than the offset gives half of it. The module's time-out is an upper bound where there is one.

    Args:
        header: value of X-Prometheus-Scrape-Timeout-Seconds, seconds, or None where it was not sent.
        offset: seconds, 0 or more.
        module_timeout: seconds, more than 0, or None.

    Raises:
        BadTimeoutHeaderError: the header is no number, or not positive, or not finite.
    """
    if header is None:
        if module_timeout is None:
            return ScrapeTime(DEFAULT_SECONDS, Rule.DEFAULT)
        return ScrapeTime(module_timeout, Rule.MODULE)
    sent = float(header) if _DECIMAL.fullmatch(header.strip(" \t")) else math.nan
    if not (math.isfinite(sent) and sent > 0):
        raise BadTimeoutHeaderError(f"{HEADER}: must be a positive, finite number of seconds")
    left, rule = (sent - offset, Rule.CALLER) if sent > offset else (sent / 2, Rule.HALF)
    if module_timeout is not None and module_timeout < left:
        return ScrapeTime(module_timeout, Rule.MODULE, sent)
    return ScrapeTime(left, rule, sent)
