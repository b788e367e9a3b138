"""The configuration file: it is taken or refused with all its faults, and no secret in it is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from oxidized_exporter.config import load_config
from oxidized_exporter.config.document import mapping, read_document
from oxidized_exporter.config.loader import parse_config
from oxidized_exporter.config.render import render
from oxidized_exporter.config.text import Place
from oxidized_exporter.errors import ConfigError, ForbiddenTargetError
from oxidized_exporter.scrape.nodes import collect_nodes
from oxidized_exporter.scrape.plan import plan
from oxidized_exporter.targets.url import parse_target
from tests.fuzz.files import MARK, check_faults, names_files_elsewhere, shows_mark, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oxidized_exporter.config import Config
    from oxidized_exporter.config.document import Document, KeyPath

_NO_FILES: Final = Place(check_files=False)
_CONNECTIONS: Final = "connections"
_HEADER_DEPTH: Final = 4
_NODES: Final = json.dumps(
    [
        {"name": "sw-1", "full_name": "access/sw-1", "group": "access", "model": "IOS", "ip": "10.20.0.1"},
        {"name": "rtr\n2", "full_name": "core/rtr\n2", "group": "core", "model": "JunOS", "ip": "2001:db8::1"},
    ]
).encode()
_TARGETS: Final = tuple(
    map(parse_target, ("http://a.example.net:8888", "https://b.example.net/oxidized", "http://10.20.0.1", "[::1]:80"))
)


def check(data: bytes) -> None:
    """Load a file; where it is taken, make use of it, and load again what it is shown as."""
    path = write(data, "config.yml")
    try:
        config = load_config(str(path), check_files=not names_files_elsewhere(data))
    except ConfigError as error:
        check_faults(error.faults, path=path, data=path.read_bytes())
        assert not shows_mark(error.faults) or _may_be_shown(_document(data)), "a secret is shown"  # noqa: PT017 - nothing need be raised
        return
    _check_shown(config, _document(data))
    _check_used(config)


def _document(data: bytes) -> Document:
    return read_document(data.decode("utf-8-sig", "replace"))


def _check_shown(config: Config, document: Document) -> None:
    shown = render(config)
    assert MARK not in shown or any(
        MARK in text and not _is_secret(path) for path, text in _texts(document.data, ())
    ), "a secret is shown"
    again = parse_config(shown, file="f", place=_NO_FILES)
    assert render(again) == shown, "what is shown is another configuration"


def _check_used(config: Config) -> None:
    for module in config.modules.values():
        summary = collect_nodes(_NODES, module=module, limits=config.limits) if config.limits.rows > 1 else None
        assert summary is None or len(summary.shown) <= module.max_devices
        for device in summary.nodes.devices if summary is not None else ():
            module.selects(device)
        for one in module.configs.checks.values():
            one.applies(model="IOS", group="core")
            one.holds(b"hostname a\nntp server 10.0.0.1\nend\n")
    configured = {entry.target.base: entry.target for entry in config.targets.values()}
    for target in (*_TARGETS, *configured.values()):
        try:
            planned = plan(target, config=config)
        except ForbiddenTargetError:
            assert target.base not in configured, "a configured target is forbidden"
        else:
            assert planned.connection is config.connection_for(target)


def _may_be_shown(document: Document) -> bool:
    """Tell whether the mark stands where no secret does, and may be repeated."""
    paths = {*document.lines, *(issue.path for issue in document.issues)}
    if any(MARK in str(step) and _is_shown_key(path[: place + 1]) for path in paths for place, step in enumerate(path)):
        return True
    modules = mapping(document.data).get("modules")  # RE2 quotes of an expression what it does not take
    return any(MARK in text for _, text in _texts(modules, ()))


def _is_shown_key(path: KeyPath) -> bool:
    return path[0] != _CONNECTIONS or len(path) == 1 or (len(path) == _HEADER_DEPTH and path[2] == "http_headers")


def _is_secret(path: KeyPath) -> bool:
    return path[0] == _CONNECTIONS and (
        path[2:] in {("basic_auth", "password"), ("authorization", "credentials")}
        or (path[2:3] == ("http_headers",) and path[_HEADER_DEPTH : _HEADER_DEPTH + 1] in {("values",), ("secrets",)})
    )


def _texts(found: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """Yield keys and texts, each with the path that leads to it."""
    if isinstance(found, dict):
        for key, value in found.items():
            yield path, key
            yield from _texts(value, (*path, key))
    elif isinstance(found, list):
        for place, value in enumerate(found):
            yield from _texts(value, (*path, place))
    elif isinstance(found, str):
        yield path, found
