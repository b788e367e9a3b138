"""Where this exporter is reached: as flags say it, or else as a caller does in its Host header."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oxidized_exporter.errors import OwnUrlError

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_SEGMENT: Final = re.compile(r"[A-Za-z0-9._~-]+")  # RFC 3986, 2.3: what is never encoded
_AUTHORITY: Final = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]{2,45})\]|(?P<host>[^\[\]:]*))(?::(?P<port>[0-9]{1,5}))?")
_HOST: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
_MAX_HOST_LENGTH: Final = 253
_FORM: Final = "http[s]://host[:port][/path], or /path alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalUrl:
    """Where the exporter is reached from outside, as ``--web.external-url`` says.

    Attributes:
        scheme: ``http`` or ``https``; None where only the path is said.
        address: ``host:port``, an IPv6 address in brackets; None with the scheme.
        path: ``/oxidized``, or empty; no slash at its end.
    """

    scheme: str | None
    address: str | None
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnUrl:
    """What a client puts in front of a route: ``http``, ``exporter.example.net:10888`` and ``/oxidized``, or empty."""

    scheme: str
    address: str
    path: str


def parse_external_url(text: str) -> ExternalUrl:
    """Read ``https://exporter.example.net/oxidized``, or a path alone, as Prometheus does.

    Raises:
        OwnUrlError: it is neither. The message does not repeat the text, since it may hold a password.
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        if not text.startswith("/") or text.startswith("//"):
            raise OwnUrlError(f"must be {_FORM}")
        return ExternalUrl(scheme=None, address=None, path=_parse_path(text))
    scheme = scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise OwnUrlError(f"must begin with http:// or https://: {_FORM}")
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        raise OwnUrlError("may not hold user information (…@): it is shown to whoever asks")
    return ExternalUrl(scheme=scheme, address=parse_authority(authority, scheme=scheme), path=_parse_path(slash + path))


def parse_route_prefix(text: str) -> str:
    """Return the prefix of all routes with a slash in front and none at its end; empty for ``/``.

    Raises:
        OwnUrlError: it is no path, or one with characters that would have to be encoded.
    """
    return _parse_path(f"/{text.lstrip('/')}")


def routes_below(route_prefix: str | None, external_url: ExternalUrl | None) -> str:
    """Return the prefix of all routes: the one that is given, or else the path of the external URL."""
    if route_prefix is not None:
        return route_prefix
    return "" if external_url is None else external_url.path


def own_url(external_url: ExternalUrl | None, *, route_prefix: str, scheme: str, hosts: Sequence[str]) -> OwnUrl:
    """Say where whoever asks reaches this exporter.

    Args:
        external_url: as the flag says; what it leaves out is taken from the request.
        route_prefix: of the routes; the path where there is no external URL.
        scheme: of the request.
        hosts: all Host headers of the request.

    Raises:
        OwnUrlError: the Host header is needed, and is missing, given twice, or no host and port.
    """
    path = route_prefix if external_url is None else external_url.path
    if external_url is not None and external_url.scheme is not None and external_url.address is not None:
        return OwnUrl(scheme=external_url.scheme, address=external_url.address, path=path)
    if len(hosts) != 1:
        raise OwnUrlError(f"Host: {f'given {len(hosts)} times' if hosts else 'missing'}; it must say host[:port]")
    try:
        address = parse_authority(hosts[0], scheme=scheme)
    except OwnUrlError as error:
        raise OwnUrlError(f"Host: {error}") from None
    return OwnUrl(scheme=scheme, address=address, path=path)


def parse_authority(text: str, *, scheme: str) -> str:
    """Return ``host:port``, with the port of ``scheme`` where the text has none.

    Raises:
        OwnUrlError: it is no host with or without a port. The message does not repeat the text.
    """
    matched = _AUTHORITY.fullmatch(text)
    if matched is None:
        raise OwnUrlError("must be host[:port] or [ipv6][:port]")
    port = int(matched["port"] or _DEFAULT_PORTS[scheme])
    if not 1 <= port <= 65535:  # noqa: PLR2004 - the range of a TCP port
        raise OwnUrlError("must have a port from 1 to 65535 behind the colon")
    if matched["ipv6"] is not None:
        try:
            return f"[{ipaddress.IPv6Address(matched['ipv6'])}]:{port}"
        except ipaddress.AddressValueError:
            raise OwnUrlError("has no IPv6 address between its brackets") from None
    host = matched["host"].lower()
    if not _HOST.fullmatch(host) or len(host) > _MAX_HOST_LENGTH:
        raise OwnUrlError("must have a host name or an address (write an international name as xn--…)")
    return f"{host}:{port}"


def _parse_path(text: str) -> str:
    path = text.rstrip("/")
    for segment in path.split("/")[1:]:
        if segment in {".", ".."} or not _SEGMENT.fullmatch(segment):
            raise OwnUrlError(
                "must have a path of letters, digits, - . _ and ~ between single slashes, "
                "without . and .. as segments, and nothing behind it"
            )
    return path
