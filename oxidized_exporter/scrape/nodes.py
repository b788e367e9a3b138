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

    from oxidized_exporter.config import Limits, Module
    from oxidized_exporter.oxidized.models import Devices

OTHER: Final = "other"
STATUSES: Final = (SUCCESS, "no_connection", "fail", "timelimit", NEVER, OTHER)
"""Values of the label ``status`` of ``oxidized_devices``; hooks and forks can add others, which count as ``other``."""


def collect_nodes(
    body: bytes | bytearray, *, module: Module, limits: Limits, still_wanted: Callable[[], None] = lambda: None
) -> NodesSummary:
    """Read and sum up the body of nodes.json; takes time, so call it off the loop.

    Args:
        body: is not kept.
        module: which devices count, and which have series of their own.
        limits: bounds of the rows and of a label's value.
        still_wanted: called again and again; what it raises ends the work.

    Raises:
        NotJsonError: not UTF-8, not JSON, or nested too deeply.
        SchemaError: no list, or rows of which none is readable.
        TooLargeError: too many rows.
    """
    return summarise(
        read_nodes(body, limits=limits, still_wanted=still_wanted), module=module, still_wanted=still_wanted
    )


def summarise(nodes: NodeList, *, module: Module, still_wanted: Callable[[], None] = lambda: None) -> NodesSummary:
    """Select, count and compare.

    With more selected devices than the module's ``max_devices`` none has series of its own: a part of them, chosen by
    nothing, would make rules lie.
    """
    selected = _selected(nodes.devices, module=module, still_wanted=still_wanted)
    spelt = Counter(selected.status)
    by_status = {status: spelt.pop(status, 0) for status in STATUSES if status != OTHER}
    by_status[OTHER] = spelt.total()
    ends = [end for end in selected.end if end is not None]
    shown = _shown(selected, module.devices)
    complete = not shown or len(selected) <= module.max_devices
    return NodesSummary(
        nodes=nodes,
        shown=shown if complete else shown[:0],
        complete=complete,
        by_status=MappingProxyType(by_status),
        newest_end=max(ends, default=None),
        oldest_end=min(ends, default=None),
        exposing_secrets=sum(selected.exposes_secrets),
    )


def _selected(devices: Devices, *, module: Module, still_wanted: Callable[[], None]) -> Devices:
    if module.selects_all:
        return devices
    chosen = []
    for device in devices:
        still_wanted()
        chosen.append(module.selects(device))
    return devices.where(chosen)


def _shown(selected: Devices, which: str) -> Devices:
    if which == "all":
        return selected
    if which == "failing":
        return selected.where([status != SUCCESS for status in selected.status])
    return selected[:0]
