"""The TLS handshake of a connection whose client has begun it: ``loop.start_tls`` for what has been read already."""

from __future__ import annotations

import asyncio
from asyncio import sslproto
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ssl

_SECONDS: Final = 10
_GOODBYE_SECONDS: Final = 5.0  # for the client's half of the end, while answers under way are still sent


class _Tls(sslproto.SSLProtocol):
    """As asyncio's own, with a buffer for each connection that fits requests (asyncio's is 256 KiB)."""

    max_size = 16 * 1024


async def secured(
    transport: asyncio.Transport, read: bytes, *, protocol: asyncio.Protocol, context: ssl.SSLContext
) -> asyncio.Transport | None:
    """Do the handshake of a server, which ends in 10 s.

    On cancellation the connection is closed.

    Args:
        transport: paused; goes on with reading.
        read: what has come of the handshake.
        protocol: is given what comes behind the handshake.
        context: of the server.

    Returns:
        What ``protocol`` reads from; None where the client has left meanwhile.

    Raises:
        OSError: there was no handshake.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    tls = _Tls(
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
    return tls._app_transport  # noqa: SLF001 - as in loop.start_tls: nothing else tells it
