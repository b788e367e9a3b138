"""The collector ``nodes``: from the body of nodes.json to devices and what can be said of them as a whole."""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from oxidized_exporter.oxidized.models import NEVER, SUCCESS, NodeList
from oxidized_exporter.oxidized.nodes import read_nodes
from oxidized_exporter.scrape.snapshot import NodesSummary

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxidized_exporter.config import Limits

OTHER: Final = "other"
STATUSES: Final = (SUCCESS, "no_connection", "fail", "timelimit", NEVER, OTHER)
"""Values of the label ``status`` of ``oxidized_devices``; hooks and forks can add others, which count as ``other``."""


def collect_nodes(body: bytes | bytearray, *, limits: Limits, check: Callable[[], None] = lambda: None) -> NodesSummary:
    """Read and sum up the body of nodes.json; takes time, so call it off the loop.

    Args:
        body: is not kept.
        limits: bounds of the rows and of a label's value.
        check: called again and again; what it raises ends the work.

    Raises:
        NotJsonError: not UTF-8, not JSON, or nested too deeply.
        SchemaError: no list, or rows of which none is readable.
        TooLargeError: too many rows.
    """
    return summarise(read_nodes(body, limits=limits, check=check))


def summarise(nodes: NodeList) -> NodesSummary:
    """Count and compare."""
    spelt = Counter(device.status for device in nodes.devices)
    by_status = {status: spelt.pop(status, 0) for status in STATUSES if status != OTHER}
    by_status[OTHER] = spelt.total()
    ends = [device.job.end for device in nodes.devices if device.job is not None and device.job.end is not None]
    return NodesSummary(
        nodes=nodes,
        by_status=MappingProxyType(by_status),
        newest_end=max(ends, default=None),
        oldest_end=min(ends, default=None),
        exposing_secrets=sum(device.exposes_secrets for device in nodes.devices),
    )
