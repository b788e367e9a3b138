"""The web configuration that is served, and how a changed file takes its place without a restart."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from oxidized_exporter.errors import place
from oxidized_exporter.web.fault_lines import told_of
from oxidized_exporter.web.rate import TokenBucket
from oxidized_exporter.web.users import Users
from oxidized_exporter.web.web_config_loader import LoadedWebConfig, read_web_config, stamps_of
from oxidized_exporter.web.web_config_opened import opened

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor
    from pathlib import Path

    from aiohttp import web

    from oxidized_exporter.web.web_config import RateLimit
    from oxidized_exporter.web.web_config_loader import Reading, Stamp

_log = structlog.stdlib.get_logger(__name__)
# A file system that hangs costs no request more than this, and only those that come in its first second.
_PATIENCE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What one state of the file means for connections and requests.

    Attributes:
        context: that connections are encrypted with; None for none.
        allowed_names: alternative names of which a client's certificate must have one; None for any.
        headers: of every answer.
        users: who may ask.
        bucket: limits the requests; None for no limit.
        rate_limit: what the bucket was made of.
    """

    context: ssl.SSLContext | None
    allowed_names: frozenset[str] | None
    headers: Mapping[str, str]
    users: Users
    bucket: TokenBucket | None
    rate_limit: RateLimit

    def add_headers(self, response: web.StreamResponse) -> None:
        """Add the headers; those that ``response`` has of its own it keeps: the landing page's policy is stricter."""
        for name, value in self.headers.items():
            response.headers.setdefault(name, value)


class Reloaded(Protocol):
    """Is told of each change of the file."""

    def __call__(self, *, successful: bool) -> None:
        """Note whether it was taken up."""


class WebConfigInForce:
    """A web configuration file, looked at for each connection and each request.

    A changed file is taken up whole. One with faults leaves what there is in force; it is logged once, and told by a
    metric until a better one comes. To take TLS, users or certificates of clients off the port is such a fault.
    """

    def __init__(
        self,
        reading: Reading,
        *,
        hashing: Executor,
        files: Executor,
        reloaded: Reloaded,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with what was read.

        Args:
            reading: what was read of the file, without faults.
            hashing: where passwords are checked.
            files: where files are looked at and read; one thread.
            reloaded: told of each change whether it was taken up.
            clock: monotonic seconds.
        """
        if reading.loaded is None:
            raise ValueError("what is served has no faults")
        self._path = reading.path
        self._hashing = hashing
        self._files = files
        self._reloaded = reloaded
        self._clock = clock
        self._stamps = reading.stamps
        self._config = reading.loaded.config
        self._serving = self._made(reading.loaded, before=None)
        self._looking: asyncio.Task[None] | None = None
        self._since = 0.0

    @property
    def present(self) -> Serving:
        """What is in force, whatever has become of the file."""
        return self._serving

    async def current(self) -> Serving:
        """Look whether one of the files has changed, and return what is in force then.

        Who comes while somebody looks waits for the same answer; nobody waits longer than a second after it was begun.
        """
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look())
            self._since = self._clock()
        patience = self._since + _PATIENCE_SECONDS - self._clock()
        if patience > 0:
            await asyncio.wait({self._looking}, timeout=patience)
        return self._serving

    async def _look(self) -> None:
        try:
            reading = await asyncio.get_running_loop().run_in_executor(
                self._files, _read_if_changed, self._path, self._stamps
            )
        except Exception as error:  # noqa: BLE001 - its message may quote what it should not
            self._reloaded(successful=False)
            _log.error("bug: unexpected exception while reading", file=self._path, error=place(error))
            return
        if reading is None:
            return
        if reading.loaded is not None and (faults := opened(self._config, reading.loaded.config, file=self._path)):
            reading = replace(reading, loaded=None, faults=faults)
        self._stamps = reading.stamps
        self._reloaded(successful=reading.loaded is not None)
        if reading.loaded is not None:
            self._config = reading.loaded.config
            self._serving = self._made(reading.loaded, before=self._serving)
            _log.info("web configuration reloaded", file=self._path)
            return
        for told in told_of(reading.faults):
            _log.error("web configuration not reloaded", file=self._path, **told)

    def _made(self, loaded: LoadedWebConfig, *, before: Serving | None) -> Serving:
        config, names = loaded.config, loaded.config.tls_server_config.client_allowed_sans
        bucket = None
        if (rate := config.rate_limit).interval:
            same = before is not None and before.rate_limit == rate
            bucket = before.bucket if same and before else None
            bucket = bucket or TokenBucket(interval=rate.interval, burst=rate.burst, clock=self._clock)
        return Serving(
            context=loaded.context,
            allowed_names=None if names is None else frozenset(names),
            headers=config.http_server_config.headers.by_name(),
            users=Users(config.basic_auth_users, thread=self._hashing, before=before.users if before else None),
            bucket=bucket,
            rate_limit=rate,
        )


def _read_if_changed(path: str, stamps: Mapping[Path, Stamp]) -> Reading | None:
    return None if stamps_of(stamps) == stamps else read_web_config(path)
