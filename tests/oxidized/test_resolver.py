"""Names and the addresses behind them, resolved at a name server on loopback."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

import pytest

from oxidized_exporter.errors import TargetDeniedError
from oxidized_exporter.oxidized.journal import Journal
from oxidized_exporter.oxidized.resolver import GuardedResolver, system_resolver
from oxidized_exporter.simulator import Daemon, create_app, fleet
from oxidized_exporter.targets.guard import ANY_ADDRESS
from tests.harness import asked, running, running_exporter
from tests.name_server import name_server

FORBIDDEN: Final = {
    "metadata.test": ["169.254.169.254"],
    "mixed.test": ["127.0.0.1", "169.254.169.254"],
    "any.test": ["0.0.0.0"],  # noqa: S104 - an address that must be refused
    "group.test": ["224.0.0.1"],
    "mapped.test": ["::ffff:a9fe:a9fe"],
    "nat64.test": ["64:ff9b::a9fe:a9fe"],
    "local.test": ["fe80::1"],
    "six.test": ["fd00:ec2::254"],
}


@pytest.mark.parametrize("name", FORBIDDEN)
async def test_a_name_behind_which_one_address_is_forbidden_is_denied(name: str) -> None:
    async with name_server(FORBIDDEN) as (resolver, _), running_exporter(resolver=resolver) as exporter:
        answer = await exporter.probe(f"http://{name}:8888", timeout_seconds=20)
    assert answer.reason() == "target_denied"
    assert answer.value("oxidized_status") == 0


async def test_the_message_names_what_was_found() -> None:
    async with name_server(FORBIDDEN) as (resolver, _):
        with pytest.raises(TargetDeniedError, match=r"metadata.test resolves to 169.254.169.254, a link-local address"):
            await GuardedResolver(resolver, ANY_ADDRESS, Journal()).resolve("metadata.test", 80)
        await resolver.close()


async def test_a_name_is_resolved_once_and_that_answer_is_connected_to() -> None:
    app = create_app(Daemon(fleet(2)))
    async with (
        running(app) as url,
        name_server({"oxidized.test": ["127.0.0.1"]}) as (resolver, server),
        running_exporter(resolver=resolver) as exporter,
    ):
        answer = await exporter.probe(url.replace("127.0.0.1", "oxidized.test"), timeout_seconds=20)
        assert answer.value("oxidized_status") == 1
        assert asked(app) == ["/nodes.json"]
        assert len(server.asked) <= 2  # A and AAAA


async def test_of_many_addresses_all_are_judged_and_the_first_of_each_family_are_tried() -> None:
    """The HTTP library would make connections in the square of their number."""
    many = [f"127.1.0.{number}" for number in range(1, 31)] + [f"fd00::{number}" for number in range(1, 21)]
    table = {"many.test": many, "bad.test": [*many, "169.254.169.254"]}
    async with name_server(table) as (resolver, _):
        guarded = GuardedResolver(resolver, ANY_ADDRESS, Journal())
        found = await guarded.resolve("many.test", 80)
        families = [result["family"] for result in found]
        assert (families.count(socket.AF_INET), families.count(socket.AF_INET6)) == (8, 8)
        everything = [result["host"] for result in await resolver.resolve("many.test", 80, socket.AF_UNSPEC)]
        assert [everything.index(result["host"]) for result in found] == sorted(
            everything.index(result["host"]) for result in found
        )
        with pytest.raises(TargetDeniedError):
            await guarded.resolve("bad.test", 80)
        await resolver.close()


async def test_an_unknown_name_is_dns() -> None:
    async with name_server({}) as (resolver, _), running_exporter(resolver=resolver) as exporter:
        answer = await exporter.probe("http://unknown.test:8888", timeout_seconds=20)
    assert answer.reason() == "dns"


async def test_names_that_hang_hurt_nobody_else() -> None:
    """More stuck names than any thread pool has threads; a healthy name is through while all of them hang."""
    async with (
        running(create_app(Daemon(fleet(2)))) as url,
        name_server({"oxidized.test": ["127.0.0.1"]}) as (resolver, server),
        running_exporter(resolver=resolver) as exporter,
    ):
        stuck = [
            asyncio.create_task(exporter.probe(f"http://stuck{number}.test", timeout_seconds=50))
            for number in range(40)
        ]
        await server.asked_for({f"stuck{number}.test" for number in range(40)})
        answer = await exporter.probe(url.replace("127.0.0.1", "oxidized.test"), timeout_seconds=50)
        assert answer.value("oxidized_status") == 1
        assert not any(task.done() for task in stuck)
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)


async def test_a_stuck_name_is_a_time_out_that_says_where() -> None:
    async with name_server({}) as (resolver, _), running_exporter(resolver=resolver) as exporter:
        answer = await exporter.probe("http://stuck.test", timeout_seconds=0.2)
    assert answer.reason() == "timeout"


async def test_the_systems_resolver_knows_localhost() -> None:
    resolver = system_resolver()
    found = await resolver.resolve("localhost", 80, socket.AF_INET)
    assert {result["host"] for result in found} == {"127.0.0.1"}
    await resolver.close()
