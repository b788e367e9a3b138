"""``oxidized-exporter healthcheck``: asks the exporter that runs on this machine how it is.

It runs every half minute in a container, so it loads neither aiohttp nor asyncio.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import signal
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NoReturn

from oxidized_exporter.errors import UnhealthyError
from oxidized_exporter.web.listen_address import ListenAddress

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOPBACK: Final = {4: "127.0.0.1", 6: "::1"}
_PATH: Final = "/-/healthy"


def check_health(listening: ListenAddress, *, timeout: float) -> None:
    """Ask the exporter that listens there; blocks meanwhile. Must run in the main thread, where signals are handled.

    Args:
        listening: where it was told to listen.
        timeout: seconds, more than 0, from resolving the host to the end of the answer's header.

    Raises:
        UnhealthyError: nobody answered in time, or with another status than 200; names what was asked and what came.
    """
    asked = _asked(listening)
    url = f"http://{asked}{_PATH}"
    try:
        with _deadline(timeout):
            status = _status(asked)
    except TimeoutError:
        raise UnhealthyError(f"{url} did not answer within {timeout:g} s") from None
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else "no answer, or the host was not resolved"
        raise UnhealthyError(f"{url} could not be asked: {why}") from None
    except (http.client.HTTPException, UnicodeError):  # UnicodeError: a host that is no name
        raise UnhealthyError(f"{url} could not be asked, or did not answer in HTTP") from None
    if status != HTTPStatus.OK:
        raise UnhealthyError(f"{url} answered with status {status}, not 200")


def _asked(listening: ListenAddress) -> ListenAddress:
    """Return what to connect to: every interface includes the loopback interface."""
    try:
        address = ipaddress.ip_address(listening.host or "0.0.0.0")  # noqa: S104 - nothing is bound here
    except ValueError:  # a name
        return listening
    return ListenAddress(_LOOPBACK[address.version], listening.port) if address.is_unspecified else listening


def _status(asked: ListenAddress) -> int:
    connection = http.client.HTTPConnection(str(asked.host), asked.port)  # looks at no proxy, follows no redirect
    try:
        connection.request("GET", _PATH)
        return connection.getresponse().status
    finally:
        connection.close()


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in what takes longer: a time-out of the socket begins anew with every byte that comes."""

    def expire(*_: object) -> NoReturn:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
