"""What happens between a connection that was accepted and its first request: the TLS handshake."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import TYPE_CHECKING, Final, cast

import structlog

from oxidized_exporter.errors import place
from oxidized_exporter.web.handshake import secured
from oxidized_exporter.web.tls import is_allowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxidized_exporter.web.failure_log import FailureLog
    from oxidized_exporter.web.waiting import Waiting
    from oxidized_exporter.web.web_config_in_force import WebConfigInForce

_log = structlog.stdlib.get_logger(__name__)

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})


class Openings:
    """The connections of listeners that have been accepted, and are not served yet."""

    def __init__(
        self,
        web_config: WebConfigInForce,
        make_connection: Callable[..., asyncio.Protocol],
        *,
        silent: Waiting,
        failures: FailureLog,
    ) -> None:
        """Open connections as ``web_config`` says, and hand each to a protocol that ``make_connection`` makes.

        It is given the encryption as ``tls`` where there is some.

        Those that are opened are ``silent`` until then. What fails is told to ``failures``.
        """
        self._web_config = web_config
        self._failures = failures
        self._make_connection = make_connection
        self._silent = silent
        self._present: dict[_Opening, asyncio.Task[None] | None] = {}
        self._fewer = asyncio.Event()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._present)

    def accept(self) -> asyncio.Protocol:
        """Return the protocol of a connection that is being accepted."""
        return _Opening(self)

    async def ended(self, *, seconds: float) -> None:
        """Wait until all have been opened or have failed, but no longer than ``seconds``.

        Without TLS there is nothing to wait for on those that have sent nothing.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while any(task or self._web_config.present.context for task in self._present.values()):
                    self._fewer.clear()
                    await self._fewer.wait()

    async def close(self) -> None:
        """End those that are still being opened."""
        tasks = [task for task in self._present.values() if task]
        for task in tasks:
            task.cancel()
        for opening in list(self._present):
            opening.give_up(late=False)
        await asyncio.gather(*tasks, return_exceptions=True)

    def accepted(self, opening: _Opening) -> None:
        """Wait for the first bytes of a connection; until then it costs little."""
        self._present[opening] = None
        self._silent.begin(opening)

    def begin(self, opening: _Opening, transport: asyncio.Transport) -> None:
        """Open a connection in a task of its own."""
        task = asyncio.get_running_loop().create_task(self._open(opening, transport))
        self._present[opening] = task
        task.add_done_callback(lambda _: self.end(opening))

    def end(self, opening: _Opening) -> None:
        """Forget a connection that is opened, or was left."""
        self._silent.end(opening)
        self._present.pop(opening, None)
        self._fewer.set()

    def late(self, transport: asyncio.Transport) -> None:
        """Tell of a client that took too long."""
        if self._web_config.present.context:
            self._failures.unsecured(client=_client(transport), reason="the handshake took too long")

    async def _open(self, opening: _Opening, transport: asyncio.Transport) -> None:
        """Open one connection, or end it."""
        client, served = _client(transport), False
        try:
            served = await self._hand_over(opening, transport, client=client)
        except OSError as error:  # `ssl.SSLError` too
            if not _is_a_look(error, client):
                self._failures.unsecured(client=client, reason=_reason(error))
        except Exception as error:  # noqa: BLE001 - nobody else would tell
            _log.error("bug: unexpected exception while opening a connection", error=place(error))
        finally:
            if not served:
                transport.abort()

    async def _hand_over(self, opening: _Opening, transport: asyncio.Transport, *, client: str | None) -> bool:
        """Hand a connection over; tell whether there was one to hand over, by a client who may ask.

        Raises:
            OSError: there was no handshake.
        """
        self._silent.end(opening)  # while the file is looked at, for a second at most, it is not the client who waits
        serving = await self._web_config.current()
        if opening.lost:
            return False
        if serving.context is None:
            opening.hand_over(transport, self._make_connection())
            return True
        self._silent.begin(opening)
        tls = await secured(transport, opening.taken(), protocol=opening, context=serving.context)
        served = tls.transport
        if served is None or opening.lost:
            return False
        if not is_allowed(served.get_extra_info("peercert"), names=serving.allowed_names):
            self._failures.unsecured(client=client, reason="the certificate has none of client_allowed_sans")
            return False
        opening.hand_over(served, self._make_connection(tls=tls))
        return True


class _Opening(asyncio.Protocol):
    """Keeps what comes, first of the handshake, then behind it, until the connection is served."""

    def __init__(self, openings: Openings) -> None:
        self._openings = openings
        self._transport: asyncio.Transport | None = None
        self._kept = bytearray()
        self._begun = False
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._openings.accepted(self)

    def data_received(self, data: bytes) -> None:
        self._kept += data
        if not self._begun and self._transport:
            self._begun = True
            self._transport.pause_reading()
            self._openings.begin(self, self._transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self.lost = True
        if not self._begun:
            self._openings.end(self)

    def give_up(self, *, late: bool) -> None:
        if self._transport:
            if late:
                self._openings.late(self._transport)
            self._transport.abort()

    def taken(self) -> bytes:
        """Return what was kept, and keep it no longer."""
        kept = bytes(self._kept)
        self._kept.clear()
        return kept

    def hand_over(self, transport: asyncio.Transport, connection: asyncio.Protocol) -> None:
        """Let ``connection`` serve from here on."""
        self._openings.end(self)
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
