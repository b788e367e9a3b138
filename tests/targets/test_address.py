from __future__ import annotations

import ipaddress

import pytest

from oxidized_exporter.targets.address import embedded_ipv4, forbidden, parse_ipv4_host, same_ipv4


@pytest.mark.parametrize(
    "address,why",
    [
        ("169.254.169.254", "a link-local address"),
        ("169.254.0.1", "a link-local address"),
        ("fe80::1", "a link-local address"),
        ("224.0.0.1", "a multicast address"),
        ("239.255.255.255", "a multicast address"),
        ("ff02::1", "a multicast address"),
        ("0.0.0.0", "the unspecified address"),  # noqa: S104 - an address to refuse
        ("::", "the unspecified address"),
        ("0.1.2.3", 'an address of "this network" (0.0.0.0/8)'),
        ("255.255.255.255", "the broadcast address"),
        ("100.100.100.200", "a cloud metadata address"),
        ("168.63.129.16", "a cloud metadata address"),
        ("192.0.0.192", "a cloud metadata address"),
        ("fd00:ec2::254", "a cloud metadata address"),
        ("fd20:ce::254", "a cloud metadata address"),
        ("::ffff:169.254.169.254", "a link-local address"),
        ("::ffff:0:0", "the unspecified address"),
        ("::169.254.169.254", "a link-local address"),
        ("64:ff9b::169.254.169.254", "a link-local address"),
        ("64:ff9b:1::100.100.100.200", "a cloud metadata address"),
        ("2002:a9fe:a9fe::1", "a link-local address"),
        ("64:ff9b:1:1::169.254.169.254", "a link-local address"),
        ("::ffff:0:169.254.169.254", "a link-local address"),
        ("2001:0:c0a8:1::5601:5601", "a link-local address"),
        ("2001:db8::5efe:169.254.169.254", "a link-local address"),
        ("fd00:ec2::23", "a cloud metadata address"),
        ("fd00:ec2::254%1", "a cloud metadata address"),
        ("2001:db8::200:5efe:169.254.169.254", "a link-local address"),  # ISATAP with a public IPv4 address
        ("::2", 'an address of "this network" (0.0.0.0/8)'),
    ],
)
def test_forbidden(address: str, why: str) -> None:
    assert forbidden(ipaddress.ip_address(address)) == why


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "::1",
            "10.0.0.1",
            "192.168.1.1",
            "8.8.8.8",
            "fd00::1",
            "2001:db8::1",
            "::ffff:10.0.0.1",
            "1.0.0.0",
        ),
        "64:ff9b:1::10.0.0.1",  # zeros are what the other layouts make of it, not an address of "this network"
    ],
)
def test_allowed(address: str) -> None:
    assert forbidden(ipaddress.ip_address(address)) is None


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "0x7f.0.0.1",
        "0X7F000001",
        "0x7f.0x00001",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "127.0.0.1.",
    ],
)
def test_every_spelling_of_an_ipv4_address_is_read(host: str) -> None:
    assert parse_ipv4_host(host) == ipaddress.IPv4Address("127.0.0.1")


@pytest.mark.parametrize("host", ["oxidized", "1e3", "a.1b", "1.2.3.4.example", "0xg", "deadbeef"])
def test_names_are_no_addresses(host: str) -> None:
    assert parse_ipv4_host(host) is None


@pytest.mark.parametrize("host", ["256.1.1.1", "1.2.3.4.5", "example.1", "0x", "99999999999", "1..1", "09.1.1.1"])
def test_what_ends_in_a_number_and_is_no_address_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r"^ends in a number, but is no IPv4 address$"):
        parse_ipv4_host(host)


@pytest.mark.parametrize(
    "prefix_length,address",
    [
        (48, "64:ff9b:1:a83f:81:1000::"),
        (56, "64:ff9b:1:a8:3f:8110::"),
        (64, "64:ff9b:1:0:a8:3f81:1000:0"),
        (96, "64:ff9b:1::a83f:8110"),
    ],
)
def test_every_layout_of_nat64_is_read_to_the_last_octet(prefix_length: int, address: str) -> None:
    assert ipaddress.IPv4Address("168.63.129.16") in embedded_ipv4(ipaddress.IPv6Address(address)), prefix_length
    assert forbidden(ipaddress.ip_address(address)) == "a cloud metadata address"


@pytest.mark.parametrize(
    "address,same",
    [
        ("::ffff:10.20.30.40", "10.20.30.40"),
        ("64:ff9b::10.20.30.40", "10.20.30.40"),
        ("64:ff9b::255.255.255.255", "255.255.255.255"),
        ("10.20.30.40", None),
        ("::10.20.30.40", None),
        ("64:ff9b:1::10.20.30.40", None),
        ("2002:a14:1e28::1", None),
        ("2001:db8::1", None),
    ],
)
def test_which_ipv6_addresses_are_the_same_host_as_an_ipv4_address(address: str, same: str | None) -> None:
    assert same_ipv4(ipaddress.ip_address(address)) == (None if same is None else ipaddress.IPv4Address(same))
