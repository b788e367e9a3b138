"""Flags of single-instance mode: those that akquinet/oxidized-exporter has, with the variables that it reads.

What they mean is said in this project's own terms: a target, a path, a listen address, a log level.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click
from click.core import ParameterSource

from oxidized_exporter.flags import flag
from oxidized_exporter.web.listen_address import ListenAddress

if TYPE_CHECKING:
    from oxidized_exporter.config import BasicAuth, SingleInstance

_Command = Callable[..., Any]

_METRICS: Final = "/metrics"
_PATH: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")
_TAKEN: Final = re.compile(r"/(?:probe|config|sd)|/-/.*")
_NEED_A_URL: Final = ("user", "pass", "oxidized_password_file", "oxidized_module", "path")

port_flag: Final = flag(
    "port", type=click.IntRange(min=0, max=65535), default=None, hidden=True, help="Port of --web.listen-address."
)
_FLAGS: Final = (
    flag(
        "oxidized.url",
        *("--url", "-U"),
        variables=("OXIDIZED_EXPORTER_URL",),
        default=None,
        metavar="URL",
        help="Single-instance mode: the Oxidized whose metrics /metrics carries, too.",
    ),
    flag("user", "-u", default=None, metavar="NAME", help="User name for --oxidized.url."),
    flag(
        "pass",
        "-p",
        default=None,
        metavar="PASSWORD",
        hide_input=True,
        help="Password for --oxidized.url. On the command line other users of the machine see it: set the variable, "
        "or --oxidized.password-file.",
    ),
    flag(
        "oxidized.password-file",
        default=None,
        metavar="FILE",
        help="File that holds the password for --oxidized.url, read when it is used.",
    ),
    flag(
        "oxidized.module",
        default="single",
        metavar="NAME",
        help="Module for --oxidized.url; single, if the configuration file has none of this name, collects nodes and "
        "configs.",
    ),
    flag("path", default=_METRICS, metavar="PATH", help="Where the metrics are served, besides /metrics."),
    port_flag,
    flag("verbose", "-v", is_flag=True, default=False, hidden=True, help="As --log.level=info."),
    flag("debug", "-d", is_flag=True, default=False, hidden=True, help="As --log.level=debug."),
)
OF_THE_INSTANCE: Final = frozenset({"oxidized_url", "user", "pass", "oxidized_password_file", "oxidized_module"})
"""Parameters that name the one Oxidized, and say how it is asked."""
LOG_FLAGS: Final = frozenset({"verbose", "debug"})
"""Parameters that say what --log.level says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsGiven:
    """What the flags and their variables say, as text."""

    url: str | None
    user: str | None
    password: str | None = field(repr=False)
    password_file: str | None
    module: str
    path: str
    port: int | None
    verbose: bool
    debug: bool


def single_instance_flags(command: _Command) -> _Command:
    """Declare the flags; ``command`` gets them as one argument, ``as_given``."""

    @functools.wraps(command)
    def gather(*arguments: Any, **values: Any) -> Any:
        return command(
            *arguments,
            as_given=AsGiven(
                url=values.pop("oxidized_url"),
                user=values.pop("user"),
                password=values.pop("pass"),
                password_file=values.pop("oxidized_password_file"),
                module=values.pop("oxidized_module"),
                **{name: values.pop(name) for name in ("path", "port", "verbose", "debug")},
            ),
            **values,
        )

    return functools.reduce(lambda declared, declare: declare(declared), reversed(_FLAGS), gather)


def log_level(context: click.Context, level: str, *, as_given: AsGiven) -> str:
    """Return the least severe level that is logged: that of --debug, of --verbose, or ``level``.

    Raises:
        click.UsageError: --log.level is given as well, in the same way.
    """
    for name, meant, named in (("debug", as_given.debug, "debug"), ("verbose", as_given.verbose, "info")):
        if meant and _outranks(context, name, "log_level"):
            return named
    return level


def listen_addresses(
    context: click.Context, addresses: tuple[ListenAddress, ...], *, port: int | None
) -> tuple[ListenAddress, ...]:
    """Return where to listen: on ``port`` of every interface where it is given, else at ``addresses``.

    Raises:
        click.UsageError: --web.listen-address is given as well, in the same way.
    """
    if port is None or not _outranks(context, "port", "web_listen_address"):
        return addresses
    return (ListenAddress(None, port),)


def single_instance(context: click.Context, *, as_given: AsGiven) -> SingleInstance | None:
    """Return the Oxidized that the flags name, or None; looks at the file that holds the password.

    Raises:
        click.UsageError: a flag is wrong, is there without the URL, or without its other half.
    """
    if as_given.url is None:
        for name in _NEED_A_URL:
            if _is_given(context, name):
                raise click.UsageError(f"{_hint(context, name)} is for the Oxidized that --oxidized.url names", context)
        return None
    from oxidized_exporter.config import SingleInstance  # noqa: PLC0415 - not every command needs it
    from oxidized_exporter.config.urls import parse_target_url  # noqa: PLC0415 - likewise

    try:
        target = parse_target_url(as_given.url, instead="give --user and --oxidized.password-file")
    except ValueError as error:
        _refuse(context, "oxidized_url", error)
    return SingleInstance(target=target, basic_auth=_basic_auth(context, as_given), module=as_given.module)


def metrics_path(context: click.Context, *, as_given: AsGiven) -> str:
    """Return where the metrics are served besides ``/metrics``.

    Raises:
        click.UsageError: nothing can be served there.
    """
    path = as_given.path
    if not _PATH.fullmatch(path):
        _refuse(context, "path", "must be a path such as /metrics: letters, digits, . _ ~ - between slashes")
    if _TAKEN.fullmatch(path):
        _refuse(context, "path", f"{path} is where the exporter serves something else")
    return path


def _basic_auth(context: click.Context, as_given: AsGiven) -> BasicAuth | None:
    """Read the credentials; what is empty is not there, as for the Go exporter."""
    user, password, file = as_given.user or None, as_given.password or None, as_given.password_file or None
    if password and file:
        raise click.UsageError(f"{_hint(context, 'pass')} may not stand beside --oxidized.password-file", context)
    if user is None:
        for name, value in (("pass", password), ("oxidized_password_file", file)):
            if value:
                raise click.UsageError(f"{_hint(context, name)} needs --user", context)
        return None
    if not (password or file):
        raise click.UsageError(f"{_hint(context, 'user')} needs --oxidized.password-file or --pass", context)
    from oxidized_exporter.config import BasicAuth, Secret  # noqa: PLC0415 - not every command needs it
    from oxidized_exporter.config.files import check_readable  # noqa: PLC0415 - likewise
    from oxidized_exporter.config.headers import parse_username  # noqa: PLC0415 - likewise

    try:
        username = parse_username(user)
    except ValueError as error:
        _refuse(context, "user", error)
    if file:
        try:
            check_readable(Path(file))
        except ValueError as error:
            _refuse(context, "oxidized_password_file", error)
        return BasicAuth(username=username, password_file=Path(file))
    if not _is_utf8(str(password)):
        _refuse(context, "pass", "must be UTF-8")
    return BasicAuth(username=username, password=Secret(str(password)))


def _is_utf8(text: str) -> bool:
    """Tell whether it is; Python shows a byte that is none in arguments and variables as half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) in {ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT}


def _outranks(context: click.Context, name: str, other: str) -> bool:
    """Tell whether ``name``, which is given, counts before ``other``: the command line does before the environment."""
    of_name, of_other = context.get_parameter_source(name), context.get_parameter_source(other)
    if _is_given(context, other) and of_name is of_other:
        raise click.UsageError(f"{_hint(context, name)} may not stand beside {_hint(context, other)}", context)
    return of_other is not ParameterSource.COMMANDLINE


def _refuse(context: click.Context, name: str, why: object) -> NoReturn:
    raise click.BadParameter(str(why), ctx=context, param=_parameter(context, name)) from None


def _hint(context: click.Context, name: str) -> str:
    return _parameter(context, name).get_error_hint(context)


def _parameter(context: click.Context, name: str) -> click.Parameter:
    return next(parameter for parameter in context.command.params if parameter.name == name)
