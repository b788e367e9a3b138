"""Which path runs what, and the answers."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from oxidized_exporter.simulator.broken import HTML_HEADERS, JSON_HEADERS, TEXT_HEADERS, not_found, server_error
from oxidized_exporter.simulator.nodes_list import nodes_json
from oxidized_exporter.simulator.rack import rack_path, split_format
from oxidized_exporter.simulator.stats_page import stats_html, stats_json
from oxidized_exporter.simulator.storage import NoFileError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oxidized_exporter.simulator.daemon import Daemon
    from oxidized_exporter.simulator.lock import DaemonLock
    from oxidized_exporter.simulator.release import Release

_NODE = re.compile(r"/node/(?P<act>fetch|next)/?(?P<group>.*?)/(?P<name>[^/]+)", re.DOTALL)
_READING = frozenset({"GET", "HEAD"})


class Routes:
    """Oxidized's routes below a prefix; `answer` is the handler of every request."""

    def __init__(self, daemon: Daemon, *, prefix: str, release: Release, lock: DaemonLock) -> None:
        self._daemon = daemon
        self._prefix = prefix
        self._release = release
        self._lock = lock
        self._fixed: dict[str, Callable[[web.Request], Awaitable[web.Response]]] = {
            "/": self._root,
            "/nodes.json": self._nodes,
            "/nodes/stats": self._stats_page,
            "/nodes/stats.json": self._stats_json,
            "/reload": self._reload_text,
            "/reload.json": self._reload_json,
        }

    def path_of(self, request: web.Request) -> str | None:
        """Return a request's path as Rack reads it below the prefix; None for one outside.

        The prefix is compared before anything is decoded, as Rack mounts an app: dots cannot lead out of it.
        """
        raw = request.raw_path.partition("?")[0]
        if not raw.startswith(self._prefix):
            return None
        below = raw[len(self._prefix) :]
        return rack_path(below) if not below or below.startswith("/") else None

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a request rightly, whatever became of the daemon's devices since the last one."""
        path = self.path_of(request) if request.method in _READING else None
        if path is None:
            return not_found(request)
        if path in self._fixed:
            return await self._fixed[path](request)
        match = _NODE.fullmatch(path)
        if match is None:
            return not_found(request)
        name, as_json = split_format(match["name"])
        if match["act"] == "next":
            return await self._next(request, name, as_json=as_json)
        return await self._fetch(request, name, match["group"] or None, as_json=as_json)

    async def _root(self, _request: web.Request) -> web.Response:
        location = f"{self._prefix}/nodes"
        return web.Response(status=HTTPStatus.FOUND, headers=HTML_HEADERS | {"Location": location})

    async def _nodes(self, request: web.Request) -> web.Response:
        async with self._lock.taken(request):
            return web.Response(body=nodes_json(self._daemon.nodes()), headers=JSON_HEADERS)

    async def _stats_page(self, _request: web.Request) -> web.Response:
        return web.Response(body=stats_html(self._daemon.stats(), self._release), headers=HTML_HEADERS)

    async def _stats_json(self, _request: web.Request) -> web.Response:
        return web.Response(body=stats_json(self._daemon.stats()), headers=JSON_HEADERS)

    async def _reload_text(self, request: web.Request) -> web.Response:
        return await self._reload(request, as_json=False)

    async def _reload_json(self, request: web.Request) -> web.Response:
        return await self._reload(request, as_json=True)

    async def _reload(self, request: web.Request, *, as_json: bool) -> web.Response:
        async with self._lock.taken(request):
            self._daemon.reload()
        return _text(b"reloaded list of nodes", as_json=as_json)

    async def _next(self, request: web.Request, name: str, *, as_json: bool) -> web.Response:
        async with self._lock.taken(request):
            try:
                self._daemon.next_named(name)
            except KeyError:
                return server_error()
        return _text(b"ok", as_json=True) if as_json else await self._root(request)

    async def _fetch(self, request: web.Request, name: str, group: str | None, *, as_json: bool) -> web.Response:
        await self._lock.taken_for_fetch(request)
        try:
            text = self._daemon.fetch(name, group)
        except KeyError:
            if not self._release.names_unknown:
                return server_error()
            text = f"unable to find '{name}'".encode(errors="surrogateescape")
        except NoFileError:
            return server_error()
        return _text(text, as_json=as_json)


def _text(text: bytes | None, *, as_json: bool) -> web.Response:
    """Answer with a text as it is, None as nothing, or with its lines as JSON, None as null."""
    if not as_json:
        return web.Response(body=text or b"", headers=TEXT_HEADERS)
    try:
        lines = None if text is None else re.findall(r"[^\n]*\n|[^\n]+", text.decode())
    except UnicodeDecodeError:
        # JSON has no spelling for such bytes: Ruby's generator raises.
        return server_error()
    return web.Response(
        body=json.dumps(lines, separators=(",", ":"), ensure_ascii=False).encode(), headers=JSON_HEADERS
    )
