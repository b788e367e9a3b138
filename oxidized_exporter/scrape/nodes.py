"""The collector ``nodes``: from the body of nodes.json to devices and what can be said of them as a whole."""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from oxidized_exporter.oxidized.models import NEVER, SUCCESS, NodeList
from oxidized_exporter.oxidized.nodes import read_nodes
from oxidized_exporter.scrape.snapshot import NodesSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from oxidized_exporter.config import Limits, Module
    from oxidized_exporter.oxidized.models import Device

OTHER: Final = "other"
STATUSES: Final = (SUCCESS, "no_connection", "fail", "timelimit", NEVER, OTHER)
"""Values of the label ``status`` of ``oxidized_devices``; hooks and forks can add others, which count as ``other``."""


def collect_nodes(
    body: bytes | bytearray, *, module: Module, limits: Limits, check: Callable[[], None] = lambda: None
) -> NodesSummary:
    """Read and sum up the body of nodes.json; takes time, so call it off the loop.

    Args:
        body: is not kept.
        module: which devices count, and which have series of their own.
        limits: bounds of the rows and of a label's value.
        check: called again and again; what it raises ends the work.

    Raises:
        NotJsonError: not UTF-8, not JSON, or nested too deeply.
        SchemaError: no list, or rows of which none is readable.
        TooLargeError: too many rows.
    """
    return summarise(read_nodes(body, limits=limits, check=check), module=module, check=check)


def summarise(nodes: NodeList, *, module: Module, check: Callable[[], None] = lambda: None) -> NodesSummary:
    """Select, count and compare.

    With more selected devices than the module's ``max_devices`` none has series of its own: a part of them, chosen by
    nothing, would make rules lie.
    """
    selected = tuple(_select(nodes.devices, module=module, check=check))
    spelt = Counter(device.status for device in selected)
    by_status = {status: spelt.pop(status, 0) for status in STATUSES if status != OTHER}
    by_status[OTHER] = spelt.total()
    ends = [device.job.end for device in selected if device.job is not None and device.job.end is not None]
    shown = _shown(selected, module.devices)
    complete = not shown or len(selected) <= module.max_devices
    return NodesSummary(
        nodes=nodes,
        shown=shown if complete else (),
        complete=complete,
        by_status=MappingProxyType(by_status),
        newest_end=max(ends, default=None),
        oldest_end=min(ends, default=None),
        exposing_secrets=sum(device.exposes_secrets for device in selected),
    )


def _select(devices: Iterable[Device], *, module: Module, check: Callable[[], None]) -> Iterator[Device]:
    everything = module.selects_all
    for device in devices:
        check()
        if everything or module.selects(device):
            yield device


def _shown(selected: tuple[Device, ...], which: str) -> tuple[Device, ...]:
    if which == "all":
        return selected
    if which == "failing":
        return tuple(device for device in selected if device.status != SUCCESS)
    return ()
