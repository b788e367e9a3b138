"""What keys mean to each other, within an entry and between sections.

All of it is asked of the plain data, so that a wrong type elsewhere hides none of it; what has the wrong type itself is
passed over, since that is a fault already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from oxidized_exporter.config.document import Issue, mapping
from oxidized_exporter.config.files import check_key_pair, check_readable
from oxidized_exporter.config.model import DEFAULT_MODULE
from oxidized_exporter.config.urls import parse_target_url
from oxidized_exporter.targets.address import forbidden
from oxidized_exporter.targets.pattern import NetworkPattern, TargetPattern, parse_access_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from oxidized_exporter.config.document import KeyPath
    from oxidized_exporter.config.text import Place
    from oxidized_exporter.targets.pattern import AccessPattern
    from oxidized_exporter.targets.url import Target
_T = TypeVar("_T")

_EITHER_OR: Final = {
    "basic_auth": (("username", "username_file"), ("password", "password_file")),
    "authorization": (("credentials", "credentials_file"),),
}
_NEEDED: Final = {"basic_auth": ("username", "username_file"), "authorization": ("credentials", "credentials_file")}


def check(data: Any, *, place: Place) -> Iterator[Issue]:
    """Yield what is wrong between the keys of ``data``."""
    data = mapping(data)
    modules, targets = mapping(data.get("modules")), mapping(data.get("targets"))
    for name, module in modules.items():
        yield from _repeated(mapping(module).get("collectors"), ("modules", name, "collectors"))
        yield from _configs(mapping(mapping(module).get("configs")), ("modules", name, "configs"))
    yield from _connections(_list(data.get("connections")), place=place)
    yield from _access(mapping(data.get("access")))
    yield from _targets(targets, deny=_list(mapping(data.get("access")).get("deny")))
    if data.get("modules") is None or isinstance(data["modules"], dict):
        yield from _references(targets, modules={DEFAULT_MODULE, *modules})


def _configs(configs: Mapping[str, Any], path: KeyPath) -> Iterator[Issue]:
    for name, entry in mapping(configs.get("checks")).items():
        if isinstance(entry, dict) and ("must_match" in entry) == ("must_not_match" in entry):
            which = "only one of" if "must_match" in entry else "one of"
            yield Issue((*path, "checks", name), f"must have {which} must_match and must_not_match")


def _references(targets: Mapping[str, Any], *, modules: set[str]) -> Iterator[Issue]:
    for name, entry in targets.items():
        module = mapping(entry).get("module", DEFAULT_MODULE)
        if isinstance(module, str) and module not in modules:
            there = ", ".join(sorted(modules))
            yield Issue(("targets", name, "module"), f"no module of this name is configured; there are: {there}")


def _targets(targets: Mapping[str, Any], *, deny: list[Any]) -> Iterator[Issue]:
    denied = [(index, parsed) for index, text in enumerate(deny) if (parsed := _parsed(parse_access_pattern, text))]
    first: dict[str, str] = {}
    for name, entry in targets.items():
        path: KeyPath = ("targets", name, "url")
        target: Target | None = _parsed(parse_target_url, mapping(entry).get("url"))
        if target is None:
            continue
        if (other := first.setdefault(target.base, name)) != name:
            yield Issue(path, f"is the URL of the target {other} too")
        for index, pattern in denied:
            if pattern.refuses(target):
                yield Issue(path, f"is refused by access.deny[{index}]")


def _access(access: Mapping[str, Any]) -> Iterator[Issue]:
    for key in ("allow", "deny"):
        yield from _repeated(access.get(key), ("access", key))
    for index, text in enumerate(_list(access.get("allow"))):
        pattern: AccessPattern | None = _parsed(parse_access_pattern, text)
        if isinstance(pattern, NetworkPattern):
            network = pattern.network
            why = forbidden(network.network_address)
            if why and why == forbidden(network.broadcast_address):
                yield Issue(("access", "allow", index), f"is {why}, which is never asked")


def _connections(connections: list[Any], *, place: Place) -> Iterator[Issue]:
    first: dict[TargetPattern, KeyPath] = {}
    for number, entry in enumerate(connections):
        connection, path = mapping(entry), ("connections", number)
        secret = _sends_credentials(connection)
        for index, text in enumerate(_list(connection.get("targets"))):
            here = (*path, "targets", index)
            pattern: TargetPattern | None = _parsed(TargetPattern.parse, text)
            if pattern is None:
                continue
            if first.setdefault(pattern, here) != here:
                other = first[pattern]
                yield Issue(here, f"stands in connections[{other[1]}] too, which serves what matches it")
            if secret and pattern.scheme == "http" and pattern.has_wildcard:
                yield Issue(
                    here, "would send credentials in clear to whatever matches the *; write https, or name the hosts"
                )
        yield from _credentials(connection, path)
        yield from _tls(mapping(connection.get("tls_config")), (*path, "tls_config"), place=place)
        yield from _headers(mapping(connection.get("http_headers")), (*path, "http_headers"))


def _credentials(connection: Mapping[str, Any], path: KeyPath) -> Iterator[Issue]:
    if "basic_auth" in connection and "authorization" in connection:
        yield Issue((*path, "authorization"), "may not stand beside basic_auth; one request has one Authorization")
    for name, pairs in _EITHER_OR.items():
        section = connection.get(name)
        if not isinstance(section, dict):
            continue
        for one, other in pairs:
            if one in section and other in section:
                yield Issue((*path, name, other), f"may not stand beside {one}; leave one of the two out")
        if not any(key in section for key in _NEEDED[name]):
            yield Issue((*path, name), f"must have {' or '.join(_NEEDED[name])}")


def _tls(tls: Mapping[str, Any], path: KeyPath, *, place: Place) -> Iterator[Issue]:
    for one, other in (("cert_file", "key_file"), ("key_file", "cert_file")):
        if one in tls and other not in tls:
            yield Issue((*path, one), f"needs {other} beside it")
    certificate, key = tls.get("cert_file"), tls.get("key_file")
    if place.check_files and isinstance(certificate, str) and isinstance(key, str):
        paths = place.path(certificate), place.path(key)
        if all(_is_readable(file) for file in paths):
            try:
                check_key_pair(*paths)
            except ValueError as error:
                yield Issue((*path, "key_file"), str(error))


def _headers(headers: Mapping[str, Any], path: KeyPath) -> Iterator[Issue]:
    first: dict[str, str] = {}
    for name, header in headers.items():
        if (other := first.setdefault(name.lower(), name)) != name:
            yield Issue((*path, name), f"is the header {other} again")
        if isinstance(header, dict) and not any(header.get(key) for key in ("values", "secrets", "files")):
            yield Issue((*path, name), "must have values, secrets or files")


def _sends_credentials(connection: Mapping[str, Any]) -> bool:
    headers = mapping(connection.get("http_headers")).values()
    return (
        "basic_auth" in connection
        or "authorization" in connection
        or any(mapping(header).get(key) for header in headers for key in ("secrets", "files"))
    )


def _repeated(entries: Any, path: KeyPath) -> Iterator[Issue]:
    first: dict[str, int] = {}
    for index, entry in enumerate(_list(entries)):
        if isinstance(entry, str) and first.setdefault(entry, index) != index:
            yield Issue((*path, index), "stands twice in this list")


def _parsed(parse: Callable[[str], _T], text: Any) -> _T | None:
    """Return what ``text`` is read as, or None where it cannot be."""
    try:
        return parse(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _is_readable(path: Path) -> bool:
    try:
        check_readable(path)
    except ValueError:
        return False
    return True


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
