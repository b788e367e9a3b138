"""What happened on the way to one target: where it stands, the requests made, the certificates seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

SUCCESS: Final = "success"
"""The result of a request that gave what was asked for."""


class Stage(StrEnum):
    """Where a scrape stands; the words follow "while" in a message."""

    PREPARE = "reading its credentials"
    RESOLVE = "resolving the name"
    CONNECT = "connecting"
    ANSWER = "waiting for an answer"
    BODY = "reading the body"
    DECODE = "decoding the body"
    RETRY = "waiting to try again"


class Request(NamedTuple):
    """One attempt of one request; ``result`` is `SUCCESS` or the reason of its failure."""

    route: str
    result: str


@dataclass(slots=True, kw_only=True)
class Journal:
    """Written while a target is scraped, and read at any moment.

    Attributes:
        stage: where the scrape stands, for the message of a time-out.
        requests: how many attempts ended how, those that the deadline cut off included.
        certificate_expiry: the earliest ``notAfter`` of the certificates that the server sent, Unix seconds.
    """

    stage: Stage = Stage.PREPARE
    requests: Counter[Request] = field(default_factory=Counter)
    certificate_expiry: float | None = None

    def enter(self, stage: Stage) -> None:
        """Note that the scrape has come to ``stage``."""
        self.stage = stage

    def ended(self, route: str, result: str, size: int = 0) -> None:  # noqa: ARG002 - of the body, for a `Trace`
        """Note that an attempt has ended: `SUCCESS`, or the reason of its failure."""
        self.requests[Request(route, result)] += 1

    def note(self, text: str, *values: object) -> None:
        """Pass over what only a `Trace` writes down; ``values`` are what it would put into the text."""
