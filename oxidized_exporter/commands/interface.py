"""The flags of ``probe``, ``check`` and ``status``; what a command needs is loaded when it runs."""

from __future__ import annotations

import io
import sys
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from oxidized_exporter.commands import options
from oxidized_exporter.commands.output import writing
from oxidized_exporter.commands.plugin import PluginCommand, print_line
from oxidized_exporter.errors import CallerError, ConfigError
from oxidized_exporter.flags import flag
from oxidized_exporter.log import configure_logging

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nagiosplugin import Range

    from oxidized_exporter.commands.command_line import CommandLine

CLOCK: Final = time.time
_CANNOT: Final = 2  # what click ends with where flags are wrong


@click.command()
@click.argument("target")
@options.module("probe")
@options.config_file
@flag(
    "collect",
    of="probe",
    multiple=True,
    metavar="C",
    help="Collector of the module; may be given several times. Without it: all of them.",
)
@options.timeout("probe")
@flag(
    "steps",
    of="probe",
    is_flag=True,
    default=False,
    help="Print the steps with their times, and what was decided, above the metrics.",
)
@click.pass_obj
def probe(
    line: CommandLine,
    *,
    target: str,
    module: str | None,
    config_file: str | None,
    collect: tuple[str, ...],
    timeout: float | None,
    steps: bool,
) -> None:
    """Ask one Oxidized once and print its metrics.

    TARGET is a URL, host:port, or the name of a configured target.

    Exits with 0 where oxidized_status is 1, with 1 where it is 0 (stderr says why), and with 2 where what is asked for
    cannot be done.
    """
    from oxidized_exporter.commands.probe import probe as probe_once

    configure_logging(line.log.level, form=line.log.form)
    with _mistakes_told(), writing(exit_code=_CANNOT):
        answered = probe_once(
            target,
            module=module,
            collect=collect,
            config_file=config_file,
            single=line.single(),
            timeout=timeout,
            steps=steps,
            out=sys.stdout.buffer,
            tell=partial(click.echo, err=True),
        )
    sys.exit(0 if answered else 1)


@click.command(cls=PluginCommand)
@click.argument("target")
@options.max_age("check")
@flag(
    "warning",
    "-w",
    of="check",
    type=options.RANGE,
    default="0",
    metavar="RANGE",
    help="WARNING where the number of devices in trouble lies outside.",
)
@flag(
    "critical",
    "-c",
    of="check",
    type=options.RANGE,
    default=None,
    metavar="RANGE",
    help="CRITICAL where it lies outside. Without it no number is: only an Oxidized that does not answer.",
)
@options.module("check")
@options.config_file
@options.timeout("check")
@click.pass_obj
def check(
    line: CommandLine,
    *,
    target: str,
    max_age: float,
    warning: Range,
    critical: Range | None,
    module: str | None,
    config_file: str | None,
    timeout: float | None,
) -> None:
    """Check one Oxidized as a plugin of Nagios or Icinga.

    TARGET is a URL, host:port, or the name of a configured target.

    Prints one line with performance data. Devices in trouble are those whose last job failed, whose last success is
    stale, or that were never backed up. Exits with 0 (OK), 1 (WARNING), 2 (CRITICAL) or 3 (UNKNOWN).
    """
    from oxidized_exporter.commands.check import Thresholds
    from oxidized_exporter.commands.check import check as check_once

    _write_any_character()
    configure_logging("error", stream=io.StringIO())  # Icinga reads stderr, too, and the line says what went wrong
    state, told = check_once(
        target,
        module=module,
        config_file=config_file,
        single=line.single(),
        timeout=timeout,
        thresholds=Thresholds(max_age=max_age, warning=warning, critical=critical),
        clock=CLOCK,
    )
    print_line(told)
    sys.exit(state)


@click.command()
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@options.max_age("status")
@flag("json", of="status", is_flag=True, default=False, help="Print JSON instead of a table.")
@options.module("status")
@options.config_file
@options.timeout("status", default=60.0)
@click.pass_obj
def status(
    line: CommandLine,
    *,
    targets: tuple[str, ...],
    max_age: float,
    json: bool,
    module: str | None,
    config_file: str | None,
    timeout: float,
) -> None:
    """Show the devices of Oxidized by group, trouble first.

    TARGET is a URL, host:port, or the name of a configured target.

    Exits with 0 where every Oxidized answered, whatever its devices do, with 1 where one did not, and with 2 where what
    is asked for cannot be done.
    """
    from oxidized_exporter.commands.status import Asked, status_as_json, status_as_table

    _write_any_character()
    configure_logging(line.log.level, form=line.log.form)
    asked = Asked(
        targets=targets,
        module=module,
        config_file=config_file,
        single=line.single(),
        timeout=timeout,
        max_age=max_age,
        clock=CLOCK,
    )
    with _mistakes_told(), writing(exit_code=_CANNOT):
        answered = (status_as_json if json else status_as_table)(asked, out=sys.stdout, err=sys.stderr)
    sys.exit(0 if answered else 1)


@contextmanager
def _mistakes_told() -> Iterator[None]:
    """Say what cannot be done, and end with 2, so that 1 means one thing only."""
    try:
        yield
    except CallerError as error:
        raise click.UsageError(str(error)) from None
    except ConfigError as error:
        for fault in error.faults:
            click.echo(str(fault), err=True)
        sys.exit(_CANNOT)


def _write_any_character() -> None:
    """Let characters that the terminal's encoding lacks come out as escapes, rather than end the program."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
