"""Names that no name server answers for."""

from __future__ import annotations

import asyncio
import sys
from signal import SIGTERM
from typing import TYPE_CHECKING

from oxidized_exporter.simulator import fleet
from tests.name_server import name_server
from tests.system.program import PATIENCE, exporting

if TYPE_CHECKING:
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


async def test_names_that_hang_hold_up_neither_another_name_nor_the_exit(
    start_oxidized: StartOxidized, client: aiohttp.ClientSession
) -> None:
    oxidized = await start_oxidized(*fleet(5))
    async with (
        name_server({_HEALTHY: ["127.0.0.1"]}) as (_, server),
        exporting(
            sys.executable, "-c", _WITH_NAME_SERVER, str(server.port), "--web.listen-address=127.0.0.1:0"
        ) as exporter,
        asyncio.TaskGroup() as group,
    ):
        stuck = [
            group.create_task(exporter.probe(client, f"http://{name}:8888", scrape_timeout=_SCRAPE_TIMEOUT))
            for name in _STUCK
        ]
        async with asyncio.timeout(PATIENCE):
            await server.asked_for(set(_STUCK))
        healthy = await exporter.probe(client, f"http://{_HEALTHY}:{oxidized.port}")
        assert not any(task.done() for task in stuck)
        assert healthy.value("oxidized_status") == 1

        exporter.program.send(SIGTERM)
        assert [(await task).reason() for task in stuck] == ["timeout"] * len(stuck)
        assert await exporter.program.exit_code() == 0
