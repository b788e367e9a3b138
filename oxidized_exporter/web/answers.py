"""Answers: exposition in the form that the scraper wants, and plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from oxidized_exporter.metrics.exposition import accepts_gzip, body_of, negotiate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prometheus_client.registry import Collector

    from oxidized_exporter.workers import Workers

NO_SNIFF: Final = {"X-Content-Type-Options": "nosniff"}


async def exposition(request: web.Request, collector: Collector, *, workers: Workers, large: bool) -> web.Response:
    """Write the families of ``collector`` in the scraper's format, in a thread of ``workers``.

    On cancellation the writing ends.
    """
    chosen = negotiate(request.headers.get(hdrs.ACCEPT))
    wanted = accepts_gzip(request.headers.get(hdrs.ACCEPT_ENCODING))
    body, gzipped = await workers.run(
        lambda still_wanted: body_of(
            _while_wanted(chosen.encode(collector), still_wanted), gzip_accepted=wanted, beside=workers.beside
        ),
        large=large,
    )
    headers = {hdrs.CONTENT_TYPE: chosen.content_type, hdrs.VARY: "Accept, Accept-Encoding", **NO_SNIFF}
    if gzipped:
        headers[hdrs.CONTENT_ENCODING] = "gzip"
    return web.Response(body=body, headers=headers)


def _while_wanted(pieces: Iterable[bytes], still_wanted: Callable[[], None]) -> Iterator[bytes]:
    for piece in pieces:
        still_wanted()
        yield piece


def plain(text: str | bytes, *, status: int = 200) -> web.Response:
    """Answer with text, to which a line end is added where it is not encoded yet."""
    body = text if isinstance(text, bytes) else f"{text}\n".encode()
    return web.Response(body=body, content_type="text/plain", charset="utf-8", status=status, headers=NO_SNIFF)
