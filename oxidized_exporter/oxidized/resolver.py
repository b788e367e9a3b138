"""Resolving names without threads, and never to an address that must not be asked."""

from __future__ import annotations

import ipaddress
import socket

from aiohttp import AsyncResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from oxidized_exporter.errors import TargetDeniedError
from oxidized_exporter.targets.address import forbidden


class GuardedResolver(AbstractResolver):
    """A resolver that refuses a name as soon as one of its addresses is forbidden.

    The connection is made to the very addresses that were judged here: nothing resolves a second time in between, so
    an answer that changes (DNS rebinding) does not get round the check.
    """

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of ``host``.

        Raises:
            OSError: the name was not resolved.
            TargetDeniedError: at least one of the addresses is forbidden.
        """
        results = await self._resolver.resolve(host, port, family)
        for result in results:
            if why := forbidden(ipaddress.ip_address(result["host"])):
                raise TargetDeniedError(f"{host} resolves to {result['host']}, {why}, which is never asked")
        return results

    async def close(self) -> None:
        """Give up the queries under way."""
        await self._resolver.close()


def system_resolver() -> GuardedResolver:
    """Return a guarded resolver that asks as /etc/resolv.conf and /etc/hosts say; needs a running loop.

    It is c-ares, not the C library: a name that hangs holds no thread, so any number of them hurt nobody else.
    """
    return GuardedResolver(AsyncResolver())
