"""The exporter with a web configuration, on real sockets."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp

from oxidized_exporter.compose import open_exporter
from oxidized_exporter.config import Config
from oxidized_exporter.web.app import create_app
from oxidized_exporter.web.listen_address import ListenAddress
from oxidized_exporter.web.server import Server
from oxidized_exporter.web.state import Exporter, Settings
from oxidized_exporter.web.web_config_loader import load_web_config
from tests.harness import Exposition

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

PAIR = {"cert_file": "server.crt", "key_file": "server.key"}
MUTUAL = {**PAIR, "client_auth_type": "RequireAndVerifyClientCert", "client_ca_file": "ca.pem"}


@dataclass(frozen=True, slots=True)
class Serving:
    """An exporter that serves as a file says."""

    exporter: Exporter
    server: Server
    path: Path

    @property
    def port(self) -> int:
        return self.server.ports[0]

    async def ask(
        self, path: str = "/metrics", *, tls: ssl.SSLContext | None = None, **kwargs: Any
    ) -> tuple[int, aiohttp.ClientResponse, str]:
        """Ask over a connection of its own; returns status, answer and text."""
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
            url = f"{'https' if tls else 'http'}://localhost:{self.port}{path}"
            async with session.get(url, ssl=tls or True, **kwargs) as answer:
                return answer.status, answer, await answer.text()

    async def metric(self, name: str, *, reason: str | None = None, **kwargs: Any) -> float:
        """Return the value of a metric of the exporter's own; ``reason`` is its label where it has one."""
        _, _, text = await self.ask("/metrics", **kwargs)
        return Exposition.parse(text).value(name, **({} if reason is None else {"reason": reason}))


def as_user(name: str, password: str) -> dict[str, str]:
    """Return the headers of a request from that user."""
    return {"Authorization": aiohttp.encode_basic_auth(name, password)}


def write(path: Path, config: Any) -> None:
    """Write a web configuration; JSON is YAML."""
    path.write_text(json.dumps(config))


@asynccontextmanager
async def serving(path: Path, config: Any, *, host: str = "localhost") -> AsyncIterator[Serving]:
    """Write ``config`` into the file ``path`` and serve as it says, on ``host``."""
    write(path, config)
    reading = await asyncio.to_thread(load_web_config, str(path))
    settings = Settings(timeout_offset=0)
    async with open_exporter(config=Config(), settings=settings, web_config=reading) as exporter:
        server = Server(create_app(exporter), addresses=(ListenAddress(host, 0),))
        await server.start()
        try:
            yield Serving(exporter, server, path)
        finally:
            await server.close()


async def until(holds: Callable[[], object]) -> None:
    """Let the loop run until it is so: the server does it in tasks that tell nobody."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0.001)
