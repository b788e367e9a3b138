"""All connections of a server: what they wait for, and how they end."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from oxidized_exporter.web.waiting import Waiter, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

# From a connection to the first bytes of it or, with TLS, the end of the handshake, and on to the head of a request.
_SILENT_SECONDS: Final = 10.0
# In which a client must have read some of its answer.
_UNREAD_SECONDS: Final = 30.0
# Of all answers together, which take twice as much: the HTTP library holds a body while what is unsent of it is held.
_MOST_UNSENT_BYTES: Final = 64 * 1024 * 1024
_LOOK_SECONDS: Final = 0.02  # between looks whether all has been sent: nothing tells when a buffer is empty


class Served(Waiter, Protocol):
    """A connection whose requests are answered."""

    @property
    def unsent(self) -> int:
        """Bytes of answers that the system has not taken yet."""

    def abort(self) -> None:
        """End it at once; what is unsent is lost."""


class Connections:
    """The connections that are served, and those that wait.

    Attributes:
        silent: they have asked nothing yet.
        idle: they have their answers, and have asked nothing more.
        unread: they do not read their answer, or not as fast as it is written.
    """

    def __init__(self, *, crowded: Callable[[str], None]) -> None:
        """Let none be there; ``crowded`` is told where one had to make room, by the name of what it waited in."""
        self.silent = Waiting(seconds=_SILENT_SECONDS, crowded=partial(crowded, "silent"))
        self.idle = Waiting(seconds=None, crowded=partial(crowded, "idle"))
        self.unread = Waiting(
            seconds=_UNREAD_SECONDS,
            crowded=partial(crowded, "unread"),
            too_much=lambda: self.unsent > _MOST_UNSENT_BYTES,
        )
        self._served: set[Served] = set()

    @property
    def unsent(self) -> int:
        """Bytes of answers that the system has not taken yet."""
        return sum(connection.unsent for connection in self._served)

    def add(self, connection: Served) -> None:
        """Take up one that has begun."""
        self._served.add(connection)

    def remove(self, connection: Served) -> None:
        """Forget one that is gone."""
        self._served.discard(connection)

    async def end(self, *, until: float) -> None:
        """Wait until the system has what was written to each, but not beyond ``until``, then end all of them.

        No client has to close its half: the system sends what it has when the process is gone.

        Args:
            until: in the running loop's time.
        """
        loop = asyncio.get_running_loop()
        while self.unsent and loop.time() < until:  # noqa: ASYNC110 - see _LOOK_SECONDS
            await asyncio.sleep(_LOOK_SECONDS)
        self.abort()

    def abort(self) -> None:
        """End all of them at once; what is unsent is lost."""
        for connection in list(self._served):
            connection.abort()
