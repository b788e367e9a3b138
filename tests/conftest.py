from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import aioresponses.core
import pytest
import structlog
from aiohttp import ClientResponse
from blockbuster import blockbuster_ctx
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# The same examples in every run, and as much time for each as a busy machine needs.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")

# A shell without job control lets what runs in its background ignore SIGINT, which programs under test would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _nothing_blocks_the_loop() -> Iterator[None]:
    with blockbuster_ctx("oxidized_exporter") as blockbuster:
        # coverage's own lock, which measuring a thread beside the loop may hold
        blockbuster.functions["threading.Lock.acquire"].can_block_in("coverage/collector.py", "lock_data")
        yield


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


class _Response(ClientResponse):
    """aioresponses 0.7.9 does not know the argument that aiohttp 3.14 wants; it may go with the release that does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("stream_writer", Mock())
        super().__init__(*args, **kwargs)


@pytest.fixture(autouse=True)
def _aioresponses_knows_aiohttp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioresponses.core, "ClientResponse", _Response)
