"""What a reload makes of the device source."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from oxidized_exporter.simulator.node import Node

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oxidized_exporter.simulator.device import Device


def read_again(devices: Iterable[Device], known: Iterable[Node]) -> list[Node]:
    """Return the nodes of a source: the known one where the source says the same as before, else a new one.

    A new one whose name is known takes over from it, whatever its group.
    """
    same: defaultdict[tuple[object, ...], list[Node]] = defaultdict(list)
    by_name: dict[str, Node] = {}
    for node in known:
        same[_identity(node.device)].append(node)
        by_name[node.device.name] = node
    nodes = []
    for device in devices:
        unchanged = next((node for node in same[_identity(device)] if node.device.vars == device.vars), None)
        if unchanged is not None:
            same[_identity(device)].remove(unchanged)
            nodes.append(unchanged)
            continue
        node = Node(device)
        if device.name in by_name:
            node.take_over(by_name[device.name])
        nodes.append(node)
    return nodes


def _identity(device: Device) -> tuple[object, ...]:
    return device.name, device.group, device.model, device.ip
