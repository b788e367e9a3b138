"""Resolving names without threads, and never to an address that must not be asked."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

from aiohttp import AsyncResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from oxidized_exporter.errors import TargetDeniedError
from oxidized_exporter.oxidized.journal import Stage

if TYPE_CHECKING:
    from oxidized_exporter.oxidized.journal import Journal
    from oxidized_exporter.targets.guard import AddressPolicy


class GuardedResolver(AbstractResolver):
    """A resolver that refuses a name as soon as one of its addresses is refused.

    The connection is made to the very addresses that were judged here: nothing resolves a second time in between, so
    an answer that changes (DNS rebinding) does not get round the check.
    """

    def __init__(self, resolver: AbstractResolver, policy: AddressPolicy, journal: Journal) -> None:
        """Guard ``resolver``, which belongs to the caller, by ``policy``; the journal gets the stages."""
        self._resolver = resolver
        self._policy = policy
        self._journal = journal

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of ``host``.

        Raises:
            OSError: the name was not resolved.
            TargetDeniedError: at least one of the addresses is refused.
        """
        self._journal.enter(Stage.RESOLVE)
        results = await self._resolver.resolve(host, port, family)
        self._journal.enter(Stage.CONNECT)
        addresses = [result["host"] for result in results]
        self._journal.note("{} resolves to {}", host, addresses)
        for address in addresses:
            if why := self._policy.refusal(ipaddress.ip_address(address)):
                raise TargetDeniedError(f"{host} resolves to {address}, {why}")
        return results

    async def close(self) -> None:
        """Do nothing: the resolver behind belongs to the caller."""


def system_resolver() -> AbstractResolver:
    """Return a resolver that asks as /etc/resolv.conf and /etc/hosts say; needs a running loop.

    It is c-ares, not the C library: a name that hangs holds no thread, so any number of them hurt nobody else.
    """
    return AsyncResolver()
