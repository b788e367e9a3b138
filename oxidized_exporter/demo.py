"""``oxidized-exporter demo``: three simulated Oxidized instances and the exporter in front of them, in one process."""

from __future__ import annotations

import socket
import time
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

import click
from aiohttp import web

from oxidized_exporter.compose import open_exporter
from oxidized_exporter.config import Access, Config, TargetEntry
from oxidized_exporter.simulator import Daemon, create_app, fleet
from oxidized_exporter.targets.pattern import parse_access_pattern
from oxidized_exporter.targets.url import parse_target
from oxidized_exporter.web.app import create_app as create_exporter_app
from oxidized_exporter.web.listen_address import ListenAddress
from oxidized_exporter.web.server import serve
from oxidized_exporter.web.state import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from oxidized_exporter.simulator import Clock

_LOOPBACK: Final = "127.0.0.1"
_EVERYWHERE: Final = ("0.0.0.0/0", "::/0")
_HISTORY_SECONDS: Final = 4 * 86400.0  # so that stale devices are days old
_FAILING: Final = 0.2
_STALE: Final = 0.1
_MOST_STALE: Final = 15  # each holds one of the simulated daemon's 30 threads for good

SETTINGS: Final = Settings(enable_debug=True)
"""Of the exporter in front of the instances."""


async def run_demo(*, address: ListenAddress, devices: int) -> None:
    """Run until SIGTERM or SIGINT; prints what to open and a scrape configuration.

    Args:
        address: where the exporter listens.
        devices: of each instance.

    Raises:
        ListenError: the exporter cannot listen there.
    """
    async with AsyncExitStack() as stack:
        ports = range(address.port + 1, address.port + 4) if address.port else (0, 0, 0)
        config = await stack.enter_async_context(instances(devices, ports=ports))
        exporter = await stack.enter_async_context(open_exporter(config=config, settings=SETTINGS))

        def tell(ports: tuple[int, ...]) -> None:
            host = address.host or _LOOPBACK
            click.echo(instructions(ListenAddress(host, ports[0]), config=config))

        await serve(create_exporter_app(exporter), addresses=(address,), shutdown_delay=0, started=tell)


@asynccontextmanager
async def instances(devices: int, *, ports: Sequence[int]) -> AsyncIterator[Config]:
    """Run one that is healthy and one with failing and stale devices, beside one that is down.

    Args:
        devices: of each.
        ports: of the three; where one is taken, or 0, a free one.

    Yields:
        The configuration of an exporter in front of them.
    """
    healthy_daemon, troubled_daemon = daemons(devices)
    healthy_port, troubled_port, down_port = ports
    async with (
        simulated(healthy_daemon, port=healthy_port) as healthy,
        simulated(troubled_daemon, port=troubled_port) as troubled,
    ):
        with closed_port(down_port) as down:
            urls = {"healthy": healthy, "troubled": troubled, "down": down}
            yield _configuration({name: f"http://{_LOOPBACK}:{port}" for name, port in urls.items()})


def _configuration(urls: Mapping[str, str]) -> Config:
    """Return one with these targets, which allows all others too: whoever tries it out may have an Oxidized."""
    return Config(
        targets={name: TargetEntry(name=name, target=parse_target(url)) for name, url in urls.items()},
        access=Access(allow=tuple(map(parse_access_pattern, _EVERYWHERE))),
    )


def daemons(
    devices: int, *, clock: Clock = time.time, history_seconds: float = _HISTORY_SECONDS
) -> tuple[Daemon, Daemon]:
    """Return the daemon that is healthy, and the one with failing and stale devices.

    Args:
        devices: of each.
        clock: the time that they live in.
        history_seconds: how long ago they started.
    """
    stale = min(_STALE, _MOST_STALE / devices)
    started = clock() - history_seconds
    return (
        Daemon(fleet(devices), clock=clock, started=started),
        Daemon(fleet(devices, seed=1, failing=_FAILING, stale=stale), clock=clock, started=started),
    )


@asynccontextmanager
async def simulated(daemon: Daemon, *, port: int) -> AsyncIterator[int]:
    """Serve a simulated Oxidized on the loopback interface; yields the port: ``port``, or a free one if it is taken."""
    runner = web.AppRunner(create_app(daemon), access_log=None)
    await runner.setup()
    try:
        listener = _bound(port)  # closed with the site
        await web.SockSite(runner, listener).start()
        yield listener.getsockname()[1]
    finally:
        await runner.cleanup()


@contextmanager
def closed_port(port: int) -> Iterator[int]:
    """Hold a port on which nothing listens, so that connecting is refused; yields the port."""
    with _bound(port) as held:
        yield held.getsockname()[1]


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((_LOOPBACK, port))
    except (OSError, OverflowError):  # taken, or beyond the range
        bound.bind((_LOOPBACK, 0))
    return bound


def instructions(exporter: ListenAddress, *, config: Config) -> str:
    """Return what the demo tells its user: URLs to open and a ready Prometheus configuration."""
    base = f"http://{exporter}"
    targets = [entry.target.base for entry in config.targets.values()]
    single = "\n".join(
        f"  {base}/probe?target={quote(target, safe=':/')}    {state}"
        for target, state in zip(targets, ("healthy", "failing and stale devices", "down"), strict=True)
    )
    together = urlencode([("target", target) for target in targets], safe=":/")
    return f"""\
Three simulated Oxidized instances and the exporter are running; Ctrl-C stops them.

Open, or curl:

  {base}/
{single}

All three in one scrape:

  curl '{base}/probe?{together}'

A Prometheus configuration for them:

scrape_configs:
  - job_name: oxidized
    http_sd_configs:
      - url: {base}/sd
"""
