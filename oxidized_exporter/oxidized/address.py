"""Which IP addresses are never asked, in whatever spelling they come."""

from __future__ import annotations

import ipaddress
import re
import socket
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

IPAddress = IPv4Address | IPv6Address

_THIS_NETWORK: Final = ipaddress.IPv4Network("0.0.0.0/8")  # RFC 1122, 3.2.1.3: only ever a source address
_BROADCAST: Final = IPv4Address("255.255.255.255")
_NAT64: Final = (
    ipaddress.IPv6Network("64:ff9b::/96"),  # RFC 6052, 2.1
    ipaddress.IPv6Network("64:ff9b:1::/96"),  # RFC 8215, with the usual /96 layout
)
_IPV4_COMPATIBLE: Final = ipaddress.IPv6Network("::/96")  # RFC 4291, 2.5.5.1

# Instance metadata that no generic range covers (most live in 169.254.0.0/16, which is link-local).
_METADATA: Final = frozenset(
    ipaddress.ip_address(address)
    for address in (
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure's wire server
        "192.0.0.192",  # Oracle Cloud, classic
        "fd00:ec2::254",  # AWS, over IPv6
        "fd00:ec2::23",  # AWS EKS Pod Identity, over IPv6
        "fd20:ce::254",  # Google Cloud, over IPv6
    )
)


_FORBIDDEN: Final[tuple[tuple[str, Callable[[IPAddress], bool]], ...]] = (
    ("a cloud metadata address", _METADATA.__contains__),
    ("a link-local address", lambda address: address.is_link_local),
    ("a multicast address", lambda address: address.is_multicast),
    ("the unspecified address", lambda address: address.is_unspecified),
    ('an address of "this network" (0.0.0.0/8)', _THIS_NETWORK.__contains__),
    ("the broadcast address", lambda address: address == _BROADCAST),
)


def forbidden(address: IPAddress) -> str | None:
    """Say why ``address`` must never be asked, or None where it may be.

    IPv4 addresses inside IPv6 ones (mapped, compatible, NAT64, 6to4) are judged as what they stand for.
    """
    for candidate in (address, embedded_ipv4(address)):
        for why, applies in _FORBIDDEN:
            if candidate is not None and applies(candidate):
                return why
    return None


def embedded_ipv4(address: IPAddress) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for, or None."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if any(address in network for network in _NAT64):
        return IPv4Address(address.packed[12:])
    if address in _IPV4_COMPATIBLE and int(address) > 1:  # :: and ::1 are addresses of their own
        return IPv4Address(address.packed[12:])
    return None


# WHATWG URL, "ends in a number": a last label of digits, or of 0x and hex digits, makes the host an IPv4 address.
_ENDS_IN_A_NUMBER: Final = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?$")


def parse_ipv4_host(host: str) -> IPv4Address | None:
    """Read an ASCII host that ends in a number, in every spelling that a C library takes; None for a name.

    ``127.1``, ``0x7f.0.0.1``, ``017700000001`` and ``2130706433`` are all 127.0.0.1 (inet_aton(3)).

    Raises:
        ValueError: the host ends in a number, but is no IPv4 address.
    """
    if not _ENDS_IN_A_NUMBER.search(host):
        return None
    try:
        return IPv4Address(socket.inet_aton(host.removesuffix(".")))
    except OSError:
        raise ValueError("ends in a number, but is no IPv4 address") from None
