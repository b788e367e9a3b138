"""The collector ``stats``: what the statistics page says of each device, where its name says which one is meant."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from oxidized_exporter.errors import SchemaError
from oxidized_exporter.oxidized.stats import read_stats
from oxidized_exporter.scrape.snapshot import StatsSummary

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxidized_exporter.config import Limits
    from oxidized_exporter.scrape.snapshot import NodesSummary


def collect_stats(
    body: bytes | bytearray, nodes: NodesSummary, *, limits: Limits, still_wanted: Callable[[], None] = lambda: None
) -> StatsSummary:
    """Read the statistics page and give its rows to the devices that are shown; takes time: call it off the loop.

    The page has names alone. Where a name stands in several groups its row is given to none of them.

    Args:
        body: of the page; is not kept.
        nodes: the node list of the same scrape.
        limits: bounds of the rows.
        still_wanted: called again and again; what it raises ends the work.

    Raises:
        SchemaError: it is no such page, or one whose rows come otherwise than with it.
        TooLargeError: it has too many rows.
    """
    page = read_stats(body, limits=limits, still_wanted=still_wanted)
    if nodes.nodes.devices and not (page.devices or page.repeated):
        raise SchemaError("the table of statistics is empty, and the node list is not")
    ambiguous = {name for name, count in Counter(nodes.nodes.devices.name).items() if count > 1} | page.repeated
    rows = [None if name in ambiguous else page.devices.get(name) for name in nodes.shown.name]
    return StatsSummary(
        runs=[None if row is None else row.runs for row in rows],
        failures=[None if row is None else row.failures for row in rows],
        last_success=[None if row is None else row.last_success for row in rows],
        last_failure=[None if row is None else row.last_failure for row in rows],
        ambiguous=len(ambiguous),
        unreadable=page.invalid,
        oxidized_version=page.oxidized_version,
        web_version=page.web_version,
    )
