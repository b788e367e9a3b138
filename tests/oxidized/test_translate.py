from __future__ import annotations

import errno
import inspect
import ssl
from typing import Final
from unittest.mock import Mock

import pytest
from aiohttp import client_exceptions
from aiohttp.client_reqrep import ConnectionKey

from oxidized_exporter.errors import FAILURE_REASONS, ProbeError
from oxidized_exporter.oxidized.translate import MEANINGS, translate

# Every exception class of aiohttp's client with its reason. A class that is missing here fails the first test.
REASONS: Final = {
    "ClientConnectionError": "connect",
    "ClientConnectionResetError": "connect",
    "ClientConnectorCertificateError": "tls",
    "ClientConnectorDNSError": "dns",
    "ClientConnectorError": "connect",
    "ClientConnectorSSLError": "tls",
    "ClientError": "protocol",
    "ClientHttpProxyError": "proxy",
    "ClientOSError": "connect",
    "ClientPayloadError": "protocol",
    "ClientProxyConnectionError": "proxy",
    "ClientResponseError": "protocol",
    "ClientSSLError": "tls",
    "ConnectionTimeoutError": "timeout",
    "ContentTypeError": "not_json",
    "InvalidURL": "target_denied",
    "InvalidUrlClientError": "target_denied",
    "InvalidUrlRedirectClientError": "redirect",
    "NonHttpUrlClientError": "target_denied",
    "NonHttpUrlRedirectClientError": "redirect",
    "RedirectClientError": "redirect",
    "ServerConnectionError": "protocol",
    "ServerDisconnectedError": "protocol",
    "ServerFingerprintMismatch": "tls",
    "ServerTimeoutError": "timeout",
    "SocketTimeoutError": "timeout",
    "TooManyRedirects": "redirect",
    "UnixClientConnectorError": "connect",
    "UploadAbortedError": "protocol",
    "WSMessageTypeError": "protocol",
    "WSServerHandshakeError": "protocol",
}


def _classes() -> dict[str, type[BaseException]]:
    return {
        name: found
        for name, found in inspect.getmembers(client_exceptions, inspect.isclass)
        if issubclass(found, BaseException) and found.__module__ == client_exceptions.__name__
    }


def test_every_exception_class_of_the_client_is_named() -> None:
    assert set(REASONS) == set(_classes())
    assert set(MEANINGS) == set(_classes().values())


@pytest.mark.parametrize("name,reason", REASONS.items())
def test_each_class_has_its_reason(name: str, reason: str) -> None:
    error = translate(instance(_classes()[name]))
    assert error.reason == reason
    assert reason in FAILURE_REASONS


def instance(kind: type[BaseException]) -> client_exceptions.ClientError:
    """Make an exception as its class itself, past constructors that each want something else."""
    exception = kind.__new__(kind)
    if isinstance(exception, client_exceptions.ClientConnectorError):
        exception._os_error = OSError(None, "Domain name not found")  # noqa: SLF001 - what its constructor would set
        exception._conn_key = Mock(spec=ConnectionKey)  # noqa: SLF001 - what its constructor would set
    assert isinstance(exception, client_exceptions.ClientError | client_exceptions.WSMessageTypeError)
    return exception  # type: ignore[return-value]


def test_reasons_of_all_failures_differ() -> None:
    assert len(set(FAILURE_REASONS)) == len(FAILURE_REASONS) == len(ProbeError.__subclasses__())


@pytest.mark.parametrize("number", [errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED])
def test_a_reset_may_be_tried_again_unless_a_body_has_begun(number: int) -> None:
    exception = client_exceptions.ClientOSError(number, "whatever")
    assert translate(exception).retryable
    in_body = translate(exception, in_body=True)
    assert (in_body.reason, in_body.retryable) == ("protocol", False)


def test_refused_is_final() -> None:
    assert not translate(client_exceptions.ClientOSError(errno.ECONNREFUSED, "whatever")).retryable


def test_an_unknown_subclass_counts_as_its_parent() -> None:
    class Novel(client_exceptions.ClientPayloadError):
        pass

    assert translate(Novel()).reason == "protocol"
    assert translate(OSError(errno.EHOSTUNREACH, "x")).reason == "connect"


def test_a_tls_alert_that_arrives_late_is_tls() -> None:
    """With TLS 1.3 a missing client certificate is told after the handshake, on the first read."""
    exception = client_exceptions.ClientOSError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]")
    exception.__cause__ = ssl.SSLError(1, "alert")
    assert translate(exception).reason == "tls"


def test_messages_have_fixed_words_only() -> None:
    exception = client_exceptions.ClientOSError(errno.ECONNRESET, "s3cr3t")
    assert "s3cr3t" not in str(translate(exception))
    assert "s3cr3t" not in str(translate(client_exceptions.ClientPayloadError("s3cr3t")))
