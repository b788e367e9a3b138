from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Protocol

import aiohttp
import pytest

from tests.system.oxidized import Instance, simulated
from tests.system.program import EXPORTER, Exporter, Program, exporting, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp.typedefs import Middleware

    from oxidized_exporter.simulator import Device


class Run(Protocol):
    async def __call__(self, *command: str, **environment: str) -> Program: ...


class StartExporter(Protocol):
    async def __call__(self, *flags: str, **environment: str) -> Exporter: ...


class StartOxidized(Protocol):
    async def __call__(self, *devices: Device, middleware: Middleware | None = None) -> Instance: ...


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """What a test starts ends with the test, the last first."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def run(stack: AsyncExitStack) -> Run:
    async def run(*command: str, **environment: str) -> Program:
        return await stack.enter_async_context(running(*command, environment=environment))

    return run


@pytest.fixture
def start_exporter(stack: AsyncExitStack) -> StartExporter:
    async def start_exporter(*flags: str, **environment: str) -> Exporter:
        return await stack.enter_async_context(exporting(*EXPORTER, *flags, environment=environment))

    return start_exporter


@pytest.fixture
def start_oxidized(stack: AsyncExitStack) -> StartOxidized:
    async def start_oxidized(*devices: Device, middleware: Middleware | None = None) -> Instance:
        return await stack.enter_async_context(simulated(*devices, middleware=middleware))

    return start_oxidized


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """Makes a connection for each request."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True, limit=0)) as client:
        yield client
