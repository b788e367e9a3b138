"""What a service manager is told, where it wants to know: systemd, of a service of ``Type=notify`` (sd_notify(3))."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

_log = structlog.stdlib.get_logger(__name__)


@final
class Supervisor:
    """The service manager. Telling it something takes microseconds, and never fails."""

    def __init__(self, send: Callable[[str], None] | None = None, *, close: Callable[[], None] = lambda: None) -> None:
        """Tell it by ``send``, which may raise OSError, until ``close``; None where nobody wants to know."""
        self._send = send
        self._close = close

    def ready(self, status: str) -> None:
        """Say that scrapes are answered, or that a reload has ended; ``status`` is shown to who asks for it."""
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """Say that a reload begins; `ready` says that it has ended."""
        # By this time systemd knows that it is an answer to the signal that it sent (Type=notify-reload).
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", "STATUS=Reading the configuration")

    def stopping(self, status: str) -> None:
        """Say that the end begins; it is the last that is told."""
        self._tell("STOPPING=1", f"STATUS={status}")
        self._send = None

    def close(self) -> None:
        """Tell nothing any more."""
        self._send = None
        self._close()

    def _tell(self, *assignments: str) -> None:
        if self._send is None:
            return
        try:
            self._send("\n".join(assignments).encode("ascii", "backslashreplace").decode())  # sdnotify sends Latin-1
        except OSError as error:
            _log.warning("systemd was not told", told=assignments[0], error=error.strerror or str(error))


def find_supervisor() -> Supervisor:
    """Return who has started this process, or somebody who wants to know nothing.

    The library is loaded only where a socket to tell by is named, as systemd does in ``NOTIFY_SOCKET``.
    """
    if not os.environ.get("NOTIFY_SOCKET"):
        return Supervisor()
    try:
        import sdnotify  # noqa: PLC0415 - most exporters have nobody to tell
    except ImportError:
        _log.warning("systemd cannot be told", error="sdnotify is missing: install oxidized-exporter[systemd]")
        return Supervisor()
    try:
        notifier = sdnotify.SystemdNotifier(debug=True)  # it raises then, where it would keep silent
    except OSError as error:
        _log.warning("systemd cannot be told", error=error.strerror or str(error))
        return Supervisor()
    return Supervisor(notifier.notify, close=notifier.socket.close)
