"""Which targets may be named, and which addresses may be connected to: the text's part and the address's part."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxidized_exporter.errors import ForbiddenTargetError
from oxidized_exporter.targets.guard import ANY_ADDRESS, AddressPolicy, judge
from oxidized_exporter.targets.pattern import NetworkPattern, parse_access_pattern
from oxidized_exporter.targets.url import parse_target

if TYPE_CHECKING:
    from collections.abc import Iterable

UNLISTED: Final = "is neither a configured target nor listed by access.allow"
DENIED: Final = "is refused by access.deny"


def networks(*texts: str) -> tuple[NetworkPattern, ...]:
    return tuple(map(NetworkPattern.parse, texts))


def decide(
    target: str, *, configured: Iterable[str] = (), allow: Iterable[str] = (), deny: Iterable[str] = ()
) -> AddressPolicy | str:
    """Return the policy for a target's addresses, or the words in which the target is refused."""
    try:
        return judge(
            parse_target(target),
            configured={parse_target(url).base for url in configured},
            allow=tuple(map(parse_access_pattern, allow)),
            deny=tuple(map(parse_access_pattern, deny)),
        )
    except ForbiddenTargetError as error:
        return str(error)


@pytest.mark.parametrize("target", ["http://oxidized:8888", "https://a.example/x", "http://10.0.0.1", "http://[::1]"])
def test_without_targets_and_allow_any_url_may_be_named(target: str) -> None:
    assert decide(target) == ANY_ADDRESS


@pytest.mark.parametrize(
    "target,expected",
    [
        ("http://a.example:8888", ANY_ADDRESS),
        ("http://A.example:8888/", ANY_ADDRESS),
        ("a.example:8888", ANY_ADDRESS),
        ("http://a.example:8888/below", UNLISTED),
        ("http://a.example", UNLISTED),
        ("https://a.example:8888", UNLISTED),
        ("http://b.example:8888", UNLISTED),
        ("http://10.0.0.1", UNLISTED),
    ],
)
def test_with_targets_alone_only_they_may_be_named(target: str, expected: AddressPolicy | str) -> None:
    assert decide(target, configured=["http://a.example:8888"]) == expected


@pytest.mark.parametrize(
    "target,allow,expected",
    [
        ("http://a.example:8888", "http://a.example:8888", ANY_ADDRESS),
        ("http://a.example:8888/below", "http://a.example:8888", ANY_ADDRESS),
        ("http://a.example:8888/below", "http://a.example:8888/below/more", UNLISTED),
        ("http://a.example:8889", "http://a.example:8888", UNLISTED),
        ("https://a.example:8888", "http://a.example:8888", UNLISTED),
        ("http://a.example:9", "http://*.example:*", ANY_ADDRESS),
        ("http://a.b.example:9", "http://*.example:*", UNLISTED),
        ("http://10.0.0.1:9", "http://*.*.*.*:*", UNLISTED),
        ("http://0xa.1:8888", "http://10.0.0.1:8888", ANY_ADDRESS),
        ("http://10.20.3.4", "10.20.0.0/16", ANY_ADDRESS),
        ("http://10.20.772/x", "10.20.0.0/16", ANY_ADDRESS),
        ("http://[::ffff:10.20.3.4]", "10.20.0.0/16", ANY_ADDRESS),
        ("http://[64:ff9b::10.20.3.4]", "10.20.0.0/16", ANY_ADDRESS),
        ("http://10.21.0.1", "10.20.0.0/16", UNLISTED),
        ("http://[::ffff:10.21.0.1]", "10.20.0.0/16", UNLISTED),
        ("http://[64:ff9b::10.21.0.1]", "10.20.0.0/16", UNLISTED),
        ("http://[2001:db8::1]", "2001:db8::/32", ANY_ADDRESS),
        ("http://[2001:db9::1]", "2001:db8::/32", UNLISTED),
        ("http://[::ffff:10.20.3.4]", "::/0", UNLISTED),
        ("http://a.example", "10.20.0.0/16", AddressPolicy(allow=networks("10.20.0.0/16"))),
    ],
)
def test_with_an_allow_list_only_what_it_lists(target: str, allow: str, expected: AddressPolicy | str) -> None:
    assert decide(target, allow=[allow]) == expected


@pytest.mark.parametrize(
    "target,deny,expected",
    [
        ("http://a.example", "http://a.example", DENIED),
        ("http://a.example./x", "http://a.example", DENIED),
        ("http://a.example/%78/y", "http://a.example/x", DENIED),
        ("http://a.example", "http://a.example/x", ANY_ADDRESS),
        ("http://a.example:9", "http://*.example:*", DENIED),
        ("https://a.example", "http://*.example:*", ANY_ADDRESS),
        ("http://10.0.0.1", "10.0.0.0/8", DENIED),
        ("http://[::ffff:a00:1]", "10.0.0.0/8", DENIED),
        ("http://[64:ff9b::a00:1]", "10.0.0.0/8", DENIED),
        ("http://[::ffff:a00:1]:80", "http://10.0.0.1", DENIED),
        ("http://11.0.0.1", "10.0.0.0/8", AddressPolicy(deny=networks("10.0.0.0/8"))),
        ("http://a.example", "10.0.0.0/8", AddressPolicy(deny=networks("10.0.0.0/8"))),
    ],
)
def test_a_deny_list_refuses_what_it_lists(target: str, deny: str, expected: AddressPolicy | str) -> None:
    assert decide(target, deny=[deny]) == expected
    if expected == DENIED:
        assert decide(target, allow=["http://*.example:*", "0.0.0.0/0"], deny=[deny]) == DENIED


@pytest.mark.parametrize(
    "url,origin",
    [("http://10.0.0.1/x", "http://10.0.0.1"), ("https://b.example:8888/secret", "https://b.example:8888")],
)
def test_a_refusal_names_the_origin_for_the_log_and_no_more_of_the_url(url: str, origin: str) -> None:
    lists = (parse_access_pattern("http://a.example"), parse_access_pattern("10.0.0.0/8"))
    with pytest.raises(ForbiddenTargetError) as caught:
        judge(parse_target(url), configured=set(), allow=lists[:1], deny=lists[1:])
    assert caught.value.origin == origin
    assert origin not in str(caught.value)


def test_a_name_that_a_url_allows_is_bound_to_no_network_but_to_the_denied_ones() -> None:
    policy = decide("http://a.example", allow=["http://a.example", "10.0.0.0/8"], deny=["10.1.0.0/16"])
    assert policy == AddressPolicy(deny=networks("10.1.0.0/16"))


def test_a_name_that_only_networks_allow_is_bound_to_all_of_them() -> None:
    policy = decide("http://a.example", allow=["10.0.0.0/8", "http://b.example", "fd00::/8"], deny=["10.1.0.0/16"])
    assert policy == AddressPolicy(allow=networks("10.0.0.0/8", "fd00::/8"), deny=networks("10.1.0.0/16"))


def test_a_configured_target_passes_whatever_the_lists_say() -> None:
    lists = {"allow": ["http://b.example"], "deny": ["http://a.example", "0.0.0.0/0"]}
    assert decide("http://a.example", configured=["http://a.example"], **lists) == ANY_ADDRESS
    assert decide("http://a.example/x", configured=["http://a.example"], **lists) == DENIED


@pytest.mark.parametrize("address", ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:1]"])
def test_a_forbidden_address_is_refused_whatever_the_lists_say(address: str) -> None:
    """Its text is no target at all, so neither a list nor the configuration can name it."""
    assert "which is never asked" in str(decide(f"http://{address}", allow=["0.0.0.0/0", "::/0", "http://a.example"]))
    with pytest.raises(ValueError, match="which is never asked"):
        parse_access_pattern(f"http://{address}")


_FORBIDDEN: Final = (
    "169.254.169.254 fe80::1 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe:: 0.0.0.0 :: ff02::1"
)


@pytest.mark.parametrize("address", _FORBIDDEN.split())
@pytest.mark.parametrize("policy", [ANY_ADDRESS, AddressPolicy(allow=networks("0.0.0.0/0", "::/0"))])
def test_no_policy_lets_a_forbidden_address_pass(policy: AddressPolicy, address: str) -> None:
    assert str(policy.refusal(ipaddress.ip_address(address))).endswith("which is never asked")


@pytest.mark.parametrize("address", ["10.0.0.1", "192.0.2.1", "2001:db8::1", "::ffff:10.0.0.1"])
def test_without_lists_every_other_address_may_be_connected_to(address: str) -> None:
    assert ANY_ADDRESS.refusal(ipaddress.ip_address(address)) is None


_POLICY: Final = AddressPolicy(allow=networks("10.20.0.0/16", "2001:db8::/32"), deny=networks("10.20.30.0/24"))


@pytest.mark.parametrize(
    "address,refusal",
    [
        ("10.20.3.4", None),
        ("::ffff:10.20.3.4", None),
        ("64:ff9b::10.20.3.4", None),
        ("2001:db8::1", None),
        ("10.21.0.1", "which access.allow does not list"),
        ("::ffff:10.21.0.1", "which access.allow does not list"),
        ("64:ff9b::10.21.0.1", "which access.allow does not list"),
        ("2002:0a15:1::1", "which access.allow does not list"),
        ("127.0.0.1", "which access.allow does not list"),
        ("::1", "which access.allow does not list"),
        ("10.20.30.1", "which access.deny refuses"),
        ("::ffff:10.20.30.1", "which access.deny refuses"),
        ("64:ff9b::10.20.30.1", "which access.deny refuses"),
    ],
)
def test_an_address_is_judged_as_what_it_stands_for(address: str, refusal: str | None) -> None:
    assert _POLICY.refusal(ipaddress.ip_address(address)) == refusal


_HOSTS: Final = ["a.example", "b.example", "10.0.0.1", "0xa.1", "[::ffff:10.0.0.1]", "[64:ff9b::b00:1]", "[::1]"]
_URLS: Final = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "https"]),
    st.sampled_from(_HOSTS),
    st.sampled_from(["", ":8888"]),
    st.sampled_from(["", "/x", "/x/y"]),
)
_PATTERNS: Final = _URLS | st.sampled_from(
    ["http://*.example:*", "https://*.example/x", "http://*:8888", "10.0.0.0/8", "11.0.0.0/8", "::1", "fd00::/8"]
)
_LISTS: Final = st.lists(_PATTERNS, max_size=4)
_ADDRESSES: Final = st.sampled_from(["10.0.0.1", "11.0.0.1", "12.0.0.1", "::1", "fd00::1", "169.254.169.254"])
_SPELLINGS: Final = st.sampled_from(["{}", "::ffff:{}", "64:ff9b::{}", "::{}"])


@given(_URLS, st.lists(_URLS, max_size=2), _LISTS, _LISTS, _ADDRESSES, _SPELLINGS)
def test_what_passes_is_configured_or_allowed_and_not_denied(  # noqa: PLR0917 - hypothesis passes by position
    url: str, configured: list[str], allow: list[str], deny: list[str], address: str, spelling: str
) -> None:
    policy = decide(url, configured=configured, allow=allow, deny=deny)
    target = parse_target(url)
    is_configured = target.base in {parse_target(one).base for one in configured}
    is_allowed, is_denied = (
        any(parse_access_pattern(text).matches(target) for text in texts) for texts in (allow, deny)
    )
    allowed, denied = ([text for text in texts if "://" not in text] for texts in (allow, deny))
    if not isinstance(policy, AddressPolicy):
        assert not is_configured
        assert is_denied or not is_allowed
        return
    assert is_configured or not is_denied
    resolved = ipaddress.ip_address(address if ":" in address else spelling.format(address))
    inside = {
        text: ipaddress.ip_address(address) in ipaddress.ip_network(text)  # what the spelling stands for
        for text in (*allowed, *denied)
    }
    if policy.refusal(resolved) is None:
        assert address != "169.254.169.254"
        assert is_configured or not any(inside[text] for text in denied)
        restricted = bool(configured or allow) and not is_configured and not is_allowed
        assert not restricted or (target.address is None and any(inside[text] for text in allowed))


@pytest.mark.parametrize(
    "spelling",
    [
        "[2a01:4f8:bad:1:0:5efe:a14:1]",  # ISATAP: whoever has the network in front chooses the rest
        "[2002:a14:1::5]",  # 6to4
        "[2001:0:1:1:0:0:f5eb:fffe]",  # Teredo
        "[::ffff:0:a14:1]",  # IPv4-translated
        "[64:ff9b:1::a14:1]",  # NAT64 of one's own
    ],
)
def test_an_address_that_only_holds_an_allowed_one_is_not_it(spelling: str) -> None:
    allow = (parse_access_pattern("10.20.0.0/16"), parse_access_pattern("http://10.20.0.1:8888"))
    target = parse_target(f"http://{spelling}:8888")
    with pytest.raises(ForbiddenTargetError):
        judge(target, configured=set(), allow=allow, deny=())
    assert target.address is not None
    networks = tuple(pattern for pattern in allow if isinstance(pattern, NetworkPattern))
    assert AddressPolicy(allow=networks).refusal(target.address) is not None


@pytest.mark.parametrize(
    "denied,spelling",
    [
        ("10.20.0.0/16", "[2a01:4f8:bad:1:0:5efe:a14:1]"),
        ("10.20.0.0/16", "[64:ff9b:1:a14:0:100::]"),
        ("2001:db8::/32", "[2001:db8::5efe:102:304]"),
        ("::/0", "[64:ff9b::808:808]"),
    ],
)
def test_for_what_is_denied_every_reading_of_an_address_counts(denied: str, spelling: str) -> None:
    network = parse_access_pattern(denied)
    target = parse_target(f"http://{spelling}")
    with pytest.raises(ForbiddenTargetError, match=DENIED):
        judge(target, configured=set(), allow=(), deny=(network,))
    assert isinstance(network, NetworkPattern)
    assert target.address is not None
    assert AddressPolicy(deny=(network,)).refusal(target.address) == "which access.deny refuses"
