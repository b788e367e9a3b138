"""Who is let in: what a web configuration says of requests, before any handler is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from oxidized_exporter.errors import TooManyChecksError
from oxidized_exporter.metrics.exporter import RATE_LIMIT, TOO_MANY_CHECKS, UNAUTHORIZED
from oxidized_exporter.web import pages
from oxidized_exporter.web.answers import plain
from oxidized_exporter.web.state import EXPORTER
from oxidized_exporter.web.users import parse_authorization

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from oxidized_exporter.web.users import Users

# They need no user and are not counted: whoever watches the process asks, again and again.
_OPEN: Final = frozenset({pages.healthy, pages.ready})


@web.middleware
async def door(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let in who may ask, and not more of them than may."""
    web_config = request.app[EXPORTER].web_config
    if web_config is None or request.match_info.handler in _OPEN:
        return await handler(request)
    serving = await web_config.current()
    if serving.bucket is not None and not serving.bucket.take():
        _turned_away(request, reason=RATE_LIMIT)
        return plain("429 too many requests; the web configuration has a rate_limit", status=429)
    if serving.users:
        try:
            refusal = await _refusal(request, serving.users)
        except TooManyChecksError:
            _turned_away(request, reason=TOO_MANY_CHECKS)
            refusal = plain("503 too many passwords wait to be checked", status=503)
            refusal.headers[hdrs.RETRY_AFTER] = "1"
        if refusal is not None:
            return refusal
    return await handler(request)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers of the web configuration to every answer; those it has of its own it keeps, as in Go."""
    if web_config := request.app[EXPORTER].web_config:
        web_config.present.add_headers(response)


def _turned_away(request: web.Request, *, reason: str) -> None:
    exporter = request.app[EXPORTER]
    exporter.metrics.rejected(reason)
    exporter.failures.turned_away(client=request.remote, reason=reason)


async def _refusal(request: web.Request, users: Users) -> web.Response | None:
    credentials = parse_authorization(request.headers.getall(hdrs.AUTHORIZATION, []))
    if credentials is not None and await users.know(credentials, client=request.remote):
        return None
    exporter = request.app[EXPORTER]
    exporter.metrics.rejected(UNAUTHORIZED)
    if hdrs.AUTHORIZATION in request.headers:  # without, it is how a browser begins
        exporter.failures.user_refused(client=request.remote, malformed=credentials is None)
    response = plain("401 a user name and a password are needed", status=401)
    response.headers[hdrs.WWW_AUTHENTICATE] = "Basic"
    return response
