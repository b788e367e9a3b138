"""What a probe collects and within which limits: frozen, and read by every layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what a target can make the exporter hold.

    Attributes:
        body_bytes: largest body, counted while reading and after decompression.
        rows: most rows of a node list.
        label_bytes: longest label value in UTF-8; longer ones are cut on a character boundary and counted.
        attempts: how often one request is tried at most.
    """

    body_bytes: int = 64 * 1024 * 1024
    rows: int = 100_000
    label_bytes: int = 1024
    attempts: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """What ``?module=NAME`` means.

    Attributes:
        name: as in ``?module=``.
        collectors: names of the collectors that run.
        timeout: upper bound of a scrape in seconds, or None where only the scrape's own time-out counts.
    """

    name: str
    collectors: tuple[str, ...] = ("nodes",)
    timeout: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The running configuration; without a file there is one module, ``default``, that collects ``nodes``."""

    modules: Mapping[str, Module] = field(default_factory=lambda: MappingProxyType({"default": Module(name="default")}))
    limits: Limits = field(default_factory=Limits)
