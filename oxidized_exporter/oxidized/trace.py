"""The steps of one scrape with their times, for somebody who wants to know why it fails.

Only a scrape that was asked for them has a `Trace`: any other has a `Journal`, which passes over what is noted, and
aiohttp's tracing is off. Nothing is written down that could hold a secret: no header, no body, no location of a
redirect, and of a URL only Oxidized's own path.
"""

from __future__ import annotations

import os
import re
import socket
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import aiohttp

from oxidized_exporter.errors import ProbeTimeoutError, printable
from oxidized_exporter.oxidized.journal import SUCCESS, Journal, Stage

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_REQUESTS: Final = 20  # each with up to ten steps; with the collector configs there are thousands
_MOST_LATE: Final = 20  # of the others those that fail, in a line each
_MOST_STEPS: Final = 500
_LONGEST_STEP: Final = 300
_MOST_VALUES: Final = 8
_OWN_PATH: Final = re.compile(r"/nodes\.json$|/nodes/stats$|/node/fetch/.*$")


class Step(NamedTuple):
    """What happened, printable and on one line, and how many seconds after the beginning."""

    seconds: float
    text: str


@dataclass(slots=True, eq=False)
class _Asked:
    """A request under way: its number, counted from 1, Oxidized's own path, and what it is doing."""

    number: int
    path: str = ""
    doing: str = "beginning"


# Of the task that asks: the requests of a scrape are made side by side.
_PRESENT: Final[ContextVar[_Asked | None]] = ContextVar("asked", default=None)


class Trace(Journal):
    """A journal that keeps the steps as well: of the first 20 requests, of the scrape, and then counts."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        """Begin now, in the seconds of ``clock``."""
        super().__init__()
        self._clock = clock
        self._began = clock()
        self._steps: list[Step] = []
        self._left_out = 0
        self._asked = 0
        self._late = 0

    @property
    def steps(self) -> tuple[Step, ...]:
        """What happened, in order; at the end what there was no room for."""
        rest = [] if not self._left_out else [Step(self._now(), f"{self._left_out} more steps are not shown")]
        return (*self._steps, *rest)

    def enter(self, stage: Stage) -> None:
        """Note that the scrape has come to ``stage``; requests say themselves, and more, of what they do."""
        super().enter(stage)
        if (asked := _PRESENT.get()) is not None:
            asked.doing = str(stage)
        if stage in {Stage.RESOLVE, Stage.DECODE}:
            self.note(f"{stage}")

    def ended(self, route: str, result: str, size: int = 0) -> None:
        """Note how an attempt has ended, and after how many bytes of a body."""
        super().ended(route, result, size)
        asked = _PRESENT.get()
        if result == SUCCESS:
            self.note("done, the body has {} bytes", size)
        elif asked is not None and asked.number > _MOST_REQUESTS and self._late < _MOST_LATE:
            self._late += 1
            _PRESENT.set(None)
            self.note("#{} {} ended: {}", asked.number, asked.path, result)
        elif result == ProbeTimeoutError.reason and asked is not None:
            self.note("cut off while {}", asked.doing)
        _PRESENT.set(None)

    def note(self, text: str, *values: object) -> None:
        """Write down a step; ``values`` are put into the text."""
        asked = _PRESENT.get()
        if (asked is not None and asked.number > _MOST_REQUESTS) or len(self._steps) >= _MOST_STEPS:
            self._left_out += 1
            return
        said = text.format(*map(_shown, values))
        self._steps.append(Step(self._now(), _cut(printable(said if asked is None else f"#{asked.number} {said}"))))

    def trace_config(self) -> aiohttp.TraceConfig:
        """Return what tells this trace of the requests of a session."""
        config = aiohttp.TraceConfig()
        config.on_request_start.append(self._on_start)
        config.on_connection_queued_start.append(self._on("waiting for one of the connections to be free"))
        config.on_connection_reuseconn.append(self._on("on a connection that was open already"))
        config.on_connection_create_start.append(self._on("a connection is made"))
        config.on_connection_create_end.append(self._on("the connection is ready"))
        config.on_request_headers_sent.append(self._on("the request is sent", doing=Stage.ANSWER))
        config.on_request_end.append(self._on_answer)
        return config

    def make_socket(self, address: aiohttp.AddrInfoType) -> socket.socket:
        """Return a socket that tells this trace when it is connected, before TLS begins."""
        family, kind, protocol, _, where = address
        return _WitnessedSocket(family, kind, protocol, told=self._on_connected, where=f"{where[0]} port {where[1]}")

    def _now(self) -> float:
        return self._clock() - self._began

    async def _on_start(self, _session: Any, _context: Any, told: aiohttp.TraceRequestStartParams) -> None:
        self._asked += 1
        found = _OWN_PATH.search(told.url.raw_path)
        path = found.group() if found else ""
        _PRESENT.set(_Asked(self._asked, path))
        self.note("{} {}", told.method, path)

    def _on(self, text: str, *, doing: str | None = None) -> Callable[..., Any]:
        async def on(_session: Any, _context: Any, _told: Any) -> None:
            if doing is not None and (asked := _PRESENT.get()) is not None:
                asked.doing = doing
            self.note(text)

        return on

    async def _on_answer(self, _session: Any, _context: Any, told: aiohttp.TraceRequestEndParams) -> None:
        self.note("first bytes of the answer: status {}", told.response.status)

    def _on_connected(self, where: str, why_not: str | None) -> None:
        if why_not is not None:
            self.note("{}: {}", where, why_not)
            return
        self.note("connected to {}", where)
        if (asked := _PRESENT.get()) is not None:
            asked.doing = "waiting for TLS, or for the proxy, to be ready"


class _WitnessedSocket(socket.socket):
    """Tells when it begins to connect, and when it has or has not; a loop asks for SO_ERROR to know that."""

    def __init__(
        self, family: int, kind: int, protocol: int, *, told: Callable[[str, str | None], None], where: str
    ) -> None:
        super().__init__(family, kind, protocol)
        self._told = told
        self._where = where
        self._is_known = False

    def connect(self, address: Any, /) -> None:
        try:
            super().connect(address)
        except BlockingIOError:
            raise
        except OSError as error:
            self._tell(error.errno or 0)
            raise
        self._tell(0)

    def getsockopt(self, *arguments: Any) -> Any:
        found = super().getsockopt(*arguments)
        if arguments == (socket.SOL_SOCKET, socket.SO_ERROR):
            self._tell(found)
        return found

    def _tell(self, error: int) -> None:
        if not self._is_known:
            self._is_known = True
            self._told(self._where, os.strerror(error) if error else None)


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        more = len(value) - _MOST_VALUES
        return ", ".join(map(str, value[:_MOST_VALUES])) + (f" and {more} more" if more > 0 else "")
    return str(value)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_STEP else f"{text[:_LONGEST_STEP]}…"
