"""The frozen result of a scrape, from which the metrics are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oxidized_exporter.oxidized.models import Devices, NodeList
    from oxidized_exporter.targets.url import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesSummary:
    """A node list, the devices that a module selects of it, and what can be said of those as a whole.

    Attributes:
        nodes: all that was read.
        shown: devices that have series of their own.
        complete: False where there are more devices than the module allows, so that none is shown.
        by_status: selected devices for each of `scrape.nodes.STATUSES`, zeros included.
        newest_end: latest end of a job, Unix seconds; None where no job has ended.
        oldest_end: earliest end of a device's last job, likewise.
        exposing_secrets: devices whose variables show a secret.
    """

    nodes: NodeList
    shown: Devices
    complete: bool
    by_status: Mapping[str, int]
    newest_end: float | None
    oldest_end: float | None
    exposing_secrets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigsSummary:
    """What is known of the stored configurations of the devices that are shown, a column each.

    Attributes:
        size: bytes; None where there is no configuration, or none was had.
        lines: likewise.
        checks: for each check whether it holds; None where it does not apply, or there was nothing to check.
        pending: devices whose configuration was to be asked for and was not had.
        skipped: devices whose configuration is not asked for, by `oxidized.configuration.Skip`, zeros included.
    """

    size: Sequence[int | None]
    lines: Sequence[int | None]
    checks: Mapping[str, Sequence[bool | None]]
    pending: int
    skipped: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsSummary:
    """What the statistics page says of the devices that are shown, a column each.

    Attributes:
        runs: jobs since Oxidized's start; None where the page does not say.
        failures: those that failed, likewise.
        last_success: Unix seconds, likewise.
        last_failure: Unix seconds, likewise.
        ambiguous: names that stand more than once, so that nobody knows whom the page means.
        unreadable: rows that could not be read.
        oxidized_version: None where the page does not say.
        web_version: likewise.
    """

    runs: Sequence[float | None]
    failures: Sequence[float | None]
    last_success: Sequence[float | None]
    last_failure: Sequence[float | None]
    ambiguous: int
    unreadable: int
    oxidized_version: str | None
    web_version: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why there is no node list, or a collector did not do all: a word of a closed list, a sentence for the log.

    Attributes:
        unexpected: whether it is a bug of this package, which says nothing of the target.
    """

    reason: str
    detail: str
    unexpected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorRun:
    """How one collector fared.

    Attributes:
        name: one of `config.COLLECTORS`.
        success: whether it did all that it was asked for.
        duration: seconds.
        failure: why it did not, where that is not the target's own failure.
    """

    name: str
    success: bool
    duration: float
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetScrape:
    """What one target gave.

    Attributes:
        target: who was asked.
        duration: seconds.
        summary: None where ``failure`` says why.
        configs: None where that collector was not asked for, or did not begin.
        stats: None where that collector was not asked for, or has failed.
        failure: None where there is a summary.
        collectors: one run for each that was asked for.
        certificate_expiry: earliest ``notAfter`` of the server's certificates, Unix seconds; None without TLS.
    """

    target: Target
    duration: float
    summary: NodesSummary | None
    failure: Failure | None
    collectors: tuple[CollectorRun, ...]
    certificate_expiry: float | None
    configs: ConfigsSummary | None = None
    stats: StatsSummary | None = None

    def last_successes(self) -> list[float | None]:
        """Return when a backup of each device that is shown last succeeded, Unix seconds; None where nobody knows."""
        if self.summary is None:
            return []
        devices = self.summary.shown
        ends = [end if succeeded else None for succeeded, end in zip(devices.succeeded, devices.end, strict=True)]
        if self.stats is None:
            return ends
        return [_latest(end, told) for end, told in zip(ends, self.stats.last_success, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All targets of one scrape, in the caller's order.

    Attributes:
        scrapes: one for each target.
        coalesced: targets that were being asked the same already, and were not asked again.
    """

    scrapes: tuple[TargetScrape, ...]
    coalesced: int = 0

    @property
    def several(self) -> bool:
        """Whether samples need a label that tells the targets apart."""
        return len(self.scrapes) > 1

    @property
    def shown(self) -> int:
        """How many devices have series of their own."""
        return sum(len(scrape.summary.shown) for scrape in self.scrapes if scrape.summary is not None)


def _latest(one: float | None, other: float | None) -> float | None:
    return max(time for time in (one, other) if time is not None) if (one, other) != (None, None) else None
