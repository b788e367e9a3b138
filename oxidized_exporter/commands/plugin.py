"""A command that is a plugin of Nagios and its kin: whatever goes wrong, it ends with one line and exit code 3."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from oxidized_exporter.commands.output import write_no_more
from oxidized_exporter.errors import CallerError, ConfigError, place, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

UNKNOWN: Final = 3
_MOST_CHARACTERS: Final = 1000


def plugin_line(text: str) -> str:
    """Return ``text`` as plugins may print it: one line, with no ``|``, behind which performance data would stand."""
    return printable(text).replace("|", "\\x7c")


def end_unknown(text: str) -> NoReturn:
    """Say that nothing is known, and why, and end."""
    print_line(plugin_line(f"OXIDIZED UNKNOWN - {text}")[:_MOST_CHARACTERS])
    sys.exit(UNKNOWN)


def print_line(line: str) -> None:
    """Print the line of a plugin, or end with UNKNOWN where nobody can read it."""
    if sys.stdout is None:  # closed by who called
        sys.exit(UNKNOWN)
    try:
        click.echo(line)
    except OSError:
        write_no_more()
        sys.exit(UNKNOWN)


class PluginCommand(click.Command):
    """A command whose every failure is UNKNOWN: 1 and 2, which Python and click end with, mean something else here."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the flags; ``--help`` ends with 3 too, as the guidelines want it, or a check that asks for it is OK."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.exceptions.Exit:
            raise click.exceptions.Exit(UNKNOWN) from None
        except click.ClickException as error:
            end_unknown(error.format_message())

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except CallerError as error:
            end_unknown(str(error))
        except ConfigError as error:
            first, *others = error.faults
            end_unknown(f"{first}{f' and {len(others)} more' if others else ''}")
        except click.ClickException as error:
            end_unknown(error.format_message())
        except KeyboardInterrupt:
            end_unknown("interrupted")
        except Exception as error:  # noqa: BLE001 - its message may quote what it should not
            end_unknown(f"unexpected {place(error)}")


class PluginGroup(click.Group):
    """Commands of which some are plugins: their callers' mistakes in front of the command's name are UNKNOWN, too."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the flags of the group."""
        given = list(args)
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            if self._names_a_plugin(given):  # where the command begins is not known, since reading has failed
                end_unknown(error.format_message())
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the group's own callback, which may find mistakes, and the command."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if self._names_a_plugin([ctx.invoked_subcommand or ""]):
                end_unknown(error.format_message())
            raise

    def _names_a_plugin(self, words: Sequence[str]) -> bool:
        return any(isinstance(self.commands.get(word), PluginCommand) for word in words)
