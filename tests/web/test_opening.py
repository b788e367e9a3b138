"""Whatever goes wrong while a connection is opened, it is opened or ended, and never left behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from oxidized_exporter.web import opening, waiting
from oxidized_exporter.web.web_config_in_force import WebConfigInForce
from tests.web.serving import PAIR, serving, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.certificates import Certificates

_REQUEST = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n"


def _fail(*_: Any, **__: Any) -> Any:
    raise _fail.error  # type: ignore[attr-defined] # set by the test


async def _fail_later(*_: Any) -> Any:
    _fail()


@pytest.mark.parametrize(
    "error,told", [(OSError(24, "x"), "no TLS connection"), (RuntimeError("x"), "bug: unexpected")]
)
@pytest.mark.parametrize(
    "of,name,instead",
    [
        (WebConfigInForce, "current", _fail_later),
        (opening, "is_allowed", _fail),
        (opening._Opening, "hand_over", _fail),  # noqa: SLF001 - nothing else comes last
    ],
)
async def test_a_connection_that_cannot_be_opened_is_ended(
    *,
    of: Any,
    name: str,
    instead: Any,
    error: Exception,
    told: str,
    certificates: Certificates,
    web_config_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(_fail, "error", error, raising=False)
    async with asyncio.timeout(20), serving(web_config_path, {"tls_server_config": PAIR}) as running:
        with monkeypatch.context() as patch:
            patch.setattr(of, name, instead)
            try:
                reader, writer = await asyncio.open_connection(
                    "localhost", running.port, ssl=certificates.client(), server_hostname="localhost"
                )
                writer.write(_REQUEST)
                assert await reader.read() == b""
                writer.transport.abort()
            except ConnectionError:
                pass
            await until(lambda: not running.server.opening)
        assert (await running.ask(tls=certificates.client()))[0] == 200
    assert told in capsys.readouterr().out


async def test_who_has_asked_is_not_silent_while_the_file_is_looked_at(
    web_config_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would make room for others, or be given up, for what the file system does."""
    monkeypatch.setattr(waiting, "_MOST", 1)
    looking, looked = asyncio.Event(), asyncio.Event()
    genuine = WebConfigInForce.current

    async def slow(self: WebConfigInForce) -> Any:
        looking.set()
        await looked.wait()
        return await genuine(self)

    async with asyncio.timeout(20), serving(web_config_path, {}) as running:
        with monkeypatch.context() as patch:
            patch.setattr(WebConfigInForce, "current", slow)
            reader, writer = await asyncio.open_connection("localhost", running.port)
            writer.write(_REQUEST)
            await looking.wait()
            silent = [await asyncio.open_connection("localhost", running.port) for _ in range(3)]
            await until(lambda: running.server.opening == 2)
            looked.set()
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            for _, each in (*silent, (reader, writer)):
                each.transport.abort()
