"""What becomes of requests that are no HTTP: aiohttp answers them before any handler of ours is asked."""

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


_log = structlog.stdlib.get_logger(__name__)


class Connection(web.RequestHandler):
    """One connection of a client; says what is wrong without a word of what was sent, which may hold a password."""

    __slots__ = ("_app",)

    def __init__(self, manager: web.Server, *, loop: asyncio.AbstractEventLoop, app: web.Application) -> None:
        """Serve a connection for ``manager``, which serves ``app``, without an access log."""
        super().__init__(manager, loop=loop, access_log=None)  # type: ignore[arg-type] # as aiohttp's own runner does
        self._app = app

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
