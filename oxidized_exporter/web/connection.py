"""One connection: how long it may ask nothing, and what becomes of requests that are no HTTP.

These aiohttp answers before any handler of ours is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web

from oxidized_exporter.errors import place
from oxidized_exporter.web.answers import plain
from oxidized_exporter.web.state import EXPORTER

if TYPE_CHECKING:
    import asyncio

    from aiohttp.web_request import BaseRequest

    from oxidized_exporter.web.waiting import Waiting

_log = structlog.stdlib.get_logger(__name__)


class Connection(web.RequestHandler):
    """One connection of a client; says what is wrong without a word of what was sent, which may hold a password."""

    __slots__ = ("_app", "_idle", "_silent")

    def __init__(
        self,
        manager: web.Server,
        *,
        loop: asyncio.AbstractEventLoop,
        app: web.Application,
        silent: Waiting,
        idle: Waiting,
    ) -> None:
        """Serve a connection for ``manager``, which serves ``app``, without an access log.

        It is ``silent`` until the head of its first request has come, and ``idle`` from each answer to the next head.
        """
        super().__init__(manager, loop=loop, access_log=None)  # type: ignore[arg-type] # as aiohttp's own runner does
        self._app = app
        self._silent = silent
        self._idle = idle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._silent.begin(self)

    def data_received(self, data: bytes) -> None:
        """Read what has come; with the head of a request the wait ends."""
        super().data_received(data)
        if self._messages:
            self._silent.end(self)
            self._idle.end(self)

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
            self._idle.begin(self)
        return finished

    def connection_lost(self, exc: BaseException | None) -> None:
        """Wait no longer."""
        super().connection_lost(exc)
        self._silent.end(self)
        self._idle.end(self)

    def give_up(self, *, late: bool) -> None:  # noqa: ARG002 - nothing else is done where it is not
        """End the connection: it has waited too long, or longest."""
        if self.transport is not None:
            self.transport.abort()

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
