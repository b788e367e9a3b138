"""Writes docs/flags.md from the commands: ``python -m tests.flags_page``."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Final

import click

from oxidized_exporter.cli import main as serve
from oxidized_exporter.help_page import SECTIONS, section_of
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE: Final = ROOT / "docs" / "flags.md"
PROGRAM: Final = "oxidized-exporter"

_INTRODUCTION: Final = """\
# Flags and environment variables

<!-- Written by `make docs` from the commands in oxidized_exporter/; do not edit. -->

`oxidized-exporter [flags]` serves; the commands below do one thing and end. `--help` tells the same on a terminal.

- What a flag says counts before its variable, and of several variables the first that is set.
- The variable of a flag without a value is `true` or `false` (`1`, `yes`, `on`, … are known, too). That of a flag that
  can be repeated holds its values with spaces between them.
- A variable that holds `tcp://…`, `udp://…` or `sctp://…` is ignored with a warning: Kubernetes sets
  `OXIDIZED_EXPORTER_PORT` so in the pods beside a Service of that name.
- A password belongs in a file or a variable: other users of the machine see a command line.
- Flags of a command stand behind its name, those of the log before it: `oxidized-exporter --log.level=debug demo`.
- Of other variables, `NO_COLOR` counts for `status`, and `SSL_CERT_FILE` and `SSL_CERT_DIR` for the authorities that
  OpenSSL trusts. `HTTP_PROXY` and its kin are not read: `connections[].proxy_url` of the
  [configuration file](configuration.md) names a proxy.
"""
_SPELT_OTHERWISE: Final = "As akquinet/oxidized-exporter spells them"


def page() -> str:
    """Return the page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    yield "## Serving"
    yield ""
    yield from _synopsis(serve, PROGRAM)
    options = _options(serve)
    for section in SECTIONS:
        yield from _told(section, [each for each in options if section_of(each) == section and not each.hidden], serve)
    yield from _told(_SPELT_OTHERWISE, [each for each in options if each.hidden], serve)
    for name, command in serve.commands.items():
        yield f"## {name}"
        yield ""
        yield from _synopsis(command, f"{PROGRAM} {name}")
        yield from _table(_options(command), command)


def _told(title: str, options: list[click.Option], command: click.Command) -> Iterator[str]:
    yield f"### {title}"
    yield ""
    yield from _table(options, command)


def _synopsis(command: click.Command, name: str) -> Iterator[str]:
    context = _context(command)
    arguments = [each.make_metavar(context) for each in command.params if isinstance(each, click.Argument)]
    yield f"`{' '.join([name, '[flags]', *arguments])}`"
    yield ""
    yield inspect.cleandoc(command.help or "")
    yield ""


def _options(command: click.Command) -> list[click.Option]:
    """Return all flags, hidden ones and ``--help`` included."""
    return [each for each in command.get_params(_context(command)) if isinstance(each, click.Option)]


def _context(command: click.Command) -> click.Context:
    settings = serve.context_settings
    serving = click.Context(serve, info_name=PROGRAM, **settings)
    return serving if command is serve else click.Context(command, parent=serving)


def _table(options: list[click.Option], command: click.Command) -> Iterator[str]:
    yield "| flag | environment variable | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for option in options:
        extra = option.get_help_extra(_context(command))
        value = "" if option.is_flag or option.is_eager else f" {_value(option, command)}"
        # In the order of --help: short ones first.
        flags = ", ".join(f"`{flag}{value}`" for flag in sorted(option.opts, key=lambda flag: flag.startswith("--")))
        variables = ", ".join(f"`{variable}`" for variable in extra.get("envvars", ()))
        default = f"`{extra['default']}`" if "default" in extra else ""
        yield f"| {flags} | {variables} | {default} | {(option.help or '').removesuffix('.')}{_bounds(option)}. |"
    yield ""


def _value(option: click.Option, command: click.Command) -> str:
    if isinstance(option.type, click.Choice):
        return "\\|".join(option.type.choices)
    return "N" if isinstance(option.type, click.IntRange) else option.make_metavar(_context(command))


def _bounds(option: click.Option) -> str:
    if not isinstance(option.type, click.IntRange):
        return ""
    return f" ({option.type.min} or more)" if option.type.max is None else f" ({option.type.min} to {option.type.max})"


if __name__ == "__main__":
    PAGE.write_text(page())
