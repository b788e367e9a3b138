"""The real command under load, and SIGTERM at a random moment."""

from __future__ import annotations

import asyncio
import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from signal import SIGTERM
from typing import TYPE_CHECKING, Final

from tests.stops.client import UNREAD, Scraper
from tests.stops.judging import Stop
from tests.system.held_port import LOOPBACK, held_port
from tests.system.program import COMMAND, Exporter, eventually, exporting
from tests.web.certificates import make_certificates
from tests.web.serving import PAIR, write

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from tests.stops.client import Kind
    from tests.stops.upstream import Upstream

_UNREAD_PATIENCE: Final = 120.0  # seconds: far more than there should be
_MOST_SECONDS: Final = 0.6  # from when the load is under way to the signal


@dataclass(frozen=True, slots=True)
class Tls:
    """A web configuration with TLS, and what a client of it trusts."""

    web_config: Path
    client: ssl.SSLContext


def make_tls(directory: Path) -> Tls:
    """Write certificates and a web configuration that names them."""
    certificates = make_certificates(directory)
    write(directory / "web.yml", {"tls_server_config": PAIR})
    return Tls(directory / "web.yml", certificates.client())


async def stop_under_load(*, seed: int, upstream: Upstream, tls: Tls | None, kinds: Sequence[Kind]) -> Stop:
    """Start an exporter, scrape it from all sides and stop it; over once the last client is refused.

    Args:
        seed: of the moment, and of what is asked; each stop needs another one, since no target is asked for twice.
        upstream: what is asked.
        tls: None for connections without.
        kinds: the scrapers, one of each.
    """
    with ThreadPoolExecutor(len(kinds)) as threads:  # which end with the exporter, however it ends
        async with _serving(tls) as (exporter, port):
            scrapers = [
                Scraper(
                    name=f"{seed}-{number}",
                    kind=kind,
                    port=port,
                    upstream=upstream.url,
                    tls=tls.client if tls else None,
                )
                for number, kind in enumerate(kinds)
            ]
            loop = asyncio.get_running_loop()
            load = [loop.run_in_executor(threads, scraper.scrape_until_refused) for scraper in scrapers]
            await eventually(partial(_is_under_way, scrapers), every=0.01)
            await asyncio.sleep(random.Random(seed).uniform(0, _MOST_SECONDS))  # noqa: S311 - a moment, no key
            signalled = time.monotonic()
            exporter.program.send(SIGTERM)
            code = await exporter.program.exit_code()
            exited = time.monotonic()
            await asyncio.gather(*load)
            return Stop(
                attempts=[attempt for scraper in scrapers for attempt in scraper.attempts],
                taken=await upstream.asked(),
                signalled=signalled,
                exited=exited,
                code=code,
            )


async def stop_unread(*, upstream: Upstream, tls: Tls | None) -> float:
    """Stop an exporter of which a client has asked a large answer that it does not read; returns milliseconds."""
    async with _serving(tls) as (exporter, port):
        name = "unread" if tls is None else "unread-tls"
        scraper = Scraper(name=name, kind=UNREAD, port=port, upstream=upstream.url, tls=tls.client if tls else None)
        await asyncio.to_thread(scraper.ask_and_read_nothing)
        await eventually(partial(_is_asked, upstream, name))
        signalled = time.monotonic()
        exporter.program.send(SIGTERM)
        assert await exporter.program.exit_code(patience=_UNREAD_PATIENCE) == 0
        exited = time.monotonic()
        scraper.close()
        return (exited - signalled) * 1000


@asynccontextmanager
async def _serving(tls: Tls | None) -> AsyncIterator[tuple[Exporter, int]]:
    flags = () if tls is None else (f"--web.config.file={tls.web_config}",)
    with held_port() as port:
        async with exporting(*COMMAND, f"--web.listen-address={LOOPBACK}:{port}", *flags) as exporter:
            yield exporter, port


async def _is_asked(upstream: Upstream, name: str) -> bool:
    return name in await upstream.asked()


async def _is_under_way(scrapers: Sequence[Scraper]) -> bool:
    """Tell whether each has had an answer, but for those that take their time to read one."""
    return all(scraper.attempts for scraper in scrapers if not scraper.kind.slow)
