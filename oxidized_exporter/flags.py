"""Flags in Prometheus's style, each with its environment variable."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import click

from oxidized_exporter.errors import ListenError, OwnUrlError
from oxidized_exporter.web.listen_address import ListenAddress, parse_listen_address
from oxidized_exporter.web.own_url import ExternalUrl, parse_external_url, parse_route_prefix

_PREFIX: Final = "OXIDIZED_EXPORTER_"
# Kubernetes sets OXIDIZED_EXPORTER_PORT=tcp://… and the like in every pod beside a Service of the same name.
_OF_KUBERNETES: Final = ("tcp://", "udp://", "sctp://")

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Flag(click.Option):
    """An option whose environment variable is passed over where Kubernetes has set it."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:  # noqa: ARG002 - click hands it over
        """Return what the first of the variables holds that is set, and not by Kubernetes."""
        for variable in self.variables:
            value = os.environ.get(variable)
            if value and not value.startswith(_OF_KUBERNETES):
                return value
            if value:
                shown = "what it holds" if self.hide_input else repr(value)
                click.echo(
                    f"Warning: {variable} is ignored: {shown} looks like a Service of Kubernetes, not like a setting",
                    err=True,
                )
        return None

    @property
    def variables(self) -> Sequence[str]:
        """Environment variables that set it; the first that is set counts."""
        return [self.envvar] if isinstance(self.envvar, str) else self.envvar or ()


def flag(
    name: str, *aliases: str, of: str = "", variables: tuple[str, ...] = (), **settings: Any
) -> Callable[[_Command], _Command]:
    """Declare ``--name``, which ``OXIDIZED_EXPORTER_NAME`` (dots and dashes as underscores) sets too.

    ``of`` a command, it is set by ``OXIDIZED_EXPORTER_COMMAND_NAME``: variables are read by all commands. ``aliases``
    are other spellings of the flag, ``variables`` further ones that set it.
    """
    parameter = name.replace(".", "_").replace("-", "_")
    variable = _PREFIX + (f"{of}_" if of else "").upper() + parameter.upper()
    return click.option(
        f"--{name}",
        *aliases,
        parameter,
        cls=Flag,
        envvar=[variable, *variables] if variables else variable,
        show_envvar=True,
        show_default=True,
        **settings,
    )


class _Seconds(click.ParamType[float]):
    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not (math.isfinite(seconds) and seconds >= 0):
            self.fail(f"{value!r} is not a number of seconds, 0 or more", param, ctx)
        return seconds


class _ListenAddress(click.ParamType[ListenAddress]):
    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ListenAddress:
        if isinstance(value, ListenAddress):
            return value
        try:
            return parse_listen_address(value)
        except ListenError as error:
            self.fail(str(error), param, ctx)


class _ExternalUrl(click.ParamType[ExternalUrl]):
    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ExternalUrl:
        if isinstance(value, ExternalUrl):
            return value
        try:
            return parse_external_url(value)
        except OwnUrlError as error:
            self.fail(str(error), param, ctx)


class _RoutePrefix(click.ParamType[str]):
    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return parse_route_prefix(value)
        except OwnUrlError as error:
            self.fail(str(error), param, ctx)


SECONDS: Final = _Seconds()
LISTEN_ADDRESS: Final = _ListenAddress()
EXTERNAL_URL: Final = _ExternalUrl()
ROUTE_PREFIX: Final = _RoutePrefix()
