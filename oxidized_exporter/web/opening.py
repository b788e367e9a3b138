"""What happens between a connection that was accepted and its first request: the TLS handshake."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Final, cast

import structlog

from oxidized_exporter.errors import place
from oxidized_exporter.web.tls import is_allowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxidized_exporter.web.failure_log import FailureLog
    from oxidized_exporter.web.web_config_in_force import Serving, WebConfigInForce

_log = structlog.stdlib.get_logger(__name__)

_HANDSHAKE_SECONDS: Final = 10.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
_GOODBYE_SECONDS: Final = 5.0  # for the client's half of the end, while answers under way are still sent


class Openings:
    """The connections of listeners that have been accepted, and are not served yet."""

    def __init__(
        self,
        web_config: WebConfigInForce,
        make_connection: Callable[[], asyncio.Protocol],
        *,
        failures: FailureLog,
    ) -> None:
        """Open connections as ``web_config`` says, and hand each to a protocol that ``make_connection`` makes.

        What fails is told to ``failures``.
        """
        self._web_config = web_config
        self._failures = failures
        self._make_connection = make_connection
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._tasks)

    def accept(self) -> asyncio.Protocol:
        """Return the protocol of a connection that is being accepted."""
        return _Opening(self)

    async def ended(self, *, seconds: float) -> None:
        """Wait until all have been opened or have failed, but no longer than ``seconds``."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    async def close(self) -> None:
        """End those that are still being opened."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def begin(self, opening: _Opening, transport: asyncio.Transport) -> None:
        """Open a connection in a task of its own."""
        task = asyncio.get_running_loop().create_task(self._open(opening, transport))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open(self, opening: _Opening, transport: asyncio.Transport) -> None:
        client = _client(transport)
        try:
            serving = await self._web_config.current()
            served = await self._secured(opening, transport, serving) if serving.context else transport
        except asyncio.CancelledError:
            transport.abort()
            raise
        except OSError as error:  # `ssl.SSLError` too
            if not _is_a_look(error, client):
                self._failures.unsecured(client=client, reason=_reason(error))
            return
        except Exception as error:  # noqa: BLE001 - nobody else would tell
            transport.abort()
            _log.error("bug: unexpected exception while opening a connection", error=place(error))
            return
        if served is None or opening.lost:
            return
        if serving.context and not is_allowed(served.get_extra_info("peercert"), names=serving.allowed_names):
            self._failures.unsecured(client=client, reason="the certificate has none of client_allowed_sans")
            served.abort()
            return
        opening.hand_over(served, self._make_connection())

    async def _secured(
        self, opening: _Opening, transport: asyncio.Transport, serving: Serving
    ) -> asyncio.Transport | None:
        """Do the handshake; None where the client has left meanwhile."""
        return await asyncio.get_running_loop().start_tls(
            transport,
            opening,
            cast("ssl.SSLContext", serving.context),
            server_side=True,
            ssl_handshake_timeout=_HANDSHAKE_SECONDS,
            ssl_shutdown_timeout=_GOODBYE_SECONDS,
        )


class _Opening(asyncio.Protocol):
    """Keeps what comes behind a handshake until the connection is served: it may come with its last bytes."""

    def __init__(self, openings: Openings) -> None:
        self._openings = openings
        self._kept = bytearray()
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        made = cast("asyncio.Transport", transport)
        made.pause_reading()
        self._openings.begin(self, made)

    def data_received(self, data: bytes) -> None:
        self._kept += data

    def connection_lost(self, _error: Exception | None) -> None:
        self.lost = True

    def hand_over(self, transport: asyncio.Transport, connection: asyncio.Protocol) -> None:
        """Let ``connection`` serve from here on."""
        transport.set_protocol(connection)
        connection.connection_made(transport)
        if self._kept:
            connection.data_received(bytes(self._kept))
        transport.resume_reading()


def _client(transport: asyncio.Transport) -> str | None:
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else None


def _is_a_look(error: OSError, client: str | None) -> bool:
    """Tell whether somebody only looked whether the exporter is there: a probe of the port, or the health check."""
    if isinstance(error, ssl.SSLError):
        return error.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE" and client in _LOOPBACK
    return isinstance(error, ConnectionResetError)


def _reason(error: OSError) -> str:
    """Say why there is no connection, in OpenSSL's words and none of the client's."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "the client left").lower().replace("_", " ")
    return "the handshake took too long" if isinstance(error, ConnectionAbortedError) else type(error).__name__
