"""Resolving names without threads, and never to an address that must not be asked."""

from __future__ import annotations

import ipaddress
import socket
from collections import Counter
from typing import TYPE_CHECKING, Final

from aiohttp import AsyncResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from oxidized_exporter.errors import TargetDeniedError
from oxidized_exporter.oxidized.journal import Stage

if TYPE_CHECKING:
    from oxidized_exporter.oxidized.journal import Journal
    from oxidized_exporter.targets.guard import AddressPolicy

# The HTTP library goes through all addresses again for each that fails: with a thousand it would come to no end.
_MOST_ADDRESSES: Final = 8


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
        """Return the addresses of ``host``, the first eight of each family. All of them are judged.

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
        return _first_of_each_family(results)

    async def close(self) -> None:
        """Do nothing: the resolver behind belongs to the caller."""


def _first_of_each_family(results: list[ResolveResult]) -> list[ResolveResult]:
    """Return as many as there is sense in trying, in their order."""
    seen: Counter[int] = Counter()
    first = []
    for result in results:
        seen[result["family"]] += 1
        if seen[result["family"]] <= _MOST_ADDRESSES:
            first.append(result)
    return first


def system_resolver() -> AbstractResolver:
    """Return a resolver that asks as /etc/resolv.conf and /etc/hosts say; needs a running loop.

    It is c-ares, not the C library: a name that hangs holds no thread, so any number of them hurt nobody else.
    """
    return AsyncResolver()
