"""``oxidized-exporter healthcheck``: asks the exporter that runs on this machine how it is.

It runs every half minute in a container, so it loads neither aiohttp nor asyncio.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
from http import HTTPStatus
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final

from oxidized_exporter.errors import UnhealthyError
from oxidized_exporter.web.listen_address import ListenAddress

_LOOPBACK: Final = {4: "127.0.0.1", 6: "::1"}
_PATH: Final = "/-/healthy"


def check_health(listening: ListenAddress, *, route_prefix: str, timeout: float) -> None:
    """Ask the exporter that listens there; blocks meanwhile.

    Args:
        listening: where it was told to listen.
        route_prefix: in front of all its routes, or empty.
        timeout: seconds, more than 0, from resolving the host to the end of the answer's header.

    Raises:
        UnhealthyError: nobody answered in time, or with another status than 200; names what was asked and what came.
    """
    asked, path = _asked(listening), route_prefix + _PATH
    faults: SimpleQueue[str | None] = SimpleQueue()
    # Nothing else ends in time: no signal interrupts a name that is being resolved, and a time-out of the socket begins
    # anew with every byte that comes. The thread is left behind; it does not keep the process from ending.
    Thread(target=lambda: faults.put(_fault(asked, path)), daemon=True).start()
    try:
        fault = faults.get(timeout=timeout)
    except Empty:
        fault = f"did not answer within {timeout:g} s"
    if fault is not None:
        raise UnhealthyError(f"http://{asked}{path} {fault}")


def _asked(listening: ListenAddress) -> ListenAddress:
    """Return what to connect to: every interface includes the loopback interface."""
    try:
        address = ipaddress.ip_address(listening.host or "0.0.0.0")  # noqa: S104 - nothing is bound here
    except ValueError:  # a name
        return listening
    return ListenAddress(_LOOPBACK[address.version], listening.port) if address.is_unspecified else listening


def _fault(asked: ListenAddress, path: str) -> str | None:
    """Ask, and return what is wrong with the answer."""
    connection = http.client.HTTPConnection(str(asked.host), asked.port)  # looks at no proxy, follows no redirect
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else "no answer, or the host was not resolved"
        return f"could not be asked: {why}"
    except (http.client.HTTPException, UnicodeError):  # UnicodeError: a host that is no name
        return "could not be asked, or did not answer in HTTP"
    finally:
        connection.close()
    return None if status == HTTPStatus.OK else f"answered with status {status}, not 200"
