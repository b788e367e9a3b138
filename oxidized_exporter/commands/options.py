"""Flags of the commands that ask Oxidized, and the types of their values."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import click

from oxidized_exporter.flags import SECONDS, flag

if TYPE_CHECKING:
    from collections.abc import Callable

    from nagiosplugin import Range

_MOST_SECONDS: Final = 3600.0


class _Timeout(click.ParamType[float]):
    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        seconds = SECONDS.convert(value, param, ctx)
        if not 0 < seconds <= _MOST_SECONDS:
            self.fail(f"{value!r} must be more than 0 seconds and no more than {_MOST_SECONDS:g}", param, ctx)
        return seconds


class _Age(click.ParamType[float]):
    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from oxidized_exporter.config.durations import parse_duration  # noqa: PLC0415 - it comes with all of config

        try:
            seconds = parse_duration(value)
        except ValueError as error:
            self.fail(f"{value!r} {error}", param, ctx)
        return seconds or self.fail("must be longer than 0", param, ctx)


class _Range(click.ParamType["Range"]):
    name = "range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Range:
        from nagiosplugin import Range  # noqa: PLC0415 - for `check` alone

        found = None
        with suppress(ValueError):
            found = Range(value) if value.strip() else None  # what is empty is no limit at all, to the library
        return found or self.fail(
            f"{value!r} is no range of the Monitoring Plugins' guidelines: 5, 10:, ~:10, 10:20 or @10:20", param, ctx
        )


TIMEOUT: Final = _Timeout()
AGE: Final = _Age()
RANGE: Final = _Range()


def config_file(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--config.file``, which is that of the server."""
    return flag(
        "config.file",
        default=None,
        metavar="FILE",
        help="Configuration file, as for serving: connections, modules, targets, access.",
    )(command)


def module(command: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ``--module`` to ``command``."""
    return flag(
        "module",
        of=command,
        default=None,
        metavar="M",
        help="Module that says what is collected; without it that of the target, or default.",
    )


def timeout(command: str, default: float | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ``--timeout`` to ``command``; without a default the module's own time-out counts, or the server's."""
    return flag(
        "timeout",
        "-t",
        of=command,
        type=TIMEOUT,
        default=default,
        help="Seconds for all that is asked; the module's own time-out is an upper bound."
        + (" Without it: that, or 10." if default is None else ""),
    )


def max_age(command: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ``--max-age`` to ``command``."""
    return flag(
        "max-age",
        of=command,
        type=AGE,
        default="2d",
        help="A device whose last successful backup is older is stale: 36h, 2d, 1w.",
    )
