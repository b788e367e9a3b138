from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aioresponses import aioresponses
from yarl import URL

from oxidized_exporter.config import Limits
from oxidized_exporter.errors import ProbeError
from oxidized_exporter.oxidized.client import OxidizedClient
from oxidized_exporter.oxidized.journal import Journal, Request
from oxidized_exporter.oxidized.request_settings import NO_SETTINGS
from oxidized_exporter.oxidized.translate import MEANINGS
from oxidized_exporter.targets.url import parse_target
from tests.oxidized.test_translate import instance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NODES = "http://oxidized.test:8888/eu/nodes.json"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def client(session: aiohttp.ClientSession, journal: Journal) -> OxidizedClient:
    return OxidizedClient(
        session=session,
        target=parse_target("http://oxidized.test:8888/eu"),
        settings=NO_SETTINGS,
        permits=lambda _target: False,
        journal=journal,
        limits=Limits(attempts=1),
        deadline=lambda: asyncio.get_running_loop().time() + 60,
    )


async def test_nodes(session: aiohttp.ClientSession) -> None:
    journal = Journal()
    with aioresponses() as canned:
        canned.get(NODES, body=b"[1]")
        assert await client(session, journal).nodes() == b"[1]"
        [(method, url)] = canned.requests
    assert (method, url) == ("GET", URL(NODES))
    assert journal.requests == {Request("nodes", "success"): 1}


RAISED = [kind for kind in MEANINGS if issubclass(kind, aiohttp.ClientError)]  # the one that is not: web sockets


@pytest.mark.parametrize("kind", RAISED, ids=lambda kind: kind.__name__)
async def test_whatever_the_library_raises_comes_out_as_its_reason(
    session: aiohttp.ClientSession, kind: type[BaseException]
) -> None:
    journal = Journal()
    with aioresponses() as canned:
        canned.get(NODES, exception=instance(kind))
        with pytest.raises(ProbeError) as caught:
            await client(session, journal).nodes()
    assert caught.value.reason == MEANINGS[kind].error.reason
    assert journal.requests == {Request("nodes", caught.value.reason): 1}
