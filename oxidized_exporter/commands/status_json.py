"""What ``status --json`` prints: keys are added, but none is renamed, removed or given another meaning."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from oxidized_exporter.commands.condition import Condition, conditions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oxidized_exporter.scrape.snapshot import Failure, Snapshot, TargetScrape


def document(snapshot: Snapshot, *, module: str, now: float, max_age: float) -> dict[str, Any]:
    """Return what is known of every target, in the caller's order, as JSON has it; times are Unix seconds.

    Args:
        snapshot: what the targets gave.
        module: name of it.
        now: Unix seconds.
        max_age: seconds; a device whose last success is older is stale.
    """
    return {
        "time": int(now),
        "module": module,
        "max_age_seconds": max_age,
        "targets": [_target(scrape, now=now, max_age=max_age) for scrape in snapshot.scrapes],
    }


def _target(scrape: TargetScrape, *, now: float, max_age: float) -> dict[str, Any]:
    found = conditions(scrape, now=now, max_age=max_age)
    counted = Counter(found)
    return {
        "target": scrape.target.label,
        "url": scrape.target.base,
        "answered": scrape.failure is None,
        "failure": _failure(scrape.failure),
        "duration_seconds": round(scrape.duration, 6),
        "collectors": [
            {
                "name": run.name,
                "success": run.success,
                "duration_seconds": round(run.duration, 6),
                "failure": _failure(run.failure),
            }
            for run in scrape.collectors
        ],
        "unreadable_rows": None if scrape.summary is None else scrape.summary.nodes.invalid,
        "counts": None if scrape.summary is None else {str(name): counted[name] for name in Condition},
        "configurations_pending": None if scrape.configs is None else scrape.configs.pending,
        "devices": None if scrape.summary is None else list(_devices(scrape, found)),
    }


def _failure(failure: Failure | None) -> dict[str, str] | None:
    return None if failure is None else {"reason": failure.reason, "detail": failure.detail}


def _devices(scrape: TargetScrape, found: list[Condition]) -> Iterator[dict[str, Any]]:
    if scrape.summary is None:
        return
    rows = zip(scrape.summary.shown, found, scrape.last_successes(), strict=True)
    for number, (device, condition, last_success) in enumerate(rows):
        yield {
            "full_name": device.full_name,
            "name": device.name,
            "group": device.group,
            "model": device.model,
            "ip": device.ip,
            "condition": str(condition),
            "status": device.status,
            "last_success": last_success,
            "last_job_start": device.start,
            "last_job_end": device.end,
            "last_job_seconds": device.duration,
            "configuration_changed": device.modified,
            "configuration": _configuration(scrape, number),
            "jobs": None if scrape.stats is None else scrape.stats.runs[number],
            "failed_jobs": None if scrape.stats is None else scrape.stats.failures[number],
        }


def _configuration(scrape: TargetScrape, number: int) -> dict[str, Any] | None:
    configs = scrape.configs
    if configs is None or configs.size[number] is None:
        return None
    return {
        "bytes": configs.size[number],
        "lines": configs.lines[number],
        "checks": {name: column[number] for name, column in configs.checks.items() if column[number] is not None},
    }
