"""A scraper with blocking sockets, for a thread: what it does not read stays in the kernel, or in the exporter.

It repeats nothing by itself and notes each attempt as it was seen from outside.
"""

from __future__ import annotations

import http.client
import random
import select
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.system.held_port import LOOPBACK

if TYPE_CHECKING:
    import ssl

_SMALL: Final = 5
_LARGE: Final = 350

_SECONDS: Final = 30.0  # for each step of an attempt, which takes a fraction of it
# Of a slow reader: its kernel holds little, and has segments like Ethernet's, so that the exporter's takes some 100 kB
# of an answer. With loopback's, of 64 KiB, it would take all, and nothing would be left to be cut off.
_HELD_BYTES: Final = 4 * 1024
_SEGMENT_BYTES: Final = 1400
_PAUSE_SECONDS: Final = 1.5  # of a slow reader, behind the head of an answer
_WAITS: Final = (0, 0, 5, 20, 50, 100, 200)  # milliseconds of Oxidized
_GOOD: Final = b"\noxidized_status 1.0\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request, or the attempt to make it; times are of `time.monotonic`.

    Attributes:
        number: of its target: no two attempts have the same.
        kept: the client keeps its connection for further ones.
        reused: this connection has had an answer before.
        sent: when the request was written; None where it could not be.
        begun: when the answer began; None where it did not.
        ended: when it was over.
        refused: no connection was made, since nobody listens.
        trouble: what went wrong; empty where the answer is complete, and good.
    """

    number: str
    kept: bool
    reused: bool
    sent: float | None
    begun: float | None
    ended: float
    refused: bool
    trouble: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a scraper does.

    Attributes:
        reuse: it asks again on the connection that it has.
        devices: of the targets that it asks for.
        slow: it pauses before it reads an answer, so that most of a large one waits for it in the exporter.
    """

    reuse: bool
    devices: int
    slow: bool = False


_QUICK: Final = (
    *[Kind(reuse=False, devices=_SMALL)] * 10,
    *[Kind(reuse=True, devices=_SMALL)] * 6,
    *[Kind(reuse=False, devices=_LARGE)] * 4,
    *[Kind(reuse=True, devices=_LARGE)] * 2,
)
_SLOW: Final = (
    80,
    90,
    130,
    _LARGE,
)  # of the first two less is left than the 64 KiB for which asyncio lets a writer wait

STEADY: Final = (
    *[Kind(reuse=False, devices=_SMALL)] * 6,
    *[Kind(reuse=True, devices=_SMALL)] * 4,
    Kind(reuse=False, devices=_LARGE),
    Kind(reuse=True, devices=_LARGE),
)
"""The scrapers of an upgrade."""

UNREAD: Final = Kind(reuse=True, devices=_LARGE, slow=True)
"""A client that asks for a large answer, and does not read it."""

SIZES: Final = tuple(sorted({_SMALL, _LARGE, *_SLOW}))
"""Devices of the targets that are asked for."""


def kinds(number: int) -> tuple[Kind, ...]:
    """Return the scrapers of one load: answers of 11 kB and 420 kB, and for those that read slowly of 100 kB and more.

    The slow ones of one load ask for one size: what waits for one of them must not keep open what is cut for another.
    """
    devices = _SLOW[number % len(_SLOW)]
    return (
        *_QUICK,
        *[Kind(reuse=False, devices=devices, slow=True)] * 4,
        *[Kind(reuse=True, devices=devices, slow=True)] * 2,
    )


@dataclass(kw_only=True)
class Scraper:
    """One scraper, and what it has seen."""

    name: str
    kind: Kind
    port: int
    upstream: str
    tls: ssl.SSLContext | None = None
    attempts: list[Attempt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.name)  # noqa: S311 - a load, no keys
        self._connection: http.client.HTTPConnection | None = None

    def scrape_until_refused(self) -> None:
        """Scrape again and again, until nobody listens."""
        while not self.scrape().refused:
            pass
        self.close()

    def scrape(self) -> Attempt:
        """Ask once, on a connection that is there or a new one."""
        number = f"{self.name}-{len(self.attempts)}"
        sent = begun = None
        refused, trouble = False, ""
        reused = self._is_open()
        try:
            connection = self._connect()
            connection.request("GET", self._path(number), headers={} if self.kind.reuse else {"Connection": "close"})
            sent = time.monotonic()
            response = connection.getresponse()
            begun = time.monotonic()
            trouble = self._trouble(response)
            if response.will_close or trouble:
                self.close()
        except (OSError, http.client.HTTPException) as error:
            refused = isinstance(error, ConnectionRefusedError)
            if isinstance(error, http.client.BadStatusLine) and not isinstance(error, ConnectionError):
                begun = time.monotonic()  # with something that is no answer
            trouble = repr(error)
            self.close()
        attempt = Attempt(
            number=number,
            kept=self.kind.reuse,
            reused=reused,
            sent=sent,
            begun=begun,
            ended=time.monotonic(),
            refused=refused,
            trouble=trouble,
        )
        self.attempts.append(attempt)
        return attempt

    def ask_and_read_nothing(self) -> None:
        """Ask once, on a connection that stays open until it is left, and leave the answer where it is."""
        self._connect().request("GET", self._path(self.name))

    def close(self) -> None:
        """Leave the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _is_open(self) -> bool:
        """Tell whether there is a connection that can be used again; what the server has closed is left, as all do."""
        if self._connection is not None and select.select([self._connection.sock], [], [], 0)[0]:
            self.close()
        return self._connection is not None

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            opened = socket.socket()
            try:
                opened.settimeout(_SECONDS)
                if self.kind.slow:
                    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _HELD_BYTES)
                    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SEGMENT_BYTES)
                opened.connect((LOOPBACK, self.port))
                if self.tls is not None:
                    opened = self.tls.wrap_socket(opened, server_hostname=LOOPBACK)
            except OSError:
                opened.close()
                raise
            self._connection = http.client.HTTPConnection(LOOPBACK, self.port)
            self._connection.sock = opened
        return self._connection

    def _path(self, number: str) -> str:
        milliseconds = self._random.choice(_WAITS)
        return f"/probe?target={self.upstream}/{self.kind.devices}/{milliseconds}/{number}"

    def _trouble(self, response: http.client.HTTPResponse) -> str:
        """Read an answer and return what is wrong with it."""
        promised = response.length
        if self.kind.slow:
            time.sleep(_PAUSE_SECONDS)
        body = response.read()
        if response.status != http.client.OK:
            return f"status {response.status}"
        if promised is None:
            return "no length, so that nobody could tell whether it is complete"
        return "" if _GOOD in body else "not of Oxidized's devices"
