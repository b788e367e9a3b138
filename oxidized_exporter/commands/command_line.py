"""What stands in front of a command: settings that do not belong to the server alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxidized_exporter.config import SingleInstance
    from oxidized_exporter.log import LogSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """Settings of all commands, or of those that ask.

    Attributes:
        log: how much is logged, and how.
        single: reads the flags of single-instance mode, and raises `click.UsageError` where they make no sense; a
            command that asks nobody does not call it.
    """

    log: LogSettings
    single: Callable[[], SingleInstance | None]
