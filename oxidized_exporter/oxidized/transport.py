"""How a target is reached: one session per scrape, its names resolved under guard, its stages written down."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from multidict import CIMultiDict

from oxidized_exporter import __version__
from oxidized_exporter.oxidized.journal import Journal, Stage
from oxidized_exporter.oxidized.request_settings import NO_SETTINGS
from oxidized_exporter.oxidized.translate import translate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp.abc import AbstractResolver
    from aiohttp.connector import Connection

    from oxidized_exporter.oxidized.request_settings import RequestSettings

USER_AGENT: Final = f"oxidized_exporter/{__version__}"
_BUFFER_BYTES: Final = 1024 * 1024  # at each reading; with the library's 64 KiB a large list costs half as much again
# The deadline encloses everything, so the library's own five clocks are off.
_NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, connect=None, sock_read=None, sock_connect=None)


@asynccontextmanager
async def open_session(
    *, resolver: AbstractResolver, journal: Journal, connections: int, settings: RequestSettings = NO_SETTINGS
) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session for one scrape of one target and close its connections at the end, on cancellation too.

    Nothing outlives the scrape: no idle connection, no cookie, no cached name. Proxies named in the environment and
    credentials in ``~/.netrc`` are not looked at.

    Args:
        resolver: resolves names; not closed here.
        journal: gets the stages and the certificate's expiry.
        connections: how many at the same time.
        settings: TLS and headers. They go wherever the session goes: use it for one target only.
    """
    connector = _WitnessingConnector(
        journal=journal,
        resolver=resolver,
        use_dns_cache=False,
        limit=connections,
        ssl=True if settings.tls is None else settings.tls,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=_NO_TIMEOUT,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=CIMultiDict([("User-Agent", USER_AGENT), *((n, value.reveal()) for n, value in settings.headers)]),
        middlewares=(_fail_at_once,),
        trust_env=False,
        read_bufsize=_BUFFER_BYTES,
    ) as session:
        yield session


async def _fail_at_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Translate where the exception arises: aiohttp would send a lost GET once more by itself, uncounted."""
    try:
        return await handler(request)
    except (aiohttp.ClientError, OSError) as exception:
        raise translate(exception) from exception


class _WitnessingConnector(aiohttp.TCPConnector):
    """Notes the stages, and the expiry of the certificates: a short answer is over before a response can be asked.

    aiohttp's own tracing costs every request, of which there are many.
    """

    def __init__(self, *, journal: Journal, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._journal = journal

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the library's signature
    ) -> Connection:
        self._journal.enter(Stage.CONNECT)
        connection = await super().connect(req, traces, timeout)
        self._journal.enter(Stage.ANSWER)
        if connection.transport is not None:
            ssl_object = connection.transport.get_extra_info("ssl_object")
            if ssl_object is not None:
                self._journal.certificate_expiry = earliest_expiry(ssl_object)
        return connection


def earliest_expiry(ssl_object: ssl.SSLObject) -> float | None:
    """Return the earliest ``notAfter`` of the certificates that the server sent, Unix seconds.

    Python hands out the whole chain in parsed form only behind a private name (3.10 to 3.14); where that is missing,
    the server's own certificate is what counts.
    """
    get_chain = getattr(getattr(ssl_object, "_sslobj", None), "get_unverified_chain", None)
    certificates = [certificate.get_info() for certificate in get_chain()] if get_chain else None
    if not certificates:
        certificates = [ssl_object.getpeercert() or {}]
    times = [ssl.cert_time_to_seconds(str(c["notAfter"])) for c in certificates if "notAfter" in c]
    return float(min(times)) if times else None
