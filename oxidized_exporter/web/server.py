"""Listening, and stopping without losing a scrape."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from functools import partial
from typing import TYPE_CHECKING, Final, cast

import structlog
from aiohttp import web

from oxidized_exporter.errors import ListenError
from oxidized_exporter.web.closing import make_no_new_connections
from oxidized_exporter.web.connection import Connection
from oxidized_exporter.web.connections import Connections
from oxidized_exporter.web.listen_address import ListenAddress
from oxidized_exporter.web.opening import Openings
from oxidized_exporter.web.reload import begin_reload
from oxidized_exporter.web.state import EXPORTER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_log = structlog.stdlib.get_logger(__name__)

_MOST_RELOADS: Final = 2
_TRIES: Final = 20  # to find a port that is free for all addresses of a host
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# For connections that are being made, and requests that are on their way, when the listeners begin to close.
_LINGER_SECONDS: Final = 0.25
# For TLS handshakes under way then: a client needs two round trips at most, one that stalls must not hold the end.
_HANDSHAKES_SECONDS: Final = 2.0
# Longer than a usual scrape (Prometheus's default scrape_timeout is 10 s), no longer than Kubernetes's patience.
_DRAIN_SECONDS: Final = 30.0


class Server:
    """An application on its listeners."""

    def __init__(self, app: web.Application, *, addresses: Sequence[ListenAddress]) -> None:
        self._app = app
        self._addresses = addresses
        self._listeners: list[asyncio.Server] = []
        self._openings: Openings | None = None
        self._connections = Connections(crowded=self._crowded)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=_DRAIN_SECONDS)

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports that are listened on, in the order of the addresses."""
        return tuple(listener.sockets[0].getsockname()[1] for listener in self._listeners)

    @property
    def opening(self) -> int:
        """How many connections have been accepted and not been opened yet: their TLS handshake is under way."""
        return 0 if self._openings is None else len(self._openings)

    @property
    def unsent(self) -> int:
        """Bytes of answers that clients have not read, and the system does not hold."""
        return self._connections.unsent

    async def start(self) -> None:
        """Listen.

        Raises:
            ListenError: one of the addresses cannot be listened on; nothing is left open.
        """
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        manager = cast("web.Server", self._runner.server)
        serve_one = partial(Connection, manager, loop=loop, app=self._app, connections=self._connections)
        factory: Callable[[], asyncio.Protocol] = serve_one
        exporter = self._app.get(EXPORTER)
        if exporter is not None and exporter.web_config is not None:
            self._openings = Openings(
                exporter.web_config, serve_one, silent=self._connections.silent, failures=exporter.failures
            )
            factory = self._openings.accept
        for address in self._addresses:
            try:
                self._listeners.append(await _listen(factory, address))
            except (OSError, UnicodeError) as error:  # UnicodeError: a name that no name server could be asked for
                await self.close()
                raise ListenError(f"cannot listen on {address}: {_why(error)}") from None

    async def stop(self, *, delay: float) -> None:
        """Answer what was asked, then close.

        ``/-/ready`` says no at once; for ``delay`` seconds new probes are still served, so that a balancer can notice;
        then no new connection is made and what is in flight is answered, requests still on their way included.
        """
        self._app[EXPORTER].readiness.ready = False
        await asyncio.sleep(delay)
        for listener in self._listeners:
            for listening in listener.sockets:
                make_no_new_connections(listening)
        await asyncio.sleep(_LINGER_SECONDS)
        self._stop_listening()
        if self._openings is not None:
            await self._openings.ended(seconds=_HANDSHAKES_SECONDS)
        await asyncio.sleep(_LINGER_SECONDS)
        await self.close()

    async def close(self) -> None:
        """Accept nothing more, answer what is in flight within 30 s, and close idle connections at once.

        An answer that has not been read by then is cut.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + _DRAIN_SECONDS
        over = loop.call_at(until, self._connections.abort)  # aiohttp waits as long for a handler, and once more
        try:
            self._stop_listening()
            if self._openings is not None:
                await self._openings.close()
            await self._runner.cleanup()
        finally:
            over.cancel()
        await self._connections.end(until=until)

    def _crowded(self, which: str) -> None:
        self._app[EXPORTER].failures.crowded(which=which)

    def _stop_listening(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()


async def _listen(factory: Callable[[], asyncio.Protocol], address: ListenAddress) -> asyncio.Server:
    """Listen on all that a host stands for, on the same port of each.

    Raises:
        OSError: it cannot be listened on.
        UnicodeError: the host is no name.
    """
    loop = asyncio.get_running_loop()
    tries = _TRIES if address.port == 0 else 1
    while True:
        tries -= 1
        port = address.port
        if port == 0:  # each socket would have another one, and the log names one
            bound = await loop.create_server(factory, address.host, 0, start_serving=False)
            port = bound.sockets[0].getsockname()[1]
            bound.close()
        try:
            return await loop.create_server(factory, address.host, port)
        except OSError:  # free for one, and taken for another
            if not tries:
                raise


def _why(error: OSError | UnicodeError) -> str:
    if isinstance(error, UnicodeError):
        return "the host is no name"
    if isinstance(error, socket.gaierror) or not error.errno:
        return error.strerror or "the host was not resolved"
    return os.strerror(error.errno)


async def serve(
    app: web.Application,
    *,
    addresses: Sequence[ListenAddress],
    shutdown_delay: float,
    started: Callable[[tuple[int, ...]], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then stop gracefully; a second SIGINT stops at once. SIGHUP reloads.

    Args:
        app: what is served.
        addresses: where.
        shutdown_delay: seconds for which probes are still served after the signal.
        started: called with the ports once they are listened on.

    Raises:
        ListenError: one of the addresses cannot be listened on.
    """
    server = Server(app, addresses=addresses)
    await server.start()
    loop = asyncio.get_running_loop()
    received: asyncio.Queue[signal.Signals] = asyncio.Queue()
    for number in _SIGNALS:
        loop.add_signal_handler(number, received.put_nowait, number)
    try:
        listening = [
            str(ListenAddress(address.host, port)) for address, port in zip(addresses, server.ports, strict=True)
        ]
        for address in listening:
            _log.info("listening", address=address, **_secured(app))
        app[EXPORTER].supervisor.ready(f"Listening on {', '.join(listening)}")
        if started is not None:
            started(server.ports)
        while (number := await received.get()) is signal.SIGHUP:
            if len(app[EXPORTER].reloads) < _MOST_RELOADS:  # one that reads, and one that will read what is new
                _ = begin_reload(app[EXPORTER])  # tells by itself how it ends
        _log.info("stopping", signal=number.name, shutdown_delay=shutdown_delay)
        app[EXPORTER].supervisor.stopping("Answering what is in flight")
        loop.add_signal_handler(signal.SIGINT, _stop_at_once)
        await server.stop(delay=shutdown_delay)
        _log.info("stopped")
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


def _secured(app: web.Application) -> dict[str, bool]:
    """Say whether connections are encrypted, where a web configuration says so or not."""
    exporter = app.get(EXPORTER)
    return {"tls": exporter.web_config.present.context is not None} if exporter and exporter.web_config else {}


def _stop_at_once() -> None:
    raise SystemExit(130)  # what a shell reports of a process that ended by SIGINT
