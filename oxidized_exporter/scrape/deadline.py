"""How long a scrape may take."""

from __future__ import annotations

import math
import re
from typing import Final

from oxidized_exporter.errors import BadTimeoutHeaderError

HEADER: Final = "X-Prometheus-Scrape-Timeout-Seconds"
DEFAULT_SECONDS: Final = 10.0
_DECIMAL: Final = re.compile(r"[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?")


def scrape_seconds(header: str | None, *, offset: float, module_timeout: float | None) -> float:
    """Return the seconds from now in which a scrape has to be answered.

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
        return DEFAULT_SECONDS if module_timeout is None else module_timeout
    wanted = float(header) if _DECIMAL.fullmatch(header.strip(" \t")) else math.nan
    if not (math.isfinite(wanted) and wanted > 0):
        raise BadTimeoutHeaderError(f"{HEADER}: must be a positive, finite number of seconds")
    seconds = wanted - offset if wanted > offset else wanted / 2
    return seconds if module_timeout is None else min(seconds, module_timeout)
