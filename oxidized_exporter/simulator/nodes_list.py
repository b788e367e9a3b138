"""The node list, as /nodes.json spells it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from oxidized_exporter.simulator.clock import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oxidized_exporter.simulator.state import NodeState


def nodes_json(nodes: Iterable[NodeState]) -> bytes:
    """Spell out nodes as /nodes.json does: compact JSON in UTF-8, keys in Oxidized's order."""
    return json.dumps([_row(node) for node in nodes], separators=(",", ":"), ensure_ascii=False).encode()


def _row(node: NodeState) -> dict[str, Any]:
    device, last = node.device, node.last
    shown = None
    if last is not None:
        start, end = timestamp(int(last.start)), timestamp(int(last.end))
        shown = {"start": start, "end": end, "status": last.status, "time": float(last.seconds)}
    return {
        "name": device.name,
        "full_name": device.full_name,
        "ip": device.ip,
        "group": device.shown_group,
        "model": device.model,
        "last": shown,
        "vars": None if device.vars is None else dict(device.vars),
        "mtime": "unknown" if node.mtime is None else timestamp(int(node.mtime)),
        "status": node.status,
        "time": "never" if shown is None else shown["end"],
    }
