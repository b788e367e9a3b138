"""A server on loopback that writes down what it is asked, byte for byte, before any library has read it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    Answer = Callable[[str], bytes]

TLS: Final = "TLS"
"""What stands for a request that begins with a TLS handshake, which is not answered."""
_HANDSHAKE: Final = b"\x16"
EMPTY_LIST: Final = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]"
UNAVAILABLE: Final = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def redirect(location: str) -> bytes:
    """Return an answer that leads to ``location``, whatever bytes that holds."""
    return (
        b"HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: " + location.encode() + b"\r\n\r\n"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """What was asked.

    Attributes:
        heads: request line and headers of each request, oldest first; empty where a connection brought none.
    """

    host: str
    port: int
    heads: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def lines(self) -> list[str]:
        """The request lines."""
        return [head.partition("\r\n")[0] for head in self.heads]


def _found(_line: str) -> bytes:
    return EMPTY_LIST


@asynccontextmanager
async def recording(*, host: str = "127.0.0.1", port: int = 0, answer: Answer = _found) -> AsyncIterator[Recorder]:
    """Serve what ``answer`` makes of a request line, one request a connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.read(1)
        if head == _HANDSHAKE:
            recorder.heads.append(TLS)
        else:
            try:
                head += await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError as error:
                head += error.partial
            recorder.heads.append(head.decode("latin-1"))
            writer.write(answer(recorder.lines[-1]))
        writer.close()

    server = await asyncio.start_server(serve, host, port)
    recorder = Recorder(host=host, port=server.sockets[0].getsockname()[1])
    async with server:
        yield recorder
