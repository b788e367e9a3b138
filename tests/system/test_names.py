"""Names that no name server answers for."""

from __future__ import annotations

import asyncio
import sys
from signal import SIGTERM
from typing import TYPE_CHECKING, cast

import pytest
from dnslib import QTYPE, RR, A, DNSRecord

from oxidized_exporter.simulator import fleet
from tests.system.program import eventually, exporting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

    from tests.system.conftest import StartOxidized

_STUCK = [f"stuck-{number:02}.example.net" for number in range(20)]
_HEALTHY = "healthy.example.net"
_SCRAPE_TIMEOUT = 3.0

# The command asks the name servers of the system and has no flag for others.
_WITH_NAME_SERVER = """
import functools, sys
import aiohttp.resolver
port = int(sys.argv.pop(1))
aiohttp.resolver.aiodns.DNSResolver = functools.partial(
    aiohttp.resolver.aiodns.DNSResolver, nameservers=["127.0.0.1"], udp_port=port, tcp_port=port
)
from oxidized_exporter.cli import main
main()
"""


class NameServer(asyncio.DatagramProtocol):
    """Answers for one name, and never for any other."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = DNSRecord.parse(data)
        name = str(query.q.qname).removesuffix(".")
        self.asked.add(name)
        if name.startswith(_HEALTHY):  # the system may append a search domain
            reply = query.reply()
            if query.q.qtype == QTYPE.A:
                reply.add_answer(RR(query.q.qname, QTYPE.A, rdata=A("127.0.0.1")))
            self._transport.sendto(reply.pack(), addr)


@pytest.fixture
async def name_server() -> AsyncIterator[tuple[NameServer, int]]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    yield server, transport.get_extra_info("sockname")[1]
    transport.close()


async def test_names_that_hang_hold_up_neither_another_name_nor_the_exit(
    name_server: tuple[NameServer, int], start_oxidized: StartOxidized, client: aiohttp.ClientSession
) -> None:
    server, dns_port = name_server
    oxidized = await start_oxidized(*fleet(5))
    command = (sys.executable, "-c", _WITH_NAME_SERVER, str(dns_port), "--web.listen-address=127.0.0.1:0")

    async def all_asked() -> bool:
        return set(_STUCK) <= server.asked

    async with exporting(*command) as exporter, asyncio.TaskGroup() as group:
        stuck = [
            group.create_task(exporter.probe(client, f"http://{name}:8888", scrape_timeout=_SCRAPE_TIMEOUT))
            for name in _STUCK
        ]
        await eventually(all_asked)
        healthy = await exporter.probe(client, f"http://{_HEALTHY}:{oxidized.port}")
        assert not any(task.done() for task in stuck)
        assert healthy.value("oxidized_status") == 1

        exporter.program.send(SIGTERM)
        assert [(await task).reason() for task in stuck] == ["timeout"] * len(stuck)
        assert await exporter.program.exit_code() == 0
