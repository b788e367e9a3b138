"""The TLS handshake of a connection whose client has begun it: ``loop.start_tls`` for what has been read already."""

from __future__ import annotations

import asyncio
from asyncio import sslproto
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    import ssl

_SECONDS: Final = 10
# For the client to read what has been written when the connection is closed, and to close its half.
_GOODBYE_SECONDS: Final = 30.0


class Tls(sslproto.SSLProtocol):
    """As asyncio's own, with a buffer for each connection that fits requests (asyncio's is 256 KiB).

    It says what asyncio's transport no longer can when it has been closed.
    """

    max_size = 16 * 1024

    @property
    def transport(self) -> asyncio.Transport | None:
        """What the protocol behind it reads from and writes to; None where the client has left."""
        return self._app_transport

    @property
    def unsent(self) -> int:
        """Bytes that the system has not taken yet, encrypted and not."""
        own: int = self._get_write_buffer_size()  # type: ignore[attr-defined] # the types leave it out
        return own + self._wire.get_write_buffer_size()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with the handshake."""
        self._wire = cast("asyncio.Transport", transport)
        super().connection_made(transport)

    def abort(self) -> None:
        """End the connection at once."""
        self._wire.abort()


async def secured(
    transport: asyncio.Transport, read: bytes, *, protocol: asyncio.Protocol, context: ssl.SSLContext
) -> Tls:
    """Do the handshake of a server, which ends in 10 s.

    On cancellation the connection is closed.

    Args:
        transport: paused; goes on with reading.
        read: what has come of the handshake.
        protocol: is given what comes behind the handshake.
        context: of the server.

    Returns:
        The encryption, between ``transport`` and ``protocol``.

    Raises:
        OSError: there was no handshake.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    tls = Tls(
        loop,
        protocol,
        context,
        done,
        server_side=True,
        call_connection_made=False,
        ssl_handshake_timeout=_SECONDS,
        ssl_shutdown_timeout=_GOODBYE_SECONDS,
    )
    transport.set_protocol(tls)
    tls.connection_made(transport)
    while read:
        buffer = tls.get_buffer(len(read))
        fits = min(len(buffer), len(read))
        buffer[:fits] = read[:fits]
        tls.buffer_updated(fits)
        read = read[fits:]
    transport.resume_reading()
    try:
        await done
    except BaseException:
        transport.close()
        raise
    return tls
