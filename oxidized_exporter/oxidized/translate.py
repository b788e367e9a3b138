"""The one place where exceptions of the HTTP client become a `ProbeError`."""

from __future__ import annotations

import errno
import os
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import client_exceptions as raised

from oxidized_exporter.errors import (
    ConnectError,
    DnsError,
    NotJsonError,
    ProbeError,
    ProbeTimeoutError,
    ProtocolError,
    ProxyError,
    RedirectError,
    TargetDeniedError,
    TlsError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one exception class says; the operating system's own words may be added to ``text``."""

    error: type[ProbeError]
    text: str
    retryable: bool = False


MEANINGS: Final[dict[type[BaseException], Meaning]] = {
    # Reaching the other side.
    raised.ClientConnectorDNSError: Meaning(DnsError, "the name was not resolved"),
    raised.ClientConnectorError: Meaning(ConnectError, "no connection"),
    raised.UnixClientConnectorError: Meaning(ConnectError, "no connection"),
    raised.ClientProxyConnectionError: Meaning(ProxyError, "no connection to the proxy"),
    raised.ClientHttpProxyError: Meaning(ProxyError, "the proxy refused to connect"),
    raised.ClientSSLError: Meaning(TlsError, "the TLS handshake failed"),
    raised.ClientConnectorSSLError: Meaning(TlsError, "the TLS handshake failed"),
    raised.ClientConnectorCertificateError: Meaning(TlsError, "the certificate was not accepted"),
    raised.ServerFingerprintMismatch: Meaning(TlsError, "the certificate has another fingerprint"),
    # Losing the connection before an answer.
    raised.ClientConnectionError: Meaning(ConnectError, "the connection was lost"),
    raised.ClientOSError: Meaning(ConnectError, "the connection was lost"),
    raised.ClientConnectionResetError: Meaning(ConnectError, "the connection was reset", retryable=True),
    raised.ServerConnectionError: Meaning(ProtocolError, "the server broke off"),
    raised.ServerDisconnectedError: Meaning(
        ProtocolError, "the server closed the connection without an answer", retryable=True
    ),
    # Time-outs of the client library, which are switched off: the deadline is this package's own.
    raised.ServerTimeoutError: Meaning(ProbeTimeoutError, "the server took too long"),
    raised.ConnectionTimeoutError: Meaning(ProbeTimeoutError, "connecting took too long"),
    raised.SocketTimeoutError: Meaning(ProbeTimeoutError, "the server took too long"),
    # Broken HTTP.
    raised.ClientError: Meaning(ProtocolError, "the exchange failed"),
    raised.ClientResponseError: Meaning(ProtocolError, "the answer is not HTTP"),
    raised.ClientPayloadError: Meaning(ProtocolError, "the body is cut or broken"),
    raised.UploadAbortedError: Meaning(ProtocolError, "the server broke off"),
    raised.ContentTypeError: Meaning(NotJsonError, "the content type is not JSON"),
    raised.WSServerHandshakeError: Meaning(ProtocolError, "the answer is not HTTP"),
    raised.WSMessageTypeError: Meaning(ProtocolError, "the answer is not HTTP"),
    # Redirects, which are not followed.
    raised.TooManyRedirects: Meaning(RedirectError, "too many redirects"),
    raised.RedirectClientError: Meaning(RedirectError, "the redirect leads nowhere"),
    raised.InvalidUrlRedirectClientError: Meaning(RedirectError, "the redirect leads to no URL"),
    raised.NonHttpUrlRedirectClientError: Meaning(RedirectError, "the redirect leads away from HTTP"),
    # URLs that passed this package's judgement and not the library's.
    raised.InvalidURL: Meaning(TargetDeniedError, "the HTTP client refused the URL"),
    raised.InvalidUrlClientError: Meaning(TargetDeniedError, "the HTTP client refused the URL"),
    raised.NonHttpUrlClientError: Meaning(TargetDeniedError, "the HTTP client refused the URL"),
}
"""Every exception class of aiohttp's client, one by one: tests/oxidized/test_translate.py holds it complete."""

_RESETS: Final = frozenset({errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE})


def translate(exception: raised.ClientError | OSError, *, in_body: bool = False) -> ProbeError:
    """Turn what the HTTP client raised into the `ProbeError` with its reason.

    Args:
        exception: what came out of a request or out of reading a body.
        in_body: whether a part of the body had been read. Then a lost connection means a cut body, and nothing is
            tried again.
    """
    # The innermost says why. Alerts of TLS 1.3 arrive with the first read, as a lost connection.
    tls = [link for link in _chain(exception) if isinstance(link, ssl.SSLError)]
    if tls:
        own = MEANINGS.get(type(exception))
        meaning = own if own and own.error is TlsError else MEANINGS[raised.ClientSSLError]
        return TlsError(_join(meaning.text, _tls_words(tls[-1])))
    meaning = next(
        (MEANINGS[c] for c in type(exception).__mro__ if c in MEANINGS),
        MEANINGS[raised.ClientConnectionError],
    )
    if in_body and meaning.error in {ConnectError, ProtocolError}:
        return ProtocolError(_join(MEANINGS[raised.ClientPayloadError].text, _os_words(exception)))
    reset = meaning.error is ConnectError and _errno(exception) in _RESETS
    return meaning.error(_join(meaning.text, _os_words(exception)), retryable=meaning.retryable or reset)


def _chain(exception: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = exception
    while link is not None:
        yield link
        link = link.__cause__


def _errno(exception: BaseException) -> int | None:
    return next((e.errno for e in _chain(exception) if isinstance(e, OSError) and e.errno is not None), None)


def _os_words(exception: BaseException) -> str | None:
    """Return the system's fixed words for an error number, never an exception's own text."""
    if (number := _errno(exception)) is not None:
        return os.strerror(number)
    if isinstance(exception, raised.ClientConnectorDNSError):
        return exception.os_error.strerror  # a fixed sentence of c-ares
    return None


def _tls_words(error: ssl.SSLError) -> str | None:
    """Return OpenSSL's fixed words: why a certificate was not accepted, or which alert it was."""
    words: str | None = getattr(error, "verify_message", None) or getattr(error, "reason", None)
    return words.replace("_", " ").lower() if words else None


def _join(text: str, words: str | None) -> str:
    return f"{text}: {words}" if words else text
