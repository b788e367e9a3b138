"""How a target is reached: one session per scrape, its names resolved under guard, its stages written down."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

import aiohttp
from aiohttp.client_proto import ResponseHandler
from multidict import CIMultiDict

from oxidized_exporter import __version__
from oxidized_exporter.errors import ProtocolError
from oxidized_exporter.oxidized.journal import Journal, Stage
from oxidized_exporter.oxidized.request_settings import NO_SETTINGS
from oxidized_exporter.oxidized.trace import Trace
from oxidized_exporter.oxidized.translate import translate

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator

    from aiohttp.abc import AbstractResolver
    from aiohttp.connector import Connection
    from aiohttp.http_parser import RawResponseMessage

    from oxidized_exporter.oxidized.request_settings import RequestSettings

USER_AGENT: Final = f"oxidized_exporter/{__version__}"
_BUFFER_BYTES: Final = 1024 * 1024  # at each reading; with the library's 64 KiB a large list costs half as much again
_MOST_INTERIM: Final = 10  # at once before an answer; a server has hardly one to say, and Go's client takes five
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
        journal: gets the stages and the certificate's expiry; a `Trace` is told of all that the session does.
        connections: how many at the same time.
        settings: TLS and headers. They go wherever the session goes: use it for one target only.
    """
    connector = _WitnessingConnector(
        journal=journal,
        resolver=resolver,
        use_dns_cache=False,
        limit=connections,
        ssl=True if settings.tls is None else settings.tls,
        socket_factory=journal.make_socket if isinstance(journal, Trace) else None,
    )
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=_NO_TIMEOUT,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=CIMultiDict([("User-Agent", USER_AGENT), *((n, value.reveal()) for n, value in settings.headers)]),
        middlewares=(connector.once_more_where_reused,),
        trust_env=False,
        read_bufsize=_BUFFER_BYTES,
        trace_configs=[journal.trace_config()] if isinstance(journal, Trace) else None,
    ) as session:
        yield session


class _WitnessingConnector(aiohttp.TCPConnector):
    """Notes the stages, and the expiry of the certificates: a short answer is over before a response can be asked.

    aiohttp's own tracing costs every request, of which there are many. What follows from a lost idle connection is
    decided here, too: only who hands connections out knows which have lain idle.
    """

    def __init__(self, *, journal: Journal, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        handler: type[ResponseHandler] = _Answers
        self._factory = partial(handler, loop=self._loop)  # aiohttp's own name: it has no other way to choose one
        self._journal = journal
        self._known: WeakSet[asyncio.BaseTransport] = WeakSet()
        # Requests that did not go out on a connection that had served others and lain idle.
        self._without_idle_one: WeakSet[aiohttp.ClientRequest] = WeakSet()

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the library's signature
    ) -> Connection:
        self._journal.enter(Stage.CONNECT)
        try:
            connection = await super().connect(req, traces, timeout)
        except BaseException:
            self._without_idle_one.add(req)
            raise
        self._journal.enter(Stage.ANSWER)
        transport = connection.transport
        if transport is not None and transport not in self._known:
            self._known.add(transport)
            self._without_idle_one.add(req)
            if (ssl_object := transport.get_extra_info("ssl_object")) is not None:
                self._journal.certificate_expiry = earliest_expiry(ssl_object)
                self._journal.note("{}, {}", ssl_object.version(), (ssl_object.cipher() or ("no cipher",))[0])
        return connection

    async def once_more_where_reused(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Translate where the exception arises: aiohttp would send a lost GET once more by itself, uncounted.

        That an idle connection was lost says nothing of the server, which may close one whenever it likes (RFC 9112,
        9.3.1): then it is no attempt, and another connection is taken at once.
        """
        while True:
            try:
                return await handler(request)
            except (aiohttp.ClientError, OSError) as exception:
                error = translate(exception)
                if not error.retryable or request in self._without_idle_one:
                    raise error from exception
                self._journal.note("the server had closed the idle connection: another one is taken")
                # Ends: with each turn there is one idle connection less in the pool.


class _Answers(ResponseHandler):
    """Takes a few heads of answers in advance: while interim ones (1xx) are read without end, nothing else is done.

    Those that come one by one are not counted: between them everybody has a turn, and the deadline comes.
    """

    def feed_data(self, data: tuple[RawResponseMessage, aiohttp.StreamReader], size: int = 0) -> None:
        """Take the head of an answer."""
        if len(self) <= _MOST_INTERIM:
            super().feed_data(data, size)
        elif self.exception() is None:
            self.set_exception(ProtocolError(f"more than {_MOST_INTERIM} interim answers (1xx) came before an answer"))


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
