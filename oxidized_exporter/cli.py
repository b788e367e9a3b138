"""The command ``oxidized-exporter``: each of its commands loads what it needs, so that a health check is quick."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click
from click.core import ParameterSource

from oxidized_exporter import __version__
from oxidized_exporter.commands import interface, own
from oxidized_exporter.commands.command_line import CommandLine
from oxidized_exporter.commands.plugin import PluginGroup
from oxidized_exporter.errors import ConfigError, ListenError
from oxidized_exporter.flags import EXTERNAL_URL, LISTEN_ADDRESS, ROUTE_PREFIX, SECONDS, flag
from oxidized_exporter.help_page import SectionedGroup
from oxidized_exporter.log import FORMATS, LEVELS, LogSettings, configure_logging, log_of_loop, log_the_uncaught
from oxidized_exporter.single_instance import (
    LOG_FLAGS,
    OF_THE_INSTANCE,
    AsGiven,
    listen_addresses,
    metrics_path,
    single_instance,
    single_instance_flags,
)
from oxidized_exporter.single_instance import log_level as log_level_of
from oxidized_exporter.web.listen_address import DEFAULT_PORT, ListenAddress
from oxidized_exporter.web.own_url import ExternalUrl, routes_below

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable
    from threading import Thread

    from oxidized_exporter.config import Config, SingleInstance
    from oxidized_exporter.web.state import Settings
    from oxidized_exporter.web.web_config_loader import Reading

# Seconds after which a thread that computes must give way to the loop. With Python's 5 ms the loop, which waits for its
# turn at each read and write, answers /-/healthy three times as late while large scrapes run (docs/performance.md).
_TURN_SECONDS: Final = 0.0005
_THREADS_SECONDS: Final = 0.5  # for threads to end by themselves, when the exporter has
_OF_ALL: Final = frozenset({"log_level", "log_format", *LOG_FLAGS})
_ASKING: Final = (interface.probe, interface.check, interface.status)
_HELP: Final = {"help_option_names": ["--help", "-h"], "max_content_width": 100}


class _Group(SectionedGroup, PluginGroup):
    """The flags in sections, and ``check`` a plugin."""


@click.group(cls=_Group, invoke_without_command=True, context_settings=_HELP)
@flag("config.file", default=None, metavar="FILE", help="Configuration file; without one any URL can be probed.")
@flag(
    "web.listen-address",
    type=LISTEN_ADDRESS,
    multiple=True,
    default=[f":{DEFAULT_PORT}"],
    help="host:port or [ipv6]:port to listen on; can be repeated.",
)
@flag(
    "web.external-url",
    type=EXTERNAL_URL,
    default=None,
    help="URL at which it is reached from outside, or the path alone.",
)
@flag(
    "web.route-prefix",
    type=ROUTE_PREFIX,
    default=None,
    help="Path in front of all routes; else that of the external URL.",
)
@flag(
    "web.config.file",
    default=None,
    metavar="FILE",
    help="File with TLS, users and headers of this port, in the format of Prometheus's exporter-toolkit.",
)
@flag(
    "web.shutdown-delay",
    type=SECONDS,
    default=0.0,
    help="Seconds to serve on after SIGTERM, while /-/ready says no.",
)
@flag(
    "timeout-offset",
    type=SECONDS,
    default=0.5,
    help="Seconds taken off the scrape time-out for the way back.",
)
@flag("web.enable-lifecycle", is_flag=True, default=False, help="Allow POST and PUT /-/reload.")
@flag(
    "web.enable-debug",
    is_flag=True,
    default=False,
    help="Let /probe?debug=true tell the steps of a probe: addresses, times, settings, no secrets.",
)
@flag(
    "web.max-requests",
    type=click.IntRange(min=0),
    default=0,
    metavar="NUMBER",
    help="Probes answered at once, one more is a 503; 0: any number.",
)
@flag("log.level", type=click.Choice(LEVELS), default="info", help="Least severe level that is logged.")
@flag(
    "log.format",
    type=click.Choice(FORMATS),
    default="logfmt",
    help="How the log is written: key=value pairs, or a JSON object, a line each.",
)
@single_instance_flags
@click.version_option(__version__, message=f"oxidized_exporter %(version)s (Python {sys.version.split()[0]})")
@click.pass_context
def main(
    context: click.Context,
    *,
    config_file: str | None,
    web_listen_address: tuple[ListenAddress, ...],
    web_external_url: ExternalUrl | None,
    web_route_prefix: str | None,
    web_config_file: str | None,
    web_shutdown_delay: float,
    timeout_offset: float,
    web_enable_lifecycle: bool,
    web_enable_debug: bool,
    web_max_requests: int,
    log_level: str,
    as_given: AsGiven,
    log_format: str,
) -> None:
    """Serve the metrics of Oxidized instances to Prometheus.

    GET /probe?target=http://oxidized.example.net:8888 asks one instance. Without a command, the exporter serves until
    SIGTERM or SIGINT; SIGHUP reloads the configuration file.

    With --oxidized.url, GET /metrics asks that one. All flags of akquinet/oxidized-exporter work: --port, --verbose and
    --debug are short for --web.listen-address and --log.level.
    """
    log = LogSettings(level=log_level_of(context, log_level, as_given=as_given), form=log_format)
    context.obj = CommandLine(log=log, single=partial(single_instance, context, as_given=as_given))
    if context.invoked_subcommand is None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until it reloads: one that comes early must not end the start
        signal.signal(signal.SIGTERM, _end)  # until it serves: process 1 of a container would not hear it
        from oxidized_exporter.web.state import Settings

        addresses = listen_addresses(context, web_listen_address, port=as_given.port)
        single = context.obj.single()
        settings = Settings(
            config_file=config_file,
            timeout_offset=timeout_offset,
            enable_debug=web_enable_debug,
            enable_lifecycle=web_enable_lifecycle,
            max_requests=web_max_requests,
            route_prefix=routes_below(web_route_prefix, web_external_url),
            external_url=web_external_url,
            single=single,
            metrics_path=metrics_path(context, as_given=as_given),
        )
        config = _load(config_file, single=single)
        web_config = None if web_config_file is None else _load_web(web_config_file)
        _run(
            _serve(
                config=config,
                settings=settings,
                web_config=web_config,
                addresses=addresses,
                shutdown_delay=web_shutdown_delay,
            ),
            log=log,
        )
        return
    asks = context.invoked_subcommand in {command.name for command in _ASKING}
    for parameter in context.command.params:
        given = context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
        if given and parameter.name not in (_OF_ALL | OF_THE_INSTANCE if asks else _OF_ALL):
            raise click.UsageError(
                f"{parameter.opts[0]} is for serving; behind {context.invoked_subcommand} stand the flags of its own"
            )


@main.command()
@flag(
    "web.listen-address",
    type=LISTEN_ADDRESS,
    default=f"127.0.0.1:{DEFAULT_PORT}",
    help="Address to listen on, host:port or [ipv6]:port.",
)
@flag(
    "devices",
    type=click.IntRange(min=1, max=10_000),
    default=50,
    help="Devices of each simulated Oxidized.",
)
@click.pass_obj
def demo(line: CommandLine, *, web_listen_address: ListenAddress, devices: int) -> None:
    """Try it out with three simulated Oxidized. The exporter runs in front of them, in one process."""
    from oxidized_exporter.demo import run_demo

    _run(run_demo(address=web_listen_address, devices=devices), log=line.log)


for command in (*_ASKING, own.check_config, own.healthcheck):
    main.add_command(command)


def _end(*_: object) -> NoReturn:
    sys.exit(0)


def _load(file: str | None, *, single: SingleInstance | None) -> Config:
    from oxidized_exporter.config import config_from

    try:
        return config_from(file, single=single)
    except ConfigError as error:
        own.end_with(error.faults)


def _load_web(file: str) -> Reading:
    from oxidized_exporter.web.web_config_loader import load_web_config

    try:
        return load_web_config(file)
    except ConfigError as error:
        own.end_with(error.faults)


async def _serve(
    *,
    config: Config,
    settings: Settings,
    web_config: Reading | None,
    addresses: tuple[ListenAddress, ...],
    shutdown_delay: float,
) -> None:
    from oxidized_exporter.compose import open_exporter
    from oxidized_exporter.web.app import create_app
    from oxidized_exporter.web.server import serve

    async with open_exporter(config=config, settings=settings, web_config=web_config) as exporter:
        await serve(create_app(exporter), addresses=addresses, shutdown_delay=shutdown_delay)


def _run(coroutine: Coroutine[Any, Any, None], *, log: LogSettings) -> None:
    import asyncio
    import threading
    from concurrent.futures import ThreadPoolExecutor

    before = set(threading.enumerate())
    configure_logging(log.level, form=log.form)
    log_the_uncaught()
    sys.setswitchinterval(_TURN_SECONDS)
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        loop.set_exception_handler(log_of_loop)
        loop.set_default_executor(threads := ThreadPoolExecutor(thread_name_prefix="asyncio"))
        try:
            runner.run(coroutine)
        except ListenError as error:
            click.echo(f"Error: {error}", err=True)
            code = 1
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        else:
            code = 0
        threads.shutdown(wait=False, cancel_futures=True)
        _leave_behind_what_hangs({*threading.enumerate()} - before, code=code)
    if code:
        sys.exit(code)


def _leave_behind_what_hangs(threads: Iterable[Thread], *, code: int) -> None:
    """End the process with ``code`` where one of ``threads`` holds it: it reads from a hung mount, or computes long.

    Python waits for the threads of executors as long as they take. Where all end, it ends as usual.
    """
    until = time.monotonic() + _THREADS_SECONDS
    holding = [thread for thread in threads if not thread.daemon]
    for thread in holding:
        thread.join(max(until - time.monotonic(), 0))
    if any(thread.is_alive() for thread in holding):
        try:
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError):  # closed at its other end
                    stream.flush()
        finally:
            os._exit(code)
