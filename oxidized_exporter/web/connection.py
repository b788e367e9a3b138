"""One connection: how long it may ask nothing or read nothing, and what becomes of requests that are no HTTP.

These aiohttp answers before any handler of ours is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog
from aiohttp import web

from oxidized_exporter.errors import place
from oxidized_exporter.web.answers import plain
from oxidized_exporter.web.state import EXPORTER

if TYPE_CHECKING:
    import asyncio

    from aiohttp.web_request import BaseRequest

    from oxidized_exporter.web.connections import Connections
    from oxidized_exporter.web.handshake import Tls
    from oxidized_exporter.web.waiting import Waiting

_log = structlog.stdlib.get_logger(__name__)

# Of an unfinished head, in which aiohttp would take 128 headers of 8 KiB and hold them twice. The last bytes that are
# read at once come on top.
_MOST_HEAD_BYTES: Final = 64 * 1024


class Connection(web.RequestHandler):
    """One connection of a client; says what is wrong without a word of what was sent, which may hold a password."""

    __slots__ = ("_app", "_connections", "_head_bytes", "_tls", "_unsent_before", "_waiting", "_wire")

    def __init__(
        self,
        manager: web.Server,
        *,
        loop: asyncio.AbstractEventLoop,
        app: web.Application,
        connections: Connections,
        tls: Tls | None = None,
    ) -> None:
        """Serve a connection for ``manager``, which serves ``app``, without an access log.

        It is silent until the head of its first request has come, unread while an answer is not read, idle from each
        answer to the next head's first bytes, and silent until the end of that.

        Args:
            manager: aiohttp's own.
            loop: the running one.
            app: what is served.
            connections: the others.
            tls: what encrypts it, where something does.
        """
        # Nobody reads a body; unpacked only to be thrown away it would hold the loop for seconds.
        super().__init__(
            manager,
            loop=loop,
            access_log=None,  # type: ignore[arg-type] # as aiohttp's own runner does
            auto_decompress=False,
        )
        self._app = app
        self._connections = connections
        self._tls = tls
        self._wire: asyncio.Transport | None = None  # aiohttp forgets its own when it begins to close
        self._waiting: Waiting | None = None
        self._unsent_before = 0
        self._head_bytes = 0

    @property
    def unsent(self) -> int:
        """Bytes of answers that the system has not taken yet."""
        if self._tls is not None:
            return self._tls.unsent
        return 0 if self._wire is None else self._wire.get_write_buffer_size()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wire = self.transport
        self._connections.add(self)
        self._wait_in(self._connections.silent)

    def data_received(self, data: bytes) -> None:
        """Read what has come; with the head of a request the wait ends, unless it is for an answer to be read."""
        super().data_received(data)
        if self._messages:
            if not self.writing_paused:
                self._wait_in(None)
            return
        # aiohttp waits for no request while a body that nobody reads still comes; empty lines are none (RFC 9112, 2.2)
        if self._waiter is not None and data.strip(b"\r\n"):
            if self._waiting is self._connections.idle:
                self._wait_in(self._connections.silent)
            self._head_bytes += len(data)
            if self._head_bytes > _MOST_HEAD_BYTES:
                self.abort()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._wait_in(self._connections.unread)

    def resume_writing(self) -> None:
        """Go on with the answer: the client has read."""
        super().resume_writing()
        self._wait_in(None)

    async def finish_response(
        self, request: BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Write an answer, and begin to wait for the next request.

        An exception of aiohttp's comes from before our handlers, and its text repeats what was sent (Expect).
        """
        if isinstance(resp, web.HTTPException):
            resp = plain(f"{resp.status} {resp.reason}", status=resp.status)
        finished = await super().finish_response(request, resp, start_time)
        if self.transport is not None and not self._messages:
            self._wait_in(self._connections.unread if self.unsent else self._connections.idle)
        return finished

    def connection_lost(self, exc: BaseException | None) -> None:
        """Wait no longer."""
        super().connection_lost(exc)
        self._wait_in(None)
        self._connections.remove(self)
        self._tls = self._wire = None

    def give_up(self, *, late: bool) -> None:
        """End the connection: it has waited too long, or longest. A client that has read meanwhile is waited for."""
        unread, self._waiting = self._waiting is self._connections.unread, None
        if late and unread and self.unsent < self._unsent_before:
            self._wait_in(self._connections.unread if self.unsent else self._connections.idle)
        else:
            self.abort()

    def abort(self) -> None:
        """End it at once; what is unsent is lost."""
        self._connections.remove(self)
        if end := self._tls or self._wire:
            end.abort()

    def _wait_in(self, waiting: Waiting | None) -> None:
        if self._waiting is not None:
            self._waiting.end(self)
        self._waiting = waiting
        if waiting is not None:
            self._unsent_before = self.unsent
            self._head_bytes = 0
            waiting.begin(self)

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes the request
    ) -> web.StreamResponse:
        """Answer a request that could not be read, or that no handler saw to its end."""
        exporter = self._app[EXPORTER]
        exporter.failures.broken(client=request.remote, status=status, error=type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun, there is no place for another one")
        response = plain(f"{status} the request could not be read", status=status)
        if exporter.web_config is not None:
            exporter.web_config.present.add_headers(response)
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log what aiohttp cannot help, without the message of an exception."""
        error = kw.get("exc_info")
        said = place(error) if isinstance(error, BaseException) else "unknown"
        _log.error("request failed", detail=str(args[0]) if args else "", error=said)
