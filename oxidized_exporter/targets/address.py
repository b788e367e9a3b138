"""Which IP addresses are never asked, in whatever spelling they come."""

from __future__ import annotations

import ipaddress
import re
import socket
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

IPAddress: TypeAlias = IPv4Address | IPv6Address

_THIS_NETWORK: Final = ipaddress.IPv4Network("0.0.0.0/8")  # RFC 1122, 3.2.1.3: only ever a source address
_BROADCAST: Final = IPv4Address("255.255.255.255")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052, 2.1
_OWN_NAT64: Final = ipaddress.IPv6Network("64:ff9b:1::/48")  # RFC 8215
# Octets of the IPv4 address behind a prefix of 48, 56, 64 and 96 bits: RFC 6052, 2.2
_LAYOUTS: Final = ((6, 7, 9, 10), (7, 9, 10, 11), (9, 10, 11, 12), (12, 13, 14, 15))
# Networks of IPv6 whose last 32 bits are an IPv4 address.
_EMBEDDING: Final = (
    _NAT64,
    ipaddress.IPv6Network("::ffff:0:0:0/96"),  # IPv4-translated, RFC 2765, 2.1
    ipaddress.IPv6Network("::/96"),  # IPv4-compatible, RFC 4291, 2.5.5.1
)
_ISATAP: Final = frozenset({0x00005EFE, 0x02005EFE})  # the 32 bits in front of the IPv4 address, RFC 5214, 6.1

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

    IPv4 addresses inside IPv6 ones (mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP) are judged as what
    they stand for.
    """
    if isinstance(address, IPv6Address):
        address = IPv6Address(int(address))  # without its zone, which would make it differ from the same one
    for candidate in (address, *embedded_ipv4(address)):
        for why, applies in _FORBIDDEN:
            if applies(candidate):
                return why
    return None


def same_ipv4(address: IPAddress) -> IPv4Address | None:
    """Return the IPv4 address that is the same host as an IPv6 address: mapped, or NAT64 by the well-known prefix.

    Of other addresses with an IPv4 address inside, whoever has the network in front chooses the rest.
    """
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped


def embedded_ipv4(address: IPAddress) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that traffic to an IPv6 address may reach in the end."""
    if isinstance(address, IPv4Address) or int(address) <= 1:  # :: and ::1 are addresses of their own
        return ()
    found = [address.ipv4_mapped, address.sixtofour, address.teredo[1] if address.teredo else None]
    isatap = (int(address) >> 32) & 0xFFFFFFFF in _ISATAP
    if isatap or any(address in network for network in _EMBEDDING):
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    if address in _OWN_NAT64:
        readings = (IPv4Address(bytes(address.packed[octet] for octet in layout)) for layout in _LAYOUTS)
        found.extend(reading for reading in readings if reading not in _THIS_NETWORK)  # zeros of another layout
    return tuple(ipv4 for ipv4 in found if ipv4 is not None)


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
