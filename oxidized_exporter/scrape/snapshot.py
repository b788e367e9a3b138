"""The frozen result of a scrape, from which the metrics are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oxidized_exporter.oxidized.journal import Request
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
class Failure:
    """Why there is no node list: one word of a closed list, and a sentence for the log."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorRun:
    """How one collector fared; ``duration`` in seconds."""

    name: str
    success: bool
    duration: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetScrape:
    """What one target gave.

    Attributes:
        target: who was asked.
        duration: seconds.
        summary: None where ``failure`` says why.
        failure: None where there is a summary.
        collectors: one run for each that was asked for.
        requests: every attempt of every request.
        certificate_expiry: earliest ``notAfter`` of the server's certificates, Unix seconds; None without TLS.
    """

    target: Target
    duration: float
    summary: NodesSummary | None
    failure: Failure | None
    collectors: tuple[CollectorRun, ...]
    requests: tuple[Request, ...]
    certificate_expiry: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All targets of one scrape, in the caller's order."""

    scrapes: tuple[TargetScrape, ...]

    @property
    def several(self) -> bool:
        """Whether samples need a label that tells the targets apart."""
        return len(self.scrapes) > 1

    @property
    def shown(self) -> int:
        """How many devices have series of their own."""
        return sum(len(scrape.summary.shown) for scrape in self.scrapes if scrape.summary is not None)
