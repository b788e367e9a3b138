"""Every exception that this package raises on purpose.

    ExporterError
    ├── ListenError                   the server cannot listen where it was told to
    ├── OwnUrlError                   nobody can be told by that where the exporter is reached
    ├── UnhealthyError                the exporter that was asked is not there, or not well
    ├── ConfigError                   the configuration file is not as it must be: every fault of it
    ├── NothingToReloadError          a reload without a configuration file
    ├── TooManyChecksError            one more password would wait too long to be checked
    ├── CallerError                   the caller's own mistake: the probe is not made
    │   ├── BadParameterError             400 bad_parameter
    │   ├── BadTimeoutHeaderError         400 bad_timeout_header
    │   ├── UnknownModuleError            400 unknown_module
    │   ├── UnknownTargetError            400 unknown_target
    │   ├── ForbiddenTargetError          403 forbidden_target
    │   └── DebugDisabledError            403 debug_disabled
    └── ProbeError                    behind a valid request: 200, oxidized_status 0 and the reason
        ├── DnsError                      dns
        ├── ConnectError                  connect
        ├── TlsError                      tls
        ├── ProbeTimeoutError             timeout
        ├── AuthError                     auth
        ├── HostNotPermittedError         host_not_permitted
        ├── ProxyError                    proxy
        ├── HttpStatusError               http_status
        ├── RedirectError                 redirect
        ├── ProtocolError                 protocol
        ├── TooLargeError                 too_large
        ├── NotJsonError                  not_json
        ├── SchemaError                   schema
        └── TargetDeniedError             target_denied

A ``reason`` is a fixed word of its class, so it may stand in a label. The message may not: it names hosts and numbers
(never a credential, never a part of a body) and is for log lines and answers.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import ClassVar, Final

_FRAMES: Final = 6


class ExporterError(Exception):
    """Base of all."""


class ListenError(ExporterError):
    """A listen address is malformed, or cannot be listened on."""


class OwnUrlError(ExporterError):
    """An external URL, a route prefix or a Host header is malformed, or missing where it is needed."""


class UnhealthyError(ExporterError):
    """The exporter of this machine did not say that it is healthy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong in a configuration file; as text it is one line, and never shows a secret's value.

    Attributes:
        file: as it was named.
        line: counted from 1, or None where the file could not be read, or is at odds with a flag.
        key_path: ``connections[0].tls_config.ca_file``, or empty for the file as a whole.
        message: what is wrong, and what would be right.
    """

    file: str
    line: int | None
    key_path: str
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        text = f"{place}: {self.key_path}: {self.message}" if self.key_path else f"{place}: {self.message}"
        return printable(text)


class ConfigError(ExporterError):
    """A configuration file has faults.

    Attributes:
        faults: all of them, at least one, in the order of their lines.
    """

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class NothingToReloadError(ExporterError):
    """A reload was asked for, but there is no configuration file."""


class TooManyChecksError(ExporterError):
    """So many passwords wait to be checked that one more would wait too long."""


class CallerError(ExporterError):
    """The request to the exporter is wrong; ``status`` is the HTTP status that says so."""

    reason: ClassVar[str]
    status: ClassVar[int] = 400


class BadParameterError(CallerError):
    """A parameter of the request is missing, malformed, or given twice."""

    reason = "bad_parameter"


class BadTimeoutHeaderError(CallerError):
    """X-Prometheus-Scrape-Timeout-Seconds is not a positive, finite number."""

    reason = "bad_timeout_header"


class UnknownModuleError(CallerError):
    """No module of that name is configured."""

    reason = "unknown_module"


class UnknownTargetError(CallerError):
    """No target of that name is configured."""

    reason = "unknown_target"


class ForbiddenTargetError(CallerError):
    """The target is well-formed, but its text alone forbids it.

    Attributes:
        origin: scheme, host and port of it, for the log; None where that is what is forbidden.
    """

    reason = "forbidden_target"
    status = 403

    def __init__(self, message: str, *, origin: str | None = None) -> None:
        super().__init__(message)
        self.origin = origin


class DebugDisabledError(CallerError):
    """The steps of a probe are asked for, and nobody has allowed that."""

    reason = "debug_disabled"
    status = 403


class ProbeError(ExporterError):
    """A valid probe found no usable answer behind the target.

    Attributes:
        reason: one word of the closed list `FAILURE_REASONS`.
        retryable: whether asking once more may help and does no harm (no byte of a body has been read).
    """

    reason: ClassVar[str]

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class DnsError(ProbeError):
    """The name was not resolved."""

    reason = "dns"


class ConnectError(ProbeError):
    """No connection, or one that was reset before the body."""

    reason = "connect"


class TlsError(ProbeError):
    """The TLS handshake or the certificate's verification failed, or a file of tls_config cannot be used."""

    reason = "tls"


class ProbeTimeoutError(ProbeError):
    """The deadline passed."""

    reason = "timeout"


class AuthError(ProbeError):
    """The answer was 401 or 403, or a file with credentials cannot be used."""

    reason = "auth"


class HostNotPermittedError(ProbeError):
    """Oxidized's ``vhosts`` setting does not know the Host header that was sent (403)."""

    reason = "host_not_permitted"


class ProxyError(ProbeError):
    """A proxy refused the connection or wants to be authenticated to (407)."""

    reason = "proxy"


class HttpStatusError(ProbeError):
    """Any other status than 200."""

    reason = "http_status"


class RedirectError(ProbeError):
    """The answer was a redirect that is not followed: switched off, or it leads elsewhere."""

    reason = "redirect"


class ProtocolError(ProbeError):
    """HTTP was broken, or the body cut."""

    reason = "protocol"


class TooLargeError(ProbeError):
    """The body is larger than the limit, or the list longer."""

    reason = "too_large"


class NotJsonError(ProbeError):
    """The body is not JSON: malformed, not UTF-8, or nested too deeply."""

    reason = "not_json"


class SchemaError(ProbeError):
    """The body is not what its route gives: a list of devices, a table of statistics, or a configuration."""

    reason = "schema"


class TargetDeniedError(ProbeError):
    """An address that must never be asked, or that access refuses, was found on resolving or on a redirect."""

    reason = "target_denied"


def first_of(error: BaseException) -> BaseException:
    """Return the first exception of a group, as a TaskGroup raises, and what is no group as it is."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def printable(text: str) -> str:
    """Write control characters as escapes, so that no text from outside can forge a line or drive a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable_lines(text: bytes) -> bytes:
    """Do the same to each line of what is UTF-8."""
    return "\n".join(map(printable, text.decode().split("\n"))).encode()


def place(error: BaseException) -> str:
    """Say which unexpected exception it is and where it arose, without its message, which may quote a secret.

    Of a group it is the first one.
    """
    error = first_of(error)
    frames = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    return " < ".join([type(error).__name__, *reversed(frames[-_FRAMES:])])


FAILURE_REASONS: tuple[str, ...] = tuple(error.reason for error in ProbeError.__subclasses__())
"""The closed list behind the label ``reason`` of ``oxidized_probe_failure_info``."""
