"""What ``--help`` prints: flags by section, each with its variable on a line of its own, and examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

_SINGLE: Final = "Single instance"
# By the beginning of a flag's name, in the order of the page.
_BEGINNINGS: Final = {
    "config.": "Configuration",
    "oxidized.": _SINGLE,
    "user": _SINGLE,  # these as akquinet/oxidized-exporter spells them
    "pass": _SINGLE,
    "path": _SINGLE,
    "web.": "Web",
    "log.": "Logging",
}
_SCRAPES: Final = "Scrapes"
_OTHER: Final = "Other"
SECTIONS: Final = (*dict.fromkeys(_BEGINNINGS.values()), _SCRAPES, _OTHER)
_EXAMPLES: Final = (
    ("demo", "Try it out, with three simulated Oxidized."),
    ("check-config config.yml", "Say what is wrong with a configuration file."),
    ("status http://oxidized.example.net:8888", "Show the devices of an Oxidized, once."),
    ("--config.file=config.yml", "Serve what the file says, on port 10888 of all addresses."),
    ("--web.listen-address=127.0.0.1:10888 '--web.listen-address=[::1]:10888'", "Listen on loopback alone."),
    ("--config.file=config.yml --web.config.file=web.yml", "Serve it with TLS and users, as web.yml says."),
    ("--oxidized.url=http://oxidized.example.net:8888", "Serve one Oxidized on /metrics."),
    ("--web.external-url=https://example.net/oxidized", "Serve below /oxidized, behind a proxy at example.net."),
)
_COMMAND: Final = "oxidized-exporter"
_DOCUMENTATION: Final = "https://github.com/oxidized-exporter/oxidized_exporter"
_WIDEST_FLAG: Final = 30  # click's own bound


class SectionedGroup(click.Group):
    """A command whose flags are many: told by section."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the flags by section, then the commands."""
        sections: dict[str, list[tuple[str, str]]] = {section: [] for section in SECTIONS}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Option):
                sections[section_of(parameter)] += _rows(parameter, ctx)
        width = max((len(names) for rows in sections.values() for names, _ in rows), default=0)
        for section, rows in sections.items():
            if rows:
                with formatter.section(section):
                    # Padded, so that all sections have the same columns.
                    formatter.write_dl([(names.ljust(min(width, _WIDEST_FLAG)), text) for names, text in rows])
        self.format_commands(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write examples, and where more is to be read."""
        with formatter.section("Examples"):
            formatter.write_dl([(f"{_COMMAND} {how}", what) for how, what in _EXAMPLES], col_max=2)
        formatter.write_paragraph()
        formatter.write_text(f"Documentation: {_DOCUMENTATION}")


def section_of(option: click.Option) -> str:
    """Return which of `SECTIONS` a flag is told in."""
    if option.is_eager:
        return _OTHER
    names = [name.lstrip("-") for name in option.opts]
    found = (section for beginning, section in _BEGINNINGS.items() if any(name.startswith(beginning) for name in names))
    return next(found, _SCRAPES)


def _rows(option: click.Option, ctx: click.Context) -> Iterator[tuple[str, str]]:
    """Yield name and help of a flag, and below it what click adds: variable, default, range."""
    record = option.get_help_record(ctx)
    if record is None:  # hidden
        return
    names, text = record
    told = option.help or ""
    yield names, told
    if added := text.removeprefix(told).strip():
        yield "", added
