"""What a caller names, and the devices that a node list names: nothing that is accepted leads elsewhere.

An input is up to three lines: a target, a device's group, its name.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import unquote, urlsplit

from oxidized_exporter.errors import BadParameterError, ForbiddenTargetError
from oxidized_exporter.oxidized.configuration import Skip, fetch_path
from oxidized_exporter.simulator.rack import rack_path, split_format
from oxidized_exporter.targets.address import embedded_ipv4, forbidden
from oxidized_exporter.targets.guard import ANY_ADDRESS, judge
from oxidized_exporter.targets.pattern import NetworkPattern, TargetPattern, parse_access_pattern
from oxidized_exporter.targets.url import parse_target
from tests.fuzz.files import MARK

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxidized_exporter.targets.url import Target

_Read = TypeVar("_Read")

_PATHS: Final = ("/nodes.json", "/nodes/stats")
_OTHER: Final = TargetPattern.parse("http://another.example.net:1")
_SHORTEST_QUOTED: Final = 12  # characters; what is shorter may be a word of a message


def check(data: bytes) -> None:
    """Read the lines as a target, as a pattern, and as a device."""
    text, group, name, *_ = (*data.decode(errors="surrogateescape").split("\n"), "", "", "")
    target = _read(text, parse_target, BadParameterError, ForbiddenTargetError)
    if target is not None:
        _check_spelling(text, target)
        _check_host(target)
        _check_guard(target)
        for path in _PATHS:
            _check_path(target, path, reached=path, at_least=path)
    _check_device(target, group, name)
    _check_pattern(text, target)


def _read(text: str, parse: Callable[[str], _Read], *errors: type[Exception]) -> _Read | None:
    try:
        return parse(text)
    except errors as error:
        said = str(error)
        assert said.isprintable(), "a message is no line"
        assert len(text) < _SHORTEST_QUOTED or text not in said, "a message repeats the text"
        assert MARK not in said, "a message repeats a part of the text"
        return None


def _check_spelling(text: str, target: Target) -> None:
    assert target.label == text
    assert text.isascii()
    assert text.isprintable()
    assert parse_target(target.label) == target, "its label is another target"
    again = parse_target(target.base)
    assert (again.base, again.url("/x")) == (target.base, target.url("/x")), "its base is another target"
    assert "@" not in target.origin
    assert MARK not in target.origin or MARK in target.host


def _check_host(target: Target) -> None:
    """Hold the host to what libraries make of it: what is an address for any of them is judged as one."""
    parts = urlsplit(target.base)
    assert (parts.scheme, parts.hostname) == (target.scheme, target.host), "urllib reads another host"
    url = target.url("/")
    assert (url.raw_host, url.port) == (target.host, target.port), "yarl reads another host"
    assert 1 <= target.port <= 65535
    address = target.address
    if address is None:
        try:
            socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except (socket.gaierror, UnicodeError):
            return
        raise AssertionError("the system takes a name for an address")
    assert forbidden(address) is None, "an address that is never asked is accepted"
    assert str(ip_address(target.host)) == target.host, "an address is not canonical"


def _check_path(target: Target, path: str, *, reached: str, at_least: str) -> None:
    """Hold a path to how Rack reads it, and how it does behind a proxy that has decoded it once."""
    url = target.url(path)
    raw = url.raw_path_qs
    assert raw == target.prefix + path, "a library has changed the path"
    assert not url.raw_query_string
    assert not url.raw_fragment
    prefix = unquote(target.prefix)
    assert rack_path(raw) == prefix + reached, "it leads elsewhere"
    assert rack_path(unquote(raw)).startswith(prefix + at_least), "it leads elsewhere by way of a proxy"
    segments = rack_path(raw).split("/")[1:]
    for cut in range(prefix.count("/") + 1):  # wherever between them Oxidized may be
        assert not "/".join(segments[cut:]).startswith("node/next"), "it is no read"


def _check_device(target: Target | None, group: str, name: str) -> None:
    for full_name in (f"{group}/{name}", name):
        path = fetch_path(full_name=full_name, name=name, group=group)
        if isinstance(path, Skip):
            continue
        assert split_format(name) == (name, False), "Oxidized would look for another device"
        assert rack_path(path) == f"/node/fetch/{full_name}", "Oxidized reads another path"
        assert rack_path(unquote(path)).startswith("/node/fetch/"), "a proxy makes another path of it"
        if target is not None:
            _check_path(target, path, reached=f"/node/fetch/{full_name}", at_least="/node/fetch/")


def _check_guard(target: Target) -> None:
    own = TargetPattern.parse(target.base.replace("*", "%2A"))  # a pattern may have none in its path
    assert own.matches(target), "a target is not its own pattern"
    assert judge(target, configured=(), allow=(), deny=()) == ANY_ADDRESS
    assert judge(target, configured=(target.base,), allow=(), deny=(own,)) == ANY_ADDRESS, "what is configured passes"
    for allow, deny in (((), (own,)), ((own,), (own,)), ((_OTHER,), ())):
        try:
            judge(target, configured=(), allow=allow, deny=deny)
        except ForbiddenTargetError as error:
            assert error.origin == target.origin  # noqa: PT017 - not for every target
            continue
        assert _OTHER.matches(target), "what is refused passes"
    address = target.address
    if address is not None and not embedded_ipv4(address):
        network = NetworkPattern.parse(target.host)
        assert network.matches(target), "an address is not in its own network"
        assert network.refuses(target), "an address is not refused by its own network"


def _check_pattern(text: str, target: Target | None) -> None:
    pattern = _read(text, parse_access_pattern, ValueError)
    if pattern is None:
        assert target is None or "://" not in text or "*" in text, "a target is no pattern"
        return
    assert parse_access_pattern(str(pattern)) == pattern, "a pattern's text is another pattern"
    if target is not None and "://" in text:
        assert pattern.matches(target), "a target's own text does not match it"
