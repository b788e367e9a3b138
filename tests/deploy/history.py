"""A day that a Prometheus has not seen, written into its database as the exporter tells of it."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import aiohttp

from oxidized_exporter.simulator import Outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from oxidized_exporter.simulator import Daemon, ManualClock
    from tests.system.program import Exporter

SECONDS: Final = 24 * 3600.0
_STEP: Final = 240.0  # below the five minutes for which Prometheus takes a sample for the present
_HOUR: Final = 3600.0
_METRICS: Final = ("oxidized_status", "oxidized_devices", "probe_duration_seconds")
"""What is drawn over time, and recorded by no rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Devices that fail for a while.

    Attributes:
        instance: whose.
        of: what their full names begin with.
        outcome: how their jobs end.
        begins: hours before the day ends.
        ends: likewise.
    """

    instance: str
    of: str
    outcome: Outcome
    begins: float
    ends: float


async def write(
    directory: Path,
    exporter: Exporter,
    instances: Sequence[str],
    *,
    daemons: Mapping[str, Daemon],
    clock: ManualClock,
    troubles: Sequence[Trouble],
    goes_down: Callable[[], Awaitable[None]],
) -> None:
    """Let a day pass, and write what the exporter says all the while into a database of Prometheus.

    Args:
        directory: of the database.
        exporter: is asked about all instances in one request.
        instances: their names.
        daemons: of them.
        clock: theirs; it stands a day further on afterwards.
        troubles: what happens to their devices.
        goes_down: called two hours before the end.
    """
    began = clock()
    series: defaultdict[str, list[str]] = defaultdict(list)  # by name and labels, the oldest first
    pending = sorted(
        [
            *((SECONDS - trouble.begins * _HOUR, trouble, trouble.outcome) for trouble in troubles),
            *((SECONDS - trouble.ends * _HOUR, trouble, Outcome.SUCCESS) for trouble in troubles),
        ],
        key=lambda event: event[0],
    )
    gone = False
    async with aiohttp.ClientSession() as client:
        while clock() - began < SECONDS:
            while pending and pending[0][0] <= clock() - began:
                _, trouble, outcome = pending.pop(0)
                for node in daemons[trouble.instance].nodes():
                    if node.full_name.startswith(trouble.of):
                        daemons[trouble.instance].set_outcome(node.full_name, outcome)
            if not gone and clock() - began >= SECONDS - 2 * _HOUR:
                await goes_down()
                gone = True
            told = await exporter.probe(client, *instances, collect="nodes")
            for (name, labels), value in told.samples.items():
                if name in _METRICS:
                    renamed = {"job": "oxidized"} | {{"target": "instance"}.get(key, key): it for key, it in labels}
                    written = ",".join(f'{key}="{it}"' for key, it in sorted(renamed.items()))
                    series[f"{name}{{{written}}}"].append(f"{value} {clock():.3f}")
            clock.advance(_STEP)
    file = directory / "history.om"
    lines = [f"{key} {sample}" for key, samples in sorted(series.items()) for sample in samples]
    file.write_text("\n".join([*lines, "# EOF", ""]))
    command = ("promtool", "tsdb", "create-blocks-from", "openmetrics", str(file), str(directory / "tsdb"))
    subprocess.run(command, check=True, capture_output=True)  # noqa: ASYNC221, S603 - nothing else goes on meanwhile
