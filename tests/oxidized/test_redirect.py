from __future__ import annotations

import pytest

from oxidized_exporter.errors import ProbeError, RedirectError, TargetDeniedError
from oxidized_exporter.oxidized.redirect import redirected
from oxidized_exporter.targets.url import Target, parse_target

ORIGIN = parse_target("https://oxidized.example.net:8443/old")


@pytest.mark.parametrize(
    "location",
    [
        "/new/nodes.json",
        "https://oxidized.example.net:8443/new/nodes.json",
        "HTTPS://OXIDIZED.example.net:8443/new/nodes.json",
    ],
)
def test_the_same_route_of_the_same_origin_is_followed(location: str) -> None:
    target = redirected(location, origin=ORIGIN, path="/nodes.json", permits=lambda _: True)
    assert target.base == "https://oxidized.example.net:8443/new"


@pytest.mark.parametrize(
    "location,message",
    [
        (None, "the redirect has no Location"),
        ("", "the redirect is relative"),
        ("nodes.json", "the redirect is relative"),
        ("../nodes.json", "the redirect is relative"),
        ("//evil.example/nodes.json", "the redirect is relative"),
        ("/reload", "the redirect leads to another route"),
        ("/reload?/nodes.json", "the redirect leads to a URL that may not hold a query"),
        ("/node/next/sw1", "the redirect leads to another route"),
        ("/nodes.json?token=s3cr3t", "the redirect leads to another route"),
        ("/x/../nodes.json", "the redirect leads to a URL that may not hold a . or .. path segment"),
        ("/x/%2e%2e/nodes.json", "the redirect leads to a URL that may not hold a . or .. path segment"),
        ("/x%5c..%5creload%5c/nodes.json", "the redirect leads to a URL that may not hold an encoded slash"),
        ("/\\evil/nodes.json", "the redirect leads to a URL that may not hold a backslash"),
        ("https://u:s3cr3t@oxidized.example.net:8443/nodes.json", "the redirect leads to a URL that may not hold user"),
        ("http://oxidized.example.net:8443/nodes.json", "the redirect leads to another origin"),
        ("https://oxidized.example.net/nodes.json", "the redirect leads to another origin"),
        ("https://evil.example.net:8443/nodes.json", "the redirect leads to another origin"),
        ("ftp://oxidized.example.net:8443/nodes.json", "the redirect leads to a URL that must be an http"),
    ],
)
def test_nothing_else_is(location: str | None, message: str) -> None:
    with pytest.raises(RedirectError) as caught:
        redirected(location, origin=ORIGIN, path="/nodes.json", permits=lambda _: True)
    assert str(caught.value).startswith(message)
    assert "s3cr3t" not in str(caught.value)


def test_an_address_that_is_never_asked_is_denied() -> None:
    with pytest.raises(TargetDeniedError, match="the redirect leads to what is a link-local address"):
        redirected("http://169.254.169.254/nodes.json", origin=ORIGIN, path="/nodes.json", permits=lambda _: True)


def test_what_the_caller_may_not_ask_with_the_same_credentials_is_not_followed() -> None:
    asked: list[Target] = []
    with pytest.raises(ProbeError, match="may not be asked with these credentials"):
        redirected("/new/nodes.json", origin=ORIGIN, path="/nodes.json", permits=asked.append)  # type: ignore[arg-type]
    assert [target.base for target in asked] == ["https://oxidized.example.net:8443/new"]
