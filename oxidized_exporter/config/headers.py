"""What may stand in a request's headers: nothing that ends a line, and no header that is the exporter's own to set."""

from __future__ import annotations

import re
from typing import Final

from oxidized_exporter.config.secret import Secret

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2
_VISIBLE: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
_SERVER_NAME: Final = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")

# Those that Prometheus refuses too, and those that frame a message or concern one connection only.
_RESERVED: Final = frozenset(
    {
        "accept-encoding",
        "authorization",
        "connection",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "www-authenticate",
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-security-token",
        "x-prometheus-remote-read-version",
        "x-prometheus-remote-write-version",
        "x-prometheus-scrape-timeout-seconds",
    }
)
_RESERVED_PREFIXES: Final = ("content-", "proxy-")
_INSTEAD: Final = {
    "authorization": "; write basic_auth or authorization",
    "host": "; write host_header",
    "proxy-authorization": "; a proxy with credentials is not supported",
}


def parse_header_name(text: str) -> str:
    """Return the name of a header that a configuration may set.

    Raises:
        ValueError: it may not; the message says why.
    """
    if not _TOKEN.fullmatch(text):
        raise ValueError("must be the name of a header: letters, digits and -")
    lower = text.lower()
    if lower in _RESERVED or lower.startswith(_RESERVED_PREFIXES):
        raise ValueError(
            f"may not be set here{_INSTEAD.get(lower, ': the exporter sets it, or it frames the message')}"
        )
    return text


def parse_header_value(text: str) -> Secret:
    """Return the value of a header, of which nothing is shown.

    Raises:
        ValueError: it cannot be sent.
    """
    if not _VISIBLE.fullmatch(text):
        raise ValueError("must be printable ASCII, not empty, without a space at either end")
    return Secret(text)


def parse_scheme(text: str) -> str:
    """Return the scheme of an Authorization header.

    Raises:
        ValueError: it is none, or one that has keys of its own.
    """
    if not _TOKEN.fullmatch(text):
        raise ValueError("must be one word, such as Bearer")
    if text.lower() == "basic":
        raise ValueError("may not be Basic; write basic_auth")
    return text


def parse_username(text: str) -> str:
    """Return a user name for basic authentication (RFC 7617).

    Raises:
        ValueError: it holds a colon, which would end it, or a control character.
    """
    if not text or ":" in text or not text.isprintable():
        raise ValueError("must be a user name: not empty, no colon, no control character")
    return text


def parse_host_header(text: str) -> str:
    """Return the value of a Host header.

    Raises:
        ValueError: it is no host with or without a port.
    """
    if not _HOST.fullmatch(text):
        raise ValueError("must be a host name or an address, with or without a port: oxidized.internal:8888")
    return text


def parse_server_name(text: str) -> str:
    """Return the name that a server's certificate must have.

    Raises:
        ValueError: it is no host.
    """
    if not _SERVER_NAME.fullmatch(text):
        raise ValueError("must be a host name or an address: oxidized.internal")
    return text
