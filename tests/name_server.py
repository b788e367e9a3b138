"""A name server on loopback that answers from a table, or never."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, cast

import dnslib
from aiohttp import AsyncResolver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

_STUCK: Final = "stuck"


class NameServer(asyncio.DatagramProtocol):
    """Answers names from a table; one that begins with ``stuck`` never."""

    def __init__(self, addresses: Mapping[str, Sequence[str]]) -> None:
        self._addresses = addresses
        self.asked: list[str] = []
        self._news = asyncio.Event()

    @property
    def port(self) -> int:
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dnslib.DNSRecord.parse(data)
        name = str(query.q.qname).rstrip(".")
        self.asked.append(name)
        self._news.set()
        if name.startswith(_STUCK):
            return
        reply = query.reply()
        for address in self._addresses.get(name, ()):
            kind = "AAAA" if ":" in address else "A"
            if dnslib.QTYPE[query.q.qtype] == kind:
                reply.add_answer(*dnslib.RR.fromZone(f"{name}. 0 {kind} {address}"))
        if name not in self._addresses:
            reply.header.rcode = dnslib.RCODE.NXDOMAIN
        self._transport.sendto(reply.pack(), addr)

    async def asked_for(self, names: set[str]) -> None:
        """Wait until every one of the names has been asked for."""
        while not names <= set(self.asked):
            self._news.clear()
            await self._news.wait()


@asynccontextmanager
async def name_server(addresses: Mapping[str, Sequence[str]]) -> AsyncIterator[tuple[AsyncResolver, NameServer]]:
    """Serve the table on a free port; yields a resolver that asks it."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: NameServer(addresses), local_addr=("127.0.0.1", 0))
    try:
        yield AsyncResolver(nameservers=["127.0.0.1"], udp_port=server.port, tcp_port=server.port), server
    finally:
        transport.close()
