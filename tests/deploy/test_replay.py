"""Days of a simulated Oxidized, scraped through the exporter and put before the rules by promtool.

A device that fails every hour grows old without a gap; a restart of Oxidized says nothing of any healthy device.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Final

from oxidized_exporter.simulator import Daemon, Device, ManualClock, Outcome, create_app
from tests.harness import running, running_exporter
from tests.rule_files import RULES, promtool
from tests.system.prometheus import free_address

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.harness import Exposition, SamplesKey

_STEP: Final = 300  # seconds between two scrapes, and the longest that Prometheus looks back
_DAY: Final = 86400
_DAYS: Final = 8
_END: Final = _DAYS * _DAY

# Two threads and jobs of 6 minutes: after a restart the last of the healthy devices waits for more than half an hour,
# and a failing device is between its retries for the better part of each.
_HEALTHY: Final = tuple(Device(name=f"ok{number}", group="core", job_seconds=360.0) for number in range(12))
_FAILING: Final = Device(name="bad", group="core", job_seconds=400.0)
_NEVER: Final = Device(name="new", group="core", job_seconds=20.0, outcome=Outcome.FAIL)
_FAILS_FROM: Final = 6 * 3600
_STOP: Final = 3 * _DAY
_RESTART: Final = _STOP + 2 * _STEP

# What fires through the last four days at every evaluation, and at any time.
_ALWAYS: Final = {
    ("OxidizedBackupFailed", "core/bad"),
    ("OxidizedBackupFailed", "core/new"),
    ("OxidizedDeviceNoConnection", "core/bad"),
    ("OxidizedDeviceNeverBackedUp", "core/new"),
    ("OxidizedBackupVeryOld", "core/bad"),
    ("OxidizedBackupVeryOld", "core/new"),
}
_EVER: Final = _ALWAYS | {
    ("OxidizedBackupVeryOldCritical", "core/bad"),
    ("OxidizedBackupVeryOldCritical", "core/new"),
    ("OxidizedConnectionDown", ""),
    ("OxidizedRestarted", ""),
}


@dataclass(slots=True)
class Recording:
    """What Prometheus would have scraped: the samples of each series, and where there is none."""

    scrapes: int = 0
    series: dict[SamplesKey, list[str]] = field(default_factory=dict)

    def add(self, exposition: Exposition) -> None:
        for key, values in self.series.items():
            values.append(f"{exposition.samples[key]:.15g}" if key in exposition.samples else "stale")
        for key in exposition.samples.keys() - self.series.keys():
            self.series[key] = ["_"] * self.scrapes + [f"{exposition.samples[key]:.15g}"]
        self.scrapes += 1

    def input_series(self) -> list[dict[str, str]]:
        """Return the series in promtool's notation."""
        return [
            {"series": name + _braced({"job": "oxidized", "instance": "eu", **dict(labels)}), "values": _runs(values)}
            for (name, labels), values in self.series.items()
        ]

    def of(self, metric: str, **labels: str) -> list[str]:
        """Return the values of the one series that has these labels."""
        (values,) = (
            values for (name, known), values in self.series.items() if name == metric and labels.items() <= set(known)
        )
        return values


def _braced(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{name}={json.dumps(value)}" for name, value in labels.items() if value) + "}"


def _runs(values: list[str]) -> str:
    """Write values as promtool does: `1x3` are four samples, `_x4` four gaps."""
    runs = [(value, len(list(run))) for value, run in groupby(values)]
    return " ".join(
        f"_x{length}" if value == "_" else f"{value}x{length - 1}" if value != "stale" else "stale " * length
        for value, length in runs
    )


async def replayed() -> Recording:
    clock = ManualClock(0)
    daemon = Daemon((*_HEALTHY, _FAILING, _NEVER), clock=clock, threads=2)
    recording = Recording()
    nobody = f"http://{free_address()}"
    async with running(create_app(daemon)) as oxidized, running_exporter() as exporter:
        while clock() <= _END:
            down = _STOP <= clock() < _RESTART
            recording.add(await exporter.probe(nobody if down else oxidized))
            clock.advance(_STEP)
            if clock() == _FAILS_FROM:
                daemon.set_outcome(_FAILING.full_name, Outcome.NO_CONNECTION)
            if clock() == _RESTART:
                daemon.restart()
    return recording


def everything(alerts: set[tuple[str, str]], *, value: float) -> list[dict[str, object]]:
    return [
        {"labels": _braced({"alertname": alert, "full_name": device}), "value": value}
        for alert, device in sorted(alerts)
    ]


def test_only_what_is_broken_fires_and_without_a_gap(tmp_path: Path) -> None:
    recording = asyncio.run(replayed())
    statuses = recording.of("oxidized_device_status", full_name=_FAILING.full_name)
    assert sum(before != now for before, now in pairwise(statuses)) > 24 * (_DAYS - 1), "retries show as never"
    for device in _HEALTHY:
        assert "1" in recording.of("oxidized_device_status", full_name=device.full_name)[_RESTART // _STEP :]

    ever = 'count_over_time(ALERTS{alertstate="firing"}[8d])'
    lately = 'count_over_time(ALERTS{alertstate="firing",alertname!="OxidizedBackupVeryOldCritical"}[4d])'
    (tmp_path / "replay.yml").write_text(
        json.dumps(
            {
                "rule_files": [str(RULES / name) for name in ("oxidized-recording.yml", "oxidized-alerts.yml")],
                "evaluation_interval": f"{_STEP}s",
                "group_eval_order": ["oxidized-recording", "oxidized-instances", "oxidized-devices"],
                "tests": [
                    {
                        "interval": f"{_STEP}s",
                        "input_series": recording.input_series(),
                        "promql_expr_test": [
                            {
                                "expr": f"group by (alertname, full_name) ({ever})",
                                "eval_time": "8d",
                                "exp_samples": everything(_EVER, value=1),
                            },
                            {
                                "expr": f"sum by (alertname, full_name) ({lately})",
                                "eval_time": "8d",
                                "exp_samples": everything(_ALWAYS, value=4 * _DAY // _STEP + 1),
                            },
                            {
                                "expr": 'changes(ALERTS_FOR_STATE{full_name!=""}[8d]) > 0',
                                "eval_time": "8d",
                                "exp_samples": [],
                            },
                        ],
                    }
                ],
            }
        )
    )
    ran = promtool("test", "rules", tmp_path / "replay.yml")
    assert ran.returncode == 0, ran.stdout + ran.stderr
