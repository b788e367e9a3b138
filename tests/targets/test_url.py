from __future__ import annotations

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oxidized_exporter.errors import BadParameterError, CallerError, ForbiddenTargetError
from oxidized_exporter.targets.url import is_name, parse_target


@pytest.mark.parametrize(
    "text,base",
    [
        ("http://oxidized.example.net:8888", "http://oxidized.example.net:8888"),
        ("http://oxidized.example.net:8888/", "http://oxidized.example.net:8888"),
        ("oxidized.example.net:8888", "http://oxidized.example.net:8888"),
        ("oxidized.example.net", "http://oxidized.example.net"),
        ("oxidized:8888", "http://oxidized:8888"),
        ("oxidized:8888/eu", "http://oxidized:8888/eu"),
        ("HTTP://Oxidized.Example.NET:80/", "http://oxidized.example.net"),
        ("https://oxidized.example.net:443/oxidized/", "https://oxidized.example.net/oxidized"),
        ("https://oxidized.example.net:80", "https://oxidized.example.net:80"),
        ("http://proxy/a/b;c=1/d~e", "http://proxy/a/b;c=1/d~e"),
        ("http://proxy/oxidized%20lab", "http://proxy/oxidized%20lab"),
        ("http://proxy/reload", "http://proxy/reload"),
        ("http://proxy/node/a/next", "http://proxy/node/a/next"),
        ("http://proxy/%7euser/%41", "http://proxy/%7euser/%41"),
        ("http://127.1:8888", "http://127.0.0.1:8888"),
        ("http://0x7f000001", "http://127.0.0.1"),
        ("http://2130706433", "http://127.0.0.1"),
        ("[::1]:8888", "http://[::1]:8888"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
        ("http://under_score.example", "http://under_score.example"),
        ("http://host:1", "http://host:1"),
        ("http://host:65535", "http://host:65535"),
        ("http://proxy/Oxidized/%7EX", "http://proxy/Oxidized/%7EX"),
        (f"http://{'a.' * 126}a", f"http://{'a.' * 126}a"),
        (f"http://{'a' * 63}", f"http://{'a' * 63}"),
        (f"http://host/{'a' * 2036}", f"http://host/{'a' * 2036}"),
    ],
)
def test_accepted(text: str, base: str) -> None:
    target = parse_target(text)
    assert target.base == base
    assert target.label == text
    assert str(target.url("/nodes.json")) == f"{base}/nodes.json"


@pytest.mark.parametrize(
    "text,address",
    [
        ("http://10.0.0.1", "10.0.0.1"),
        ("http://127.1:8888", "127.0.0.1"),
        ("https://[2001:DB8::0:1]:8888/x", "2001:db8::1"),
        ("http://10.0.0.1.example", None),
        ("oxidized:8888", None),
    ],
)
def test_which_address_a_target_is(text: str, address: str | None) -> None:
    assert parse_target(text).address == (None if address is None else ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "text,message",
    [
        ("pass@localhost", "is neither the name of a target"),
        ("eu/west", "is neither the name of a target (letters, digits, _ and -) nor a URL or host:port"),
        ("http://user:pass@host", "may not hold user information"),
        ("user:pass@host:80", "may not hold user information"),
        ("http://@host", "may not hold user information"),
        ("http://host?x=1", "may not hold a query"),
        ("http://host/reload?", "may not hold a query"),
        ("http://host/#top", "may not hold a fragment"),
        ("http://host\\@evil", "may not hold a backslash"),
        ("http:\\\\host", "may not hold a backslash"),
        ("http://ho st", "may hold printable ASCII characters only"),
        ("http://host/\n", "may hold printable ASCII characters only"),
        ("\thttp://host", "may hold printable ASCII characters only"),
        ("http://host/\x00", "may hold printable ASCII characters only"),
        ("http://169。254。169。254", "may hold printable ASCII characters only"),
        ("http://host/．．/reload", "may hold printable ASCII characters only"),  # noqa: RUF001 - full-width dots
        ("http://host/./x", "may not hold a . or .. path segment"),
        ("http://host/x/../reload", "may not hold a . or .. path segment"),
        ("http://host/..", "may not hold a . or .. path segment"),
        ("http://host/%2e%2E/reload", "may not hold a . or .. path segment"),
        ("http://host/.%2e", "may not hold a . or .. path segment"),
        ("http://host/a%2f..%2freload", "may not hold an encoded slash"),
        ("http://host/a%5c..%5creload", "may not hold an encoded slash"),
        ("http://host/%252e%252e/reload", "may not hold an encoded slash"),
        ("http://host/a%3fb", "may not hold an encoded slash"),
        ("http://host/a%23b", "may not hold an encoded slash"),
        ("http://host/%00", "may not hold an encoded slash, backslash, percent sign, ?, # or non-ASCII byte"),
        ("http://host/%0d%0aX:%20y", "may not hold an encoded slash"),
        ("http://host/%ef%bc%8e%ef%bc%8e", "may not hold an encoded slash"),
        ("http://host/node/next2", "may not lead to Oxidized's /node/next"),
        ("http://host/node/next", "may not lead to Oxidized's /node/next"),
        ("http://host/x/n%6fde/next/group/", "may not lead to Oxidized's /node/next"),
        ("http://host//evil", "may not hold an empty path segment"),
        ("http://host//", "may not hold an empty path segment"),
        ("http://host/%zz", "has a path with a character that a URL does not allow there"),
        ("http://host/<x>", "has a path with a character"),
        ("ftp://host", "must be an http or https URL"),
        ("file:///etc/passwd", "must be an http or https URL"),
        ("javascript:alert(1)", "must have a port"),
        ("http://", "must have a host name"),
        ("http:///nodes.json", "must have a host name"),
        ("http://:80", "must have a host name"),
        ("http://host:", "must have a port"),
        ("http://host:0", "must have a port"),
        ("http://host:65536", "must have a port"),
        ("http://host:+80", "must have a port"),
        ("http://host:8_0", "must have a port"),
        ("http://a:b:80", "must have a port"),
        ("http://ho%73t", "must have a host name"),
        ("http://host..example", "must have a host name"),
        ("http://-host", "must have a host name"),
        (f"http://{'a' * 64}", "must have a host name"),
        (f"http://{'a.' * 127}", "must have a host name"),
        (f"http://{'a.' * 126}aa", "must have a host name"),
        ("http://256.1.1.1", "has a host that ends in a number"),
        ("http://[::1", "has a bracket in its host"),
        ("http://[::1]x", "has a bracket in its host"),
        ("http://[::1]]:80", "has a bracket in its host"),
        ("http://[::g]", "has no IPv6 address"),
        ("http://[]", "has no IPv6 address"),
        ("http://[fd00::1%eth0]", "may not hold an IPv6 zone"),
        (f"http://host/{'a' * 2037}", "is longer than 2048 characters"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(BadParameterError) as caught:
        parse_target(text)
    assert str(caught.value).startswith(message)
    assert "pass" not in str(caught.value).replace("passed", "")


@pytest.mark.parametrize(
    "text",
    [
        "http://169.254.169.254/latest",
        "169.254.169.254:80",
        "http://0xa9fea9fe",
        "http://2852039166",
        "http://0251.0376.0251.0376",
        "http://169.254.43518",
        "http://[::ffff:169.254.169.254]",
        "http://[::ffff:a9fe:a9fe]:80",
        "http://[64:ff9b::a9fe:a9fe]",
        "http://[fe80::1]",
        "http://[fe80::1%25eth0]",
        "http://[fd00:ec2::254]",
        "http://100.100.100.200",
        "http://224.0.0.1",
        "http://[ff02::1]",
        "http://0.0.0.0:8888",
        "http://0",
        "http://0:8888",
        "http://[::]",
        "http://169.254.169.254.",
    ],
)
def test_forbidden_whatever_the_spelling(text: str) -> None:
    with pytest.raises(ForbiddenTargetError, match="which is never asked"):
        parse_target(text)


@pytest.mark.parametrize(
    "text,expected",
    [
        *(
            ("eu-west", True),
            ("EU_1", True),
            ("a.b", False),
            ("a:1", False),
            ("a/b", False),
            ("a@b", False),
            ("", False),
        ),
        *(("a" * 255, True), ("a" * 256, False)),
    ],
)
def test_what_can_be_a_name(text: str, *, expected: bool) -> None:
    assert is_name(text) is expected


_WORDS = "http:// https:// host h.example 127.1 [::1] : 80 / \\ .. . %2e %2F %5c @ ? # ; reload node/next %25 %00 // a"
_PIECES = st.sampled_from([*_WORDS.split(), "\n", "\t", " ", "．"])  # noqa: RUF001 - a full-width dot


@given(st.lists(_PIECES, max_size=12).map("".join) | st.text(max_size=60))
@example("http://host/..;/reload")
def test_an_accepted_target_asks_for_its_own_prefix_and_nothing_else(text: str) -> None:
    try:
        target = parse_target(text)
    except CallerError:
        return
    url = target.url("/nodes.json")
    assert url.raw_path == f"{target.prefix}/nodes.json"
    assert url.raw_query_string == ""
    assert url.user is None
    assert str(url.origin()) == target.origin
    decoded = url.path.replace("\\", "/").split("/")
    assert not {".", ".."} & set(decoded)
    assert decoded[-1] == "nodes.json"
