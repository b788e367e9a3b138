from __future__ import annotations

import re

import pytest

from oxidized_exporter.errors import OwnUrlError
from oxidized_exporter.web.own_url import (
    ExternalUrl,
    own_url,
    parse_authority,
    parse_external_url,
    parse_route_prefix,
    routes_below,
)

PATH = "must have a path of letters, digits, - . _ and ~"
FORM = "must be http[s]://host[:port][/path], or /path alone"


@pytest.mark.parametrize(
    "text, scheme, address, path",
    [
        ("http://exporter.example.net", "http", "exporter.example.net:80", ""),
        ("HTTPS://Exporter.example.net/", "https", "exporter.example.net:443", ""),
        (
            "https://exporter.example.net:8443/oxidized/exporter/",
            "https",
            "exporter.example.net:8443",
            "/oxidized/exporter",
        ),
        ("http://[2001:DB8::0:1]/a.b_c~d-e", "http", "[2001:db8::1]:80", "/a.b_c~d-e"),
        ("http://[::1]:10888", "http", "[::1]:10888", ""),
        ("/oxidized/", None, None, "/oxidized"),
        ("/", None, None, ""),
    ],
)
def test_external_urls(text: str, scheme: str | None, address: str | None, path: str) -> None:
    assert parse_external_url(text) == ExternalUrl(scheme=scheme, address=address, path=path)


@pytest.mark.parametrize(
    "text, why",
    [
        ("", FORM),
        ("exporter.example.net", FORM),
        ("//exporter.example.net/x", FORM),
        ("ftp://exporter.example.net", "must begin with http:// or https://"),
        ("http://", "must have a host name or an address"),
        ("http://hunter2:hunter2@a.example.net", "may not hold user information"),
        ("http://a.example.net:0", "must have a port from 1 to 65535"),
        ("http://a.example.net:65536", "must have a port from 1 to 65535"),
        ("http://a.example.net:", "must be host[:port] or [ipv6][:port]"),
        ("http://::1", "must be host[:port] or [ipv6][:port]"),
        ("http://[1::2::3]", "has no IPv6 address between its brackets"),
        ("http://[fe80::1%25eth0]", "must be host[:port] or [ipv6][:port]"),
        ("http://bücher.example.net", "write an international name as xn--"),
        ('"http://a.example.net"', "must begin with http:// or https://"),
        ("http://a.example.net/x?y", PATH),
        ("http://a.example.net/x#y", PATH),
        ("http://a.example.net?hunter2", "must have a host name or an address"),
        ("http://a.example.net/x//y", PATH),
        ("http://a.example.net/x/../y", PATH),
        ("http://a.example.net/%2e%2e", PATH),
        ("http://a.example.net/{x}", PATH),
        ("/a b", PATH),
    ],
)
def test_what_is_no_external_url(text: str, why: str) -> None:
    with pytest.raises(OwnUrlError, match=re.escape(why)) as caught:
        parse_external_url(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text, prefix",
    [("/", ""), ("", ""), ("/oxidized", "/oxidized"), ("oxidized", "/oxidized"), ("/a/b/", "/a/b")],
)
def test_route_prefixes(text: str, prefix: str) -> None:
    assert parse_route_prefix(text) == prefix


@pytest.mark.parametrize("text", ["/a//b", "/./a", "/..", "/a?b", "/{a}", "/a b", "/ä", "http://a.example.net/"])
def test_what_is_no_route_prefix(text: str) -> None:
    with pytest.raises(OwnUrlError, match=re.escape(PATH)):
        parse_route_prefix(text)


OUTSIDE = parse_external_url("https://example.net/outside")


@pytest.mark.parametrize(
    "route_prefix, external_url, prefix",
    [(None, None, ""), (None, OUTSIDE, "/outside"), ("", OUTSIDE, ""), ("/a", OUTSIDE, "/a"), ("/a", None, "/a")],
)
def test_the_prefix_is_the_external_path_unless_it_is_given(
    route_prefix: str | None, external_url: ExternalUrl | None, prefix: str
) -> None:
    assert routes_below(route_prefix, external_url) == prefix


@pytest.mark.parametrize(
    "external, route_prefix, expected",
    [
        (None, "", ("http", "here:10888", "")),
        (None, "/a", ("http", "here:10888", "/a")),
        ("/outside", "", ("http", "here:10888", "/outside")),
        ("https://example.net/outside", "", ("https", "example.net:443", "/outside")),
        ("https://example.net", "/a", ("https", "example.net:443", "")),
    ],
)
def test_what_the_external_url_leaves_out_is_the_request_s(
    external: str | None, route_prefix: str, expected: tuple[str, str, str]
) -> None:
    external_url = None if external is None else parse_external_url(external)
    own = own_url(external_url, route_prefix=route_prefix, scheme="http", hosts=["here:10888"])
    assert (own.scheme, own.address, own.path) == expected


@pytest.mark.parametrize(
    "hosts, why",
    [
        ([], "Host: missing; it must say host[:port]"),
        (["a", "b"], "Host: given 2 times; it must say host[:port]"),
        ([""], "Host: must have a host name or an address"),
        (["a/b"], "Host: must have a host name or an address"),
        (["a@b"], "Host: must have a host name or an address"),
        (["a,b"], "Host: must have a host name or an address"),
        (['a"b'], "Host: must have a host name or an address"),
        (["a b"], "Host: must have a host name or an address"),
        (["a:80:80"], "Host: must be host[:port] or [ipv6][:port]"),
        (["a:٣"], "Host: must be host[:port] or [ipv6][:port]"),
        (["<script>"], "Host: must have a host name or an address"),
        (["a." * 200], "Host: must have a host name or an address"),
    ],
)
def test_a_host_header_that_says_nothing_is_a_clear_fault(hosts: list[str], why: str) -> None:
    with pytest.raises(OwnUrlError, match=f"^{re.escape(why)}"):
        own_url(None, route_prefix="", scheme="http", hosts=hosts)
    assert own_url(OUTSIDE, route_prefix="", scheme="http", hosts=hosts).address == "example.net:443"


def test_a_port_that_is_left_out_is_the_scheme_s() -> None:
    assert parse_authority("a", scheme="https") == "a:443"
    assert parse_authority("127.0.0.1", scheme="http") == "127.0.0.1:80"
