"""What ``?target=`` may say: the text is judged as it came, before any URL library has normalised it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from yarl import URL

from oxidized_exporter.errors import BadParameterError, ForbiddenTargetError
from oxidized_exporter.targets.address import forbidden, parse_ipv4_host

if TYPE_CHECKING:
    from oxidized_exporter.targets.address import IPAddress

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,255}")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_SEGMENT: Final = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*")  # RFC 3986, 3.3
_MAX_LENGTH: Final = 2048
_MAX_HOST_LENGTH: Final = 253
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One Oxidized instance that can be asked.

    Attributes:
        label: as the caller wrote it; the value of the label ``target``. Printable ASCII without credentials.
        scheme: ``http`` or ``https``.
        host: name in lower case, or canonical address without brackets.
        port: the scheme's own where the text has none.
        prefix: path in front of Oxidized's own, without a slash at its end: ``/oxidized``, or empty.
    """

    label: str
    scheme: str
    host: str
    port: int
    prefix: str

    @property
    def origin(self) -> str:
        """Scheme, host and port, the scheme's own port left out: ``http://10.0.0.1:8888``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def address(self) -> IPAddress | None:
        """The host as an address, or None where it is a name."""
        return IPv6Address(self.host) if ":" in self.host else parse_ipv4_host(self.host)

    @property
    def base(self) -> str:
        """Origin and prefix: what is the same for two spellings of one target."""
        return self.origin + self.prefix

    def __str__(self) -> str:
        return self.base

    def url(self, path: str) -> URL:
        """Return the URL of ``path``, which begins with a slash, under this target; nothing in it is requoted."""
        return _origin(self.origin).with_path(self.prefix + path, encoded=True)


@lru_cache(maxsize=256)
def _origin(text: str) -> URL:
    """Read an origin once for the many paths that are asked of it."""
    return URL(text, encoded=True)


def is_name(text: str) -> bool:
    """Tell whether ``text`` can be the name of a configured target: letters, digits, ``_`` and ``-``."""
    return _NAME.fullmatch(text) is not None


def parse_target(text: str) -> Target:
    """Read an http(s) URL, or a bare ``host:port`` (which means ``http://host:port``), into a `Target`.

    Raises:
        BadParameterError: the text is no URL, or holds what a target may not hold. The message does not repeat the
            text, since it may hold a password.
        ForbiddenTargetError: the host is an address that is never asked.
    """
    if len(text) > _MAX_LENGTH:
        raise BadParameterError(f"is longer than {_MAX_LENGTH} characters")
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise BadParameterError(
            "may hold printable ASCII characters only, and no space (write an international name as xn--…)"
        )
    for character, name in {
        "\\": "a backslash",
        "?": "a query (?)",
        "#": "a fragment (#)",
    }.items():
        if character in text:
            raise BadParameterError(f"may not hold {name}; a target is http[s]://host[:port][/prefix]")
    if "." not in text and ":" not in text:
        raise BadParameterError("is neither the name of a target (letters, digits, _ and -) nor a URL or host:port")
    matched = _SCHEME.match(text)
    scheme, rest = (matched[1].lower(), text[matched.end() :]) if matched else ("http", text)
    if scheme not in _DEFAULT_PORTS:
        raise BadParameterError("must be an http or https URL")
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        raise BadParameterError("may not hold user information (…@); credentials are never taken from a request")
    host, port = _split_authority(authority)
    return Target(
        label=text,
        scheme=scheme,
        port=_parse_port(port, default=_DEFAULT_PORTS[scheme]),
        host=_canonical_host(host),
        prefix=_checked_prefix(slash + path),
    )


def _split_authority(authority: str) -> tuple[str, str | None]:
    if authority.startswith("["):
        host, bracket, rest = authority.partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise BadParameterError("has a bracket in its host that is not closed, or something behind it")
        return host + bracket, rest[1:] if rest else None
    host, colon, port = authority.partition(":")
    return host, port if colon else None


def _parse_port(text: str | None, *, default: int) -> int:
    if text is None:
        return default
    if not _PORT.fullmatch(text) or not 1 <= int(text) <= 65535:  # noqa: PLR2004 - the range of a TCP port
        raise BadParameterError("must have a port from 1 to 65535 behind the colon")
    return int(text)


def _canonical_host(host: str) -> str:
    if host.startswith("["):
        try:
            address = IPv6Address(host[1:-1])
        except AddressValueError:
            raise BadParameterError("has no IPv6 address between its brackets") from None
        if why := forbidden(address):
            raise ForbiddenTargetError(f"is {why}, which is never asked")
        if address.scope_id is not None:
            raise BadParameterError("may not hold an IPv6 zone (%…)")
        return address.compressed
    if not _HOST.fullmatch(host) or len(host) > _MAX_HOST_LENGTH:
        raise BadParameterError("must have a host name or an address; a target is http[s]://host[:port][/prefix]")
    try:
        ipv4 = parse_ipv4_host(host)
    except ValueError as error:
        raise BadParameterError(f"has a host that {error}") from None
    if ipv4 is None:
        return host.lower()
    if why := forbidden(ipv4):
        raise ForbiddenTargetError(f"is {why}, which is never asked")
    return str(ipv4)


def _checked_prefix(path: str) -> str:
    """Return the path without the slash at its end.

    Oxidized's Rack decodes percent-escapes, turns a backslash into a slash and resolves dot segments *before* it routes
    (observed with oxidized-web 0.14 to 0.19), and proxies in front may do it once more. So what an escape stands for
    must be as harmless as what may stand there unescaped.
    """
    prefix = path.removesuffix("/")
    before = ""
    for segment in prefix.split("/")[1:]:
        if not segment:
            raise BadParameterError("may not hold an empty path segment (//)")
        if not _SEGMENT.fullmatch(segment):
            raise BadParameterError("has a path with a character that a URL does not allow there")
        decoded = unquote_to_bytes(segment).decode("latin-1")
        if decoded in {".", ".."}:
            raise BadParameterError("may not hold a . or .. path segment, encoded or not")
        if not (decoded.isascii() and decoded.isprintable()) or any(c in decoded for c in "/\\%?#"):
            raise BadParameterError("may not hold an encoded slash, backslash, percent sign, ?, # or non-ASCII byte")
        # Oxidized's route is /node/next/?*?/:node (oxidized-web 0.14 to 0.19): what is asked below it is run.
        if before == "node" and decoded.startswith("next"):
            raise BadParameterError("may not lead to Oxidized's /node/next, which is no read")
        before = decoded
    return prefix
