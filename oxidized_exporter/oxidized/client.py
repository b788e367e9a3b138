"""The questions that Oxidized is asked: a closed set of reads."""

from __future__ import annotations

import asyncio
import contextlib
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp.hdrs import CONTENT_LENGTH, CONTENT_TYPE
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
from oxidized_exporter.oxidized.journal import SUCCESS, Journal, Stage
from oxidized_exporter.oxidized.translate import translate

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxidized_exporter.config import Limits
    from oxidized_exporter.oxidized.configuration import Configuration
    from oxidized_exporter.oxidized.request_settings import RequestSettings
    from oxidized_exporter.targets.url import Target

_HTML: Final = "html"  # text/html, and application/xhtml+xml
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
        await self._read(Route.FETCH, path, take=counting.add, may_be_html=False)
        return counting.configuration()

    async def _get(self, route: Route, path: str) -> bytearray:
        body = bytearray()
        await self._read(route, path, take=body.extend)
        return body

    async def _read(self, route: Route, path: str, *, take: Callable[[bytes], None], may_be_html: bool = True) -> None:
        """Ask until there is an answer or trying again makes no sense, and give its body to ``take`` as it comes."""
        try:
            response = await self._answer(route, path)
        except ProbeError as error:
            if not error.retryable:
                raise
            response = await self._answer_again(route, path, error)
        self._journal.enter(Stage.BODY)
        limit, size = self._limits.body_bytes, 0
        # Ends in the same three branches as `_answer`: as a context manager they cost a request a tenth of its time.
        try:
            async with response:
                headers = response.headers  # the response's own properties parse them
                if not may_be_html and _HTML in headers.get(CONTENT_TYPE, "").lower():
                    raise SchemaError("the answer is a web page, and no configuration")
                if int(headers.get(CONTENT_LENGTH, 0)) > limit:
                    raise TooLargeError(f"the body is larger than {limit} bytes")
                while chunk := await response.content.readany():
                    size += len(chunk)
                    if size > limit:
                        raise TooLargeError(f"the body is larger than {limit} bytes")
                    take(chunk)
        except (aiohttp.ClientError, OSError) as exception:
            raise self._failed(route, translate(exception, in_body=True)) from exception
        except ProbeError as error:
            raise self._failed(route, error) from None
        except asyncio.CancelledError:
            self._journal.ended(route, ProbeTimeoutError.reason)
            raise
        self._journal.ended(route, SUCCESS, size)

    async def _answer(self, route: Route, path: str) -> aiohttp.ClientResponse:
        """Make one attempt, redirects included; return an answer with status 200, of which the body is to be read."""
        target = self._target
        try:
            for _ in range(redirect.MOST + 1):
                response = await self._session.get(
                    target.url(path),
                    allow_redirects=False,
                    proxy=self._settings.proxy,
                    server_hostname=self._settings.server_name,
                )
                if response.status == _OK:
                    return response
                target = await self._target_instead(response, target=target, route=route, path=path)
            raise RedirectError(f"there are more than {redirect.MOST} redirects")
        except (aiohttp.ClientError, OSError) as exception:
            raise self._failed(route, translate(exception)) from exception
        except ProbeError as error:
            raise self._failed(route, error) from None
        except asyncio.CancelledError:
            self._journal.ended(route, ProbeTimeoutError.reason)  # or nobody waits for it any more
            raise

    async def _target_instead(
        self, response: aiohttp.ClientResponse, *, target: Target, route: Route, path: str
    ) -> Target:
        """Return where a redirect leads, or raise the `ProbeError` that the status stands for."""
        try:
            if self._settings.follow_redirects and response.status in redirect.STATUSES:
                location = response.headers.get("Location")
                instead = redirect.redirected(location, origin=target, path=path, permits=self._permits)
                self._journal.note("the redirect is followed: it stays with this origin and this route")
                self._journal.ended(route, SUCCESS)  # each hop is a request of its own
                return instead
            raise await _error_of(response)
        finally:
            response.close()

    async def _answer_again(self, route: Route, path: str, error: ProbeError) -> aiohttp.ClientResponse:
        """Go on after a first attempt; what most requests do not need costs as much as asking."""
        failed: list[ProbeError] = [error]

        async def attempt() -> aiohttp.ClientResponse:
            if failed:
                raise failed.pop()
            return await self._answer(route, path)

        remaining = self._deadline() - asyncio.get_running_loop().time()
        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, ProbeError) and error.retryable),
            stop=stop_any(stop_after_attempt(self._limits.attempts), stop_before_delay(remaining)),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            before_sleep=self._note_retry,
            reraise=True,
        )
        return await retrying(attempt)

    def _note_retry(self, state: RetryCallState) -> None:
        self._journal.enter(Stage.RETRY)
        seconds = f"{state.upcoming_sleep:.3f}"
        self._journal.note(
            "attempt {} of {} failed; the next in {} s", state.attempt_number, self._limits.attempts, seconds
        )

    def _failed(self, route: Route, error: ProbeError) -> ProbeError:
        """Write down that an attempt has ended in ``error``, which is returned."""
        self._journal.note("failed, {}: {}", error.reason, error)
        self._journal.ended(route, error.reason)
        return error


async def _error_of(response: aiohttp.ClientResponse) -> ProbeError:
    """Return what a status other than 200 stands for."""
    status = response.status
    if status == _UNAUTHORIZED:
        return AuthError("the answer was 401: credentials are missing or wrong")
    if status == _FORBIDDEN:
        if _HOST_NOT_PERMITTED in await _beginning(response):
            return HostNotPermittedError("the answer was 403 Host not permitted: see Oxidized's setting vhosts")
        return AuthError("the answer was 403: access is not allowed")
    if status == _PROXY_AUTHENTICATION:
        return ProxyError("the answer was 407: the proxy wants credentials")
    if 300 <= status < 400:  # noqa: PLR2004 - the class of redirects
        return RedirectError(f"the answer was a redirect ({status}), which is not followed")
    return HttpStatusError(f"the answer was {status}", retryable=status in _PASSING_FAULTS)


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """Return the first bytes of the body of an error, or what of them there is: the status alone says enough."""
    found = b""
    with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while len(found) < _BEGINNING_BYTES and (chunk := await response.content.read(_BEGINNING_BYTES)):
                found += chunk
    return found
