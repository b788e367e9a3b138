from __future__ import annotations

import ipaddress
import re
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oxidized_exporter.targets.pattern import NetworkPattern, TargetPattern, parse_access_pattern
from oxidized_exporter.targets.url import parse_target


@pytest.mark.parametrize(
    "pattern,target",
    [
        ("http://oxidized.example.net:8888", "http://oxidized.example.net:8888"),
        ("http://oxidized.example.net:8888", "oxidized.example.net:8888/eu"),
        ("HTTP://Oxidized.Example.NET", "http://oxidized.example.net:80/"),
        ("https://oxidized.example.net.", "https://oxidized.example.net"),
        ("https://oxidized.example.net", "https://oxidized.example.net."),
        ("https://oxidized.example.net:443", "https://oxidized.example.net"),
        ("https://*.example.net", "https://oxidized.example.net"),
        ("https://*.*.example.net", "https://oxidized.eu.example.net"),
        ("https://oxidized.*.net", "https://oxidized.example.net"),
        ("http://*:8888", "http://oxidized:8888"),
        ("http://oxidized.example.net:*", "http://oxidized.example.net:8888"),
        ("http://oxidized.example.net:*", "http://oxidized.example.net"),
        ("https://proxy/oxidized", "https://proxy/oxidized"),
        ("https://proxy/oxidized/", "https://proxy/oxidized"),
        ("https://proxy/oxidized", "https://proxy/oxidized/eu"),
        ("https://proxy/oxidized", "https://proxy/%6fxidized/eu"),
        ("https://proxy/oxidized%20lab", "https://proxy/oxidized%20lab"),
        ("http://10.0.0.1:8888", "http://0x0a000001:8888"),
        ("http://167772161:8888", "http://10.0.0.1:8888"),
        ("http://10.0.0.1:8888", "http://[::ffff:10.0.0.1]:8888"),
        ("http://10.0.0.1:8888", "http://[64:ff9b::a00:1]:8888"),
        ("http://[2001:DB8:0::1]:*", "http://[2001:db8::1]:8888"),
    ],
)
def test_matches(pattern: str, target: str) -> None:
    assert TargetPattern.parse(pattern).matches(parse_target(target))


@pytest.mark.parametrize(
    "pattern,target",
    [
        ("https://oxidized.example.net", "http://oxidized.example.net:443"),
        ("https://oxidized.example.net", "https://oxidized.example.net:8443"),
        ("https://oxidized.example.net", "https://oxidized.example.org"),
        ("https://example.net", "https://oxidized.example.net"),
        ("https://*.example.net", "https://example.net"),
        ("https://*.example.net", "https://a.b.example.net"),
        ("https://*.example.net", "https://xexample.net"),
        ("https://*.example.net", "https://oxidized.example.net.evil"),
        ("https://proxy/oxidized", "https://proxy"),
        ("https://proxy/oxidized", "https://proxy/oxidized2"),
        ("https://proxy/oxidized", "https://proxy/Oxidized"),
        ("https://proxy/oxidized", "https://proxy/x/oxidized"),
        ("http://*:8888", "http://10.0.0.1:8888"),
        ("http://*:8888", "http://[::1]:8888"),
        ("http://*.*.*.*", "http://10.0.0.1"),
        ("http://10.0.0.1", "http://10.0.0.1.example"),
    ],
)
def test_does_not_match(pattern: str, target: str) -> None:
    assert not TargetPattern.parse(pattern).matches(parse_target(target))


@pytest.mark.parametrize(
    "text,message",
    [
        ("", "must be a URL: http[s]://host[:port][/prefix]"),
        ("oxidized.example.net:8888", "must be a URL: http[s]://host[:port][/prefix]"),
        ("*://oxidized.example.net", "must be a URL: http[s]://host[:port][/prefix]"),
        ("ftp://oxidized.example.net", "must be an http or https URL"),
        ("http://user:hunter2@host", "may not hold user information (…@)"),
        ("http://hunter2@host", "may not hold user information (…@)"),
        ("http://ox*.example.net", 'has a "*" inside a host label; it can stand for a whole label only: *.example.net'),
        ("http://**.example.net", 'has a "*" inside a host label; it can stand for a whole label only: *.example.net'),
        ("http://[*]", 'has a "*" inside a host label; it can stand for a whole label only: *.example.net'),
        ("http://host:8*", 'has a "*" inside its port; it can stand for the whole port only: host:*'),
        ("http://host/*", 'has a "*" in its path; a prefix stands for all paths below it as it is'),
        ("http://10.0.0.*", 'has a "*" in an address; it can stand for a label of a name only'),
        ("http://*.1", 'has a "*" in an address; it can stand for a label of a name only'),
        ("http://host:0", "must have a port from 1 to 65535 behind the colon"),
        ("http://169.254.169.254", "is a link-local address, which is never asked"),
        ("http://host/a/../b", "may not hold a . or .. path segment, encoded or not"),
    ],
)
def test_a_pattern_that_is_none(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        TargetPattern.parse(text)


@pytest.mark.parametrize(
    "text,wildcard",
    [("http://a.example", False), ("http://*.example", True), ("http://a.example:*", True), ("http://a/x", False)],
)
def test_has_wildcard(text: str, *, wildcard: bool) -> None:
    assert TargetPattern.parse(text).has_wildcard is wildcard


def test_spellings_of_one_pattern_are_equal_and_shown_as_written() -> None:
    one, other = TargetPattern.parse("HTTP://Host.:80/%61"), TargetPattern.parse("http://host/a/")
    assert one == other
    assert str(one) == "HTTP://Host.:80/%61"


@pytest.mark.parametrize(
    "network,address,inside",
    [
        ("10.20.0.0/16", "10.20.3.4", True),
        ("10.20.0.0/16", "10.21.0.1", False),
        ("10.20.0.1", "10.20.0.1", True),
        ("10.20.0.1", "10.20.0.2", False),
        ("2001:db8::/32", "2001:db8::1", True),
        ("2001:db8::/32", "10.20.0.1", False),
        ("10.20.0.0/16", "::ffff:10.20.3.4", True),
        ("10.20.0.0/16", "64:ff9b::10.20.3.4", True),
        ("10.20.0.0/16", "64:ff9b:1::10.20.3.4", False),
        ("10.20.0.0/16", "2002:0a14:0304::1", False),
        ("::/0", "2001:db8::1", True),
        ("::/0", "::ffff:10.20.3.4", False),
        ("::/0", "64:ff9b::10.20.3.4", False),
        ("::1", "::1", True),
    ],
)
def test_contains(network: str, address: str, *, inside: bool) -> None:
    assert NetworkPattern.parse(network).contains(ipaddress.ip_address(address)) is inside


@pytest.mark.parametrize(
    "target,inside", [("http://10.5:8888/x", True), ("http://11.0.0.1", False), ("http://a.example", False)]
)
def test_a_network_matches_literal_addresses(target: str, *, inside: bool) -> None:
    assert NetworkPattern.parse("10.0.0.0/8").matches(parse_target(target)) is inside


@pytest.mark.parametrize(
    "text,message",
    [
        ("10.20.0.1/16", "is an address inside a network; write 10.20.0.0/16 for the network"),
        ("10.20.0.0/33", "must be a network (10.20.0.0/16, 2001:db8::/32) or an address"),
        ("10.20.0.0/", "must be a network (10.20.0.0/16, 2001:db8::/32) or an address"),
        ("010.20.0.1", "must be a network (10.20.0.0/16, 2001:db8::/32) or an address"),
        ("fd00::1%1", "may not hold an IPv6 zone (%…)"),
        ("::ffff:10.0.0.0/104", "stands for IPv4 addresses; write their IPv4 network, which holds every form of them"),
        ("64:ff9b::/96", "stands for IPv4 addresses; write their IPv4 network, which holds every form of them"),
        ("oxidized.example.net", "must be a URL (http[s]://host[:port][/prefix]) or a network (10.20.0.0/16)"),
        ("", "must be a URL (http[s]://host[:port][/prefix]) or a network (10.20.0.0/16)"),
        ("ftp://host", "must be an http or https URL"),
    ],
)
def test_an_access_pattern_that_is_none(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_access_pattern(text)


def test_an_access_pattern_is_a_url_or_a_network() -> None:
    assert parse_access_pattern("http://*.example.net:8888") == TargetPattern.parse("http://*.example.net:8888")
    assert parse_access_pattern("10.0.0.0/8") == NetworkPattern.parse("10.0.0.0/8")
    assert str(parse_access_pattern("10.0.0.0/8")) == "10.0.0.0/8"


_labels = st.from_regex(r"[a-z][a-z0-9]{0,4}", fullmatch=True)
_hosts = st.lists(_labels, min_size=1, max_size=4)
_ports = st.none() | st.integers(1, 65535)
_prefixes = st.lists(_labels | st.sampled_from(["%41", "a%20b", "a;b"]), max_size=3)


@st.composite
def _parts(draw: st.DrawFn) -> tuple[str, list[str], int | None, list[str]]:
    return draw(st.sampled_from(["http", "https"])), draw(_hosts), draw(_ports), draw(_prefixes)


def _text(scheme: str, host: list[str], port: int | str | None, prefix: list[str]) -> str:
    return f"{scheme}://{'.'.join(host)}{'' if port is None else f':{port}'}{''.join(f'/{part}' for part in prefix)}"


@given(_parts())
def test_a_pattern_without_wildcards_matches_itself_and_what_is_below(
    parts: tuple[str, list[str], int | None, list[str]],
) -> None:
    text = _text(*parts)
    pattern = TargetPattern.parse(text)
    assert not pattern.has_wildcard
    assert pattern.matches(parse_target(text))
    assert pattern.matches(parse_target(f"{text}/below"))
    if parts[3]:
        assert not pattern.matches(parse_target(f"{text}2"))


@given(_parts(), st.data())
def test_wildcards_stand_for_one_label_and_any_port_only(
    parts: tuple[str, list[str], int | None, list[str]], data: st.DataObject
) -> None:
    scheme, host, port, prefix = parts
    starred = data.draw(st.sets(st.integers(0, len(host) - 1), min_size=1))
    pattern = TargetPattern.parse(
        _text(scheme, ["*" if i in starred else label for i, label in enumerate(host)], "*", prefix)
    )
    assert pattern.matches(parse_target(_text(scheme, host, port, prefix)))
    assert not pattern.matches(parse_target(_text("https" if scheme == "http" else "http", host, port, prefix)))
    assert not pattern.matches(parse_target(_text(scheme, ["more", *host], port, prefix)))
    assert not pattern.matches(parse_target(_text(scheme, host[1:] or ["a", "b"], port, prefix)))


_few = st.builds(
    _text,
    st.sampled_from(["http", "https"]),
    st.sampled_from([["a"], ["b"], ["a", "b"]]),
    st.sampled_from([None, 80, 443]),
    st.sampled_from([[], ["x"], ["x", "y"]]),
)


@given(_few, _few)
def test_a_pattern_without_wildcards_matches_the_targets_of_its_origin_below_its_prefix(one: str, other: str) -> None:
    mine, target = parse_target(one), parse_target(other)
    below = f"{target.prefix}/".startswith(f"{mine.prefix}/")
    assert TargetPattern.parse(one).matches(target) is (mine.origin == target.origin and below)


@given(st.text(max_size=40) | st.text("htps:/*.1a[]@%", max_size=20))
@example("http://[::1%1]")
@example("http://\ud800")
@example("1/2/3")
def test_any_text_is_a_pattern_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        parse_access_pattern(text)
