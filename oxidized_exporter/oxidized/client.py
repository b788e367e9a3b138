"""The questions that Oxidized is asked: a closed set of reads."""

from __future__ import annotations

import asyncio
import contextlib
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import aiohttp
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_any,
    stop_before_delay,
    wait_random_exponential,
)

from oxidized_exporter.errors import (
    AuthError,
    HostNotPermittedError,
    HttpStatusError,
    ProbeError,
    ProbeTimeoutError,
    ProxyError,
    RedirectError,
    SchemaError,
    TooLargeError,
)
from oxidized_exporter.oxidized import redirect
from oxidized_exporter.oxidized.configuration import Counting
from oxidized_exporter.oxidized.journal import SUCCESS, Journal, Request, Stage
from oxidized_exporter.oxidized.translate import translate

if TYPE_CHECKING:
    from collections.abc import Callable

    from yarl import URL

    from oxidized_exporter.config import Limits
    from oxidized_exporter.oxidized.configuration import Configuration
    from oxidized_exporter.oxidized.request_settings import RequestSettings
    from oxidized_exporter.targets.url import Target

_HTML: Final = "text/html"
_OK: Final = 200
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_PROXY_AUTHENTICATION: Final = 407
_PASSING_FAULTS: Final = frozenset({502, 503, 504})  # a proxy whose Oxidized is just coming back
_BEGINNING_BYTES: Final = 128
_PATIENCE_SECONDS: Final = 1.0
_HOST_NOT_PERMITTED: Final = b"Host not permitted"  # rack-protection's words, oxidized-web from 0.15 on


class Route(StrEnum):
    """What can be asked, by name; the value is the label of ``oxidized_exporter_upstream_requests_total``."""

    NODES = "nodes"
    STATS = "stats"
    FETCH = "fetch"


_NODES_PATH: Final = "/nodes.json"
_STATS_PATH: Final = "/nodes/stats"


class OxidizedClient:
    """Asks one Oxidized instance during one scrape.

    Every method raises a `ProbeError` where there is no usable answer. On cancellation (the deadline) the connection
    under way is dropped.
    """

    def __init__(
        self,
        *,
        session: aiohttp.ClientSession,
        target: Target,
        settings: RequestSettings,
        permits: Callable[[Target], bool],
        journal: Journal,
        limits: Limits,
        deadline: Callable[[], float],
    ) -> None:
        """Bind the client to one target.

        Args:
            session: belongs to the caller, and was opened with ``settings``.
            target: whom to ask.
            settings: the connection's settings.
            permits: whether a redirect may lead to another target.
            journal: gets a `Request` for each attempt.
            limits: bounds of a body and of the attempts.
            deadline: tells until when somebody waits, in the running loop's time; no attempt begins after it.
        """
        self._session = session
        self._target = target
        self._settings = settings
        self._permits = permits
        self._journal = journal
        self._limits = limits
        self._deadline = deadline

    async def nodes(self) -> bytearray:
        """Return the body of ``/nodes.json``, which holds secrets: decode it and let it go."""
        return await self._get(Route.NODES, _NODES_PATH)

    async def stats(self) -> bytearray:
        """Return the body of ``/nodes/stats``, which is HTML."""
        return await self._get(Route.STATS, _STATS_PATH)

    async def configuration(self, path: str, *, hold: bool) -> Configuration | None:
        """Ask for a stored configuration, and count it while it comes.

        Args:
            path: from `fetch_path`.
            hold: whether to hold its text, up to 16 MiB.

        Returns:
            None where there is none: an empty body, or one of the texts that Oxidized sends in its place with 200.
        """
        counting = Counting(hold=hold)
        await self._read(Route.FETCH, path, take=counting.add, page=False)
        return counting.configuration()

    async def _get(self, route: Route, path: str) -> bytearray:
        body = bytearray()
        await self._read(route, path, take=body.extend)
        return body

    async def _read(self, route: Route, path: str, *, take: Callable[[bytes], None], page: bool = True) -> None:
        """Ask, and give the body to ``take`` as it comes; ``page`` tells whether it may be HTML."""
        response = await self._answer(route, path)
        self._journal.enter(Stage.BODY)
        limit, size = self._limits.body_bytes, 0
        with _Noting(self._journal, route):
            try:
                async with response:
                    if not page and response.content_type == _HTML:
                        raise SchemaError("the answer is a web page, and no configuration")
                    if (response.content_length or 0) > limit:
                        raise TooLargeError(f"the body is larger than {limit} bytes")
                    while chunk := await response.content.readany():
                        size += len(chunk)
                        if size > limit:
                            raise TooLargeError(f"the body is larger than {limit} bytes")
                        take(chunk)
            except (aiohttp.ClientError, OSError) as exception:
                raise translate(exception, in_body=True) from exception

    async def _answer(self, route: Route, path: str) -> aiohttp.ClientResponse:
        """Ask until there is an answer with a body to read, or trying again makes no sense."""
        try:
            return await self._ask_once(route, path)
        except ProbeError as error:
            if not error.retryable:
                raise
            return await self._answer_again(route, path, error)

    async def _answer_again(self, route: Route, path: str, error: ProbeError) -> aiohttp.ClientResponse:
        """Go on after a first attempt; what most requests do not need costs as much as asking."""
        failed: list[ProbeError] = [error]

        async def attempt() -> aiohttp.ClientResponse:
            if failed:
                raise failed.pop()
            return await self._ask_once(route, path)

        remaining = self._deadline() - asyncio.get_running_loop().time()
        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, ProbeError) and error.retryable),
            stop=stop_any(stop_after_attempt(self._limits.attempts), stop_before_delay(remaining)),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            before_sleep=self._note_retry,
            reraise=True,
        )
        return await retrying(attempt)

    def _note_retry(self, _state: RetryCallState) -> None:
        self._journal.enter(Stage.RETRY)

    async def _ask_once(self, route: Route, path: str) -> aiohttp.ClientResponse:
        target = self._target
        for _ in range(redirect.MOST + 1):
            response = await self._ask(route, target.url(path))
            if response.status not in redirect.STATUSES:
                return response
            location = response.headers.get("Location")
            response.close()
            with _Noting(self._journal, route):
                target = redirect.redirected(location, origin=target, path=path, permits=self._permits)
        with _Noting(self._journal, route):
            raise RedirectError(f"there are more than {redirect.MOST} redirects")

    async def _ask(self, route: Route, url: URL) -> aiohttp.ClientResponse:
        with _Noting(self._journal, route, failures_only=True):  # of a success the body says whether it is one
            try:
                response = await self._session.get(
                    url,
                    allow_redirects=False,
                    proxy=self._settings.proxy,
                    server_hostname=self._settings.server_name,
                )
            except (aiohttp.ClientError, OSError) as exception:
                raise translate(exception) from exception
            try:
                if not (self._settings.follow_redirects and response.status in redirect.STATUSES):
                    await _require_ok(response)
            except BaseException:
                response.close()
                raise
            return response


class _Noting:
    """Writes down how an attempt ended; one that is cancelled met the deadline, or nobody waits for it any more."""

    __slots__ = ("_failures_only", "_journal", "_route")

    def __init__(self, journal: Journal, route: Route, *, failures_only: bool = False) -> None:
        self._journal = journal
        self._route = route
        self._failures_only = failures_only

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if error is None and not self._failures_only:
            self._note(SUCCESS)
        elif isinstance(error, ProbeError):
            self._note(error.reason)
        elif isinstance(error, asyncio.CancelledError):
            self._note(ProbeTimeoutError.reason)

    def _note(self, result: str) -> None:
        self._journal.requests[Request(self._route, result)] += 1


async def _require_ok(response: aiohttp.ClientResponse) -> None:
    """Raise the `ProbeError` that the status stands for, unless it is 200."""
    status = response.status
    if status == _OK:
        return
    if status == _UNAUTHORIZED:
        raise AuthError("the answer was 401: credentials are missing or wrong")
    if status == _FORBIDDEN:
        if _HOST_NOT_PERMITTED in await _beginning(response):
            raise HostNotPermittedError("the answer was 403 Host not permitted: see Oxidized's setting vhosts")
        raise AuthError("the answer was 403: access is not allowed")
    if status == _PROXY_AUTHENTICATION:
        raise ProxyError("the answer was 407: the proxy wants credentials")
    if 300 <= status < 400:  # noqa: PLR2004 - the class of redirects
        raise RedirectError(f"the answer was a redirect ({status}), which is not followed")
    raise HttpStatusError(f"the answer was {status}", retryable=status in _PASSING_FAULTS)


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """Return the first bytes of the body of an error, or what of them there is: the status alone says enough."""
    found = b""
    with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while len(found) < _BEGINNING_BYTES and (chunk := await response.content.read(_BEGINNING_BYTES)):
                found += chunk
    return found
