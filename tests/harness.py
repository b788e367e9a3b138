"""The exporter and simulated Oxidized instances on real sockets, and a reader of what the exporter answers."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as text_string_to_openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from oxidized_exporter.compose import open_exporter
from oxidized_exporter.config import Config, Connection
from oxidized_exporter.simulator import REQUESTS
from oxidized_exporter.targets.pattern import TargetPattern
from oxidized_exporter.web.app import create_app
from oxidized_exporter.web.listen_address import ListenAddress
from oxidized_exporter.web.server import Server
from oxidized_exporter.web.state import Exporter, Settings

if TYPE_CHECKING:
    import ssl
    from asyncio.trsock import TransportSocket
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from aiohttp.abc import AbstractResolver
    from prometheus_client.metrics_core import Metric

SamplesKey = tuple[str, frozenset[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Exposition:
    """An answer in text format, read with prometheus_client's parser."""

    text: str
    samples: Mapping[SamplesKey, float]

    @classmethod
    def parse(cls, text: str) -> Exposition:
        samples: dict[SamplesKey, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                assert key not in samples, f"{key} stands twice"
                samples[key] = sample.value
        return cls(text, samples)

    def value(self, name: str, /, **labels: str) -> float:
        return self.samples[name, frozenset(labels.items())]

    def all(self, name: str) -> list[tuple[dict[str, str], float]]:
        return [(dict(labels), value) for (known, labels), value in self.samples.items() if known == name]

    def reason(self, **labels: str) -> str | None:
        found = [
            info["reason"] for info, _ in self.all("oxidized_probe_failure_info") if labels.items() <= info.items()
        ]
        assert len(found) <= 1
        return found[0] if found else None


class Probing:
    """A client of a running exporter."""

    def __init__(self, session: aiohttp.ClientSession, *, port: int, exporter: Exporter, app: web.Application) -> None:
        self.session = session
        self.port = port
        self.exporter = exporter
        self.app = app

    async def get(self, path: str, **headers: str) -> aiohttp.ClientResponse:
        return await self.session.get(path, headers=headers)

    async def probe(self, *targets: str, timeout_seconds: float | None = None) -> Exposition:
        """Probe and require 200, the promise that a scrape is never lost."""
        headers = {}
        if timeout_seconds is not None:
            headers["X-Prometheus-Scrape-Timeout-Seconds"] = str(timeout_seconds)
        params = [("target", target) for target in targets]
        async with self.session.get("/probe", params=params, headers=headers) as response:
            text = await response.text()
            assert response.status == 200, text
            return Exposition.parse(text)


@asynccontextmanager
async def running_exporter(
    *,
    config: Config | None = None,
    settings: Settings | None = None,
    resolver: AbstractResolver | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> AsyncIterator[Probing]:
    """Serve an exporter on a free port; without settings it takes nothing off the scrape's time-out."""
    async with open_exporter(
        config=config or Config(), settings=settings or Settings(timeout_offset=0), resolver=resolver, clock=clock
    ) as exporter:
        app = create_app(exporter)
        server = Server(app, addresses=(ListenAddress("127.0.0.1", 0),))
        await server.start()
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{server.ports[0]}") as session:
                yield Probing(session, port=server.ports[0], exporter=exporter, app=app)
        finally:
            await server.close()


def connecting(*patterns: str, **settings: Any) -> Config:
    """Return a configuration with one connection, which serves every target on loopback if not told otherwise."""
    texts = patterns or ("http://127.0.0.1:*", "https://127.0.0.1:*")
    return Config(connections=(Connection(targets=tuple(map(TargetPattern.parse, texts)), **settings),))


@asynccontextmanager
async def running(app: web.Application, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve an application on a free port of the loopback interface; yields its URL without a slash at its end."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{site.port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def running_raw(answer: bytes, *, then_reset: bool = False) -> AsyncIterator[str]:
    """Serve the same bytes to every connection, whatever is asked; yields the URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        if then_reset:
            let_closing_reset(writer.get_extra_info("socket"))
            writer.transport.abort()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def let_closing_reset(connection: socket.socket | TransportSocket) -> None:
    """Let the end of a connection be a reset, which loses what the other side has not read."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # struct linger: on, 0 s


def asked(app: web.Application) -> list[str]:
    """Return the paths that a simulated Oxidized was asked for, oldest first."""
    requests = app[REQUESTS]
    return list(requests)


openmetrics_families: Callable[[str], Iterable[Metric]] = text_string_to_openmetrics_families
