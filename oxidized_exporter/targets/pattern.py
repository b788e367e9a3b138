"""Patterns: what connection entries and access lists hold, each standing for many targets or addresses."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import unquote

from oxidized_exporter.errors import BadParameterError, ForbiddenTargetError
from oxidized_exporter.targets.address import embedded_ipv4, same_ipv4
from oxidized_exporter.targets.url import parse_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oxidized_exporter.targets.address import IPAddress
    from oxidized_exporter.targets.url import Target

_FORM: Final = "http[s]://host[:port][/prefix]"
_PARTS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(\[[^]/]*\]|[^:/]*)(:[^/]*)?(/.*)?", re.DOTALL)
_NUMBER: Final = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
_ANY: Final = "*"
_IN_PLACE_OF_ANY: Final = "any"  # so that the rest can be read as a target


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPattern:
    """``http[s]://host[:port][/prefix]``, where ``*`` stands for exactly one label of the host, or for any port.

    Attributes:
        text: as written; two spellings of one pattern are equal.
        scheme: ``http`` or ``https``.
        host: labels of a name without a dot at the end, ``*`` for any; an address is one, which ``*`` does not match.
        port: the scheme's own where the text has none; None for any.
        prefix: path segments, decoded, with which a target's prefix must begin.
    """

    text: str = field(compare=False)
    scheme: str
    host: tuple[str, ...]
    port: int | None
    prefix: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> TargetPattern:
        """Read a pattern.

        Raises:
            ValueError: it is none. The message says what would be right and does not repeat the text.
        """
        parts = _PARTS.fullmatch(text)
        if parts is None:
            raise ValueError(f"must be a URL: {_FORM}")
        scheme, host, port, path = (part or "" for part in parts.groups())
        if "@" in host + port:
            raise ValueError("may not hold user information (…@)")
        labels = [host] if host.startswith("[") else host.removesuffix(".").split(".")
        _check_wildcards(labels, port=port, path=path)
        name = ".".join(_IN_PLACE_OF_ANY if label == _ANY else label for label in labels)
        try:
            target = parse_target(f"{scheme}://{name}{'' if port == ':*' else port}{path}")
        except (BadParameterError, ForbiddenTargetError) as error:
            raise ValueError(str(error)) from None
        return cls(
            text=text,
            scheme=target.scheme,
            host=tuple(label.lower() for label in labels) if _ANY in labels else _host(target),
            port=None if port == ":*" else target.port,
            prefix=_prefix(target),
        )

    @property
    def has_wildcard(self) -> bool:
        """Whether targets of more than one host and port match."""
        return self.port is None or _ANY in self.host

    def matches(self, target: Target) -> bool:
        """Tell whether ``target`` is one that this pattern stands for."""
        host = _host(target)
        return (
            self.scheme == target.scheme
            and self.port in {None, target.port}
            and self.prefix == _prefix(target)[: len(self.prefix)]
            and len(self.host) == len(host)
            and all(
                mine == label or (mine == _ANY and target.address is None)
                for mine, label in zip(self.host, host, strict=True)
            )
        )

    def refuses(self, target: Target) -> bool:
        """Tell whether ``target`` is refused where this is denied."""
        return self.matches(target)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPattern:
    """A network in CIDR notation, or a single address.

    Attributes:
        network: never one of the ranges in which IPv6 addresses stand for IPv4 ones.
    """

    network: IPv4Network | IPv6Network

    @classmethod
    def parse(cls, text: str) -> NetworkPattern:
        """Read a network.

        Raises:
            ValueError: it is none. The message says what would be right.
        """
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError("must be a network (10.20.0.0/16, 2001:db8::/32) or an address") from None
        if isinstance(network.network_address, ipaddress.IPv6Address) and network.network_address.scope_id is not None:
            raise ValueError("may not hold an IPv6 zone (%…)")
        if ipaddress.ip_interface(text).ip != network.network_address:
            raise ValueError(f"is an address inside a network; write {network} for the network")
        if embedded_ipv4(network.network_address):
            raise ValueError("stands for IPv4 addresses; write their IPv4 network, which holds every form of them")
        return cls(network=network)

    def contains(self, address: IPAddress) -> bool:
        """Tell whether ``address`` is inside; one that stands for an IPv4 address is judged as that alone."""
        return (same_ipv4(address) or address) in self.network

    def touches(self, address: IPAddress) -> bool:
        """Tell whether traffic to ``address`` may end inside: for what is refused, every reading of it counts."""
        return any(reading in self.network for reading in (address, *embedded_ipv4(address)))

    def refuses(self, target: Target) -> bool:
        """Tell whether ``target`` is refused where this is denied: a name may be, too, once it is resolved."""
        return target.address is not None and self.touches(target.address)

    def matches(self, target: Target) -> bool:
        """Tell whether the host of ``target`` is an address inside; False for a name, which may resolve to one."""
        return target.address is not None and self.contains(target.address)

    def __str__(self) -> str:
        return str(self.network)


AccessPattern: TypeAlias = TargetPattern | NetworkPattern


def parse_access_pattern(text: str) -> AccessPattern:
    """Read what an access list may hold.

    Raises:
        ValueError: it is neither a URL nor a network. The message says what would be right.
    """
    if "://" in text:
        return TargetPattern.parse(text)
    try:
        return NetworkPattern.parse(text)
    except ValueError as error:
        if re.fullmatch(r"[0-9a-fA-F.:%/]+", text):
            raise
        raise ValueError(f"must be a URL ({_FORM}) or a network (10.20.0.0/16)") from error


def _check_wildcards(labels: Sequence[str], *, port: str, path: str) -> None:
    if any(_ANY in label and label != _ANY for label in labels):
        raise ValueError('has a "*" inside a host label; it can stand for a whole label only: *.example.net')
    if _ANY in port and port != f":{_ANY}":
        raise ValueError('has a "*" inside its port; it can stand for the whole port only: host:*')
    if _ANY in path:
        raise ValueError('has a "*" in its path; a prefix stands for all paths below it as it is')
    if _ANY in labels and any(_NUMBER.fullmatch(label) for label in (labels[0], labels[-1])):
        raise ValueError('has a "*" in an address; it can stand for a label of a name only')


def _host(target: Target) -> tuple[str, ...]:
    """Return what two spellings of one host have in common."""
    address = target.address
    if address is not None:
        return (str(same_ipv4(address) or address),)
    return tuple(target.host.removesuffix(".").split("."))


def _prefix(target: Target) -> tuple[str, ...]:
    """Return the segments of the prefix; an encoded character and the same one unescaped ask for one path."""
    return tuple(unquote(segment) for segment in target.prefix.split("/")[1:])
