"""``check-config`` and ``healthcheck``: about the exporter's own files and its own process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

import click

from oxidized_exporter.errors import ConfigError, UnhealthyError
from oxidized_exporter.flags import EXTERNAL_URL, LISTEN_ADDRESS, ROUTE_PREFIX, flag
from oxidized_exporter.single_instance import listen_addresses, port_flag
from oxidized_exporter.web.listen_address import DEFAULT_PORT, ListenAddress
from oxidized_exporter.web.own_url import ExternalUrl, routes_below

if TYPE_CHECKING:
    from collections.abc import Iterable, Sized

    from oxidized_exporter.errors import Fault


@click.command()
@click.argument("file", required=False)
@flag("web.config.file", default=None, metavar="FILE", help="Web configuration file to check, too.")
def check_config(*, file: str | None, web_config_file: str | None) -> None:
    """Check a configuration FILE, or that of the web.

    Prints every fault and exits with 1, or says what they configure.
    """
    if file is None and web_config_file is None:
        raise click.UsageError("nothing to check: name a configuration FILE, or give --web.config.file")
    faults: list[Fault] = []
    said: list[str] = []
    if file is not None:
        from oxidized_exporter.config import load_config

        try:
            config = load_config(file)
            said.append(
                f"{file}: {_count(config.modules, 'module')}, {_count(config.connections, 'connection')}, "
                f"{_count(config.targets, 'target')}"
            )
        except ConfigError as error:
            faults.extend(error.faults)
    if web_config_file is not None:
        from oxidized_exporter.web.web_config_loader import load_web_config

        try:
            said.append(f"{web_config_file}: {load_web_config(web_config_file).summary}")
        except ConfigError as error:
            faults.extend(error.faults)
    for line in said:
        click.echo(line)
    if faults:
        end_with(faults)


@click.command()
@flag(
    "web.listen-address",
    type=LISTEN_ADDRESS,
    multiple=True,
    default=[f":{DEFAULT_PORT}"],
    help="Address that the exporter was told to listen on; of several, the first is asked.",
)
@flag("web.external-url", type=EXTERNAL_URL, default=None, help="As the exporter was told; its path counts.")
@flag("web.route-prefix", type=ROUTE_PREFIX, default=None, help="As the exporter was told.")
@flag(
    "web.config.file",
    default=None,
    metavar="FILE",
    help="Web configuration file that the exporter was given: where it says TLS, https is asked. Any certificate will "
    "do, and where one of the client is required, which there is none of here, so will a TLS answer of any kind.",
)
@flag(
    "timeout",
    of="healthcheck",
    type=click.IntRange(min=1, max=60),
    default=3,
    help="Seconds to wait for the answer, resolving the host included.",
)
@port_flag
@click.pass_context
def healthcheck(
    context: click.Context,
    *,
    web_listen_address: tuple[ListenAddress, ...],
    web_external_url: ExternalUrl | None,
    web_route_prefix: str | None,
    web_config_file: str | None,
    timeout: int,
    port: int | None,
) -> None:
    """Ask the exporter on this machine whether it is healthy. Exits with 0, or with 1 and says why not."""
    from oxidized_exporter.healthcheck import check_health

    address = listen_addresses(context, web_listen_address, port=port)[0]
    try:
        route_prefix = routes_below(web_route_prefix, web_external_url)
        check_health(address, route_prefix=route_prefix, web_config_file=web_config_file, timeout=timeout)
    except UnhealthyError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)


def end_with(faults: Iterable[Fault]) -> NoReturn:
    """Say what is wrong with a file, a line for each fault, and end with 1."""
    for fault in faults:
        click.echo(str(fault), err=True)
    sys.exit(1)


def _count(things: Sized, name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"
