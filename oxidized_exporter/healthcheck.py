"""``oxidized-exporter healthcheck``: asks the exporter that runs on this machine how it is.

It runs every half minute in a container, so it loads neither aiohttp nor asyncio, and no YAML.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import re
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final

from oxidized_exporter.errors import UnhealthyError
from oxidized_exporter.web.listen_address import ListenAddress

_LOOPBACK: Final = {4: "127.0.0.1", 6: "::1"}
_PATH: Final = "/-/healthy"
# Good enough to know what to try: the exporter itself may go on with an older state of the file.
_TLS: Final = re.compile(rb"""^[^#\n]*\btls_server_config["']?\s*:(?!\s*\{\s*\})""", re.MULTILINE)
_CLIENT_CERTIFICATE: Final = re.compile(rb"^[^#\n]*\bRequireAndVerifyClientCert\b", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How to ask.

    Attributes:
        tls: by https.
        anonymous: whether being turned away for want of a client's certificate is what a healthy exporter does.
    """

    tls: bool
    anonymous: bool = False


def check_health(listening: ListenAddress, *, route_prefix: str, web_config_file: str | None, timeout: float) -> None:
    """Ask the exporter that listens there; blocks meanwhile.

    Args:
        listening: where it was told to listen.
        route_prefix: in front of all its routes, or empty.
        web_config_file: its web configuration, which says whether TLS is to be tried first; None for none.
        timeout: seconds, more than 0, from resolving the host to the end of the answer's header.

    Raises:
        UnhealthyError: nobody answered in time, or with another status than 200; names what was asked and what came.
    """
    asked, path = _asked(listening), route_prefix + _PATH
    faults: SimpleQueue[str | None] = SimpleQueue()
    way, *others = _ways(web_config_file)
    # Nothing else ends in time: no signal interrupts a name that is being resolved, and a time-out of the socket begins
    # anew with every byte that comes. The thread is left behind; it does not keep the process from ending.
    Thread(target=lambda: faults.put(_fault(asked, path, way, others)), daemon=True).start()
    try:
        fault = faults.get(timeout=timeout)
    except Empty:
        fault = f"did not answer within {timeout:g} s"
    if fault is not None:
        raise UnhealthyError(f"{'https' if way.tls else 'http'}://{asked}{path} {fault}")


def _asked(listening: ListenAddress) -> ListenAddress:
    """Return what to connect to: every interface includes the loopback interface."""
    try:
        address = ipaddress.ip_address(listening.host or "0.0.0.0")  # noqa: S104 - nothing is bound here
    except ValueError:  # a name
        return listening
    return ListenAddress(_LOOPBACK[address.version], listening.port) if address.is_unspecified else listening


def _ways(web_config_file: str | None) -> tuple[_Way, ...]:
    """Return the ways to ask, likeliest first: a changed file may have faults, and not be in force."""
    if web_config_file is None:
        return (_Way(tls=False),)
    try:
        text = Path(web_config_file).read_bytes()
    except (OSError, ValueError):
        return _Way(tls=True, anonymous=True), _Way(tls=False)
    by_tls = _Way(tls=True, anonymous=_CLIENT_CERTIFICATE.search(text) is not None)
    return (by_tls, _Way(tls=False)) if _TLS.search(text) else (_Way(tls=False), by_tls)


def _fault(asked: ListenAddress, path: str, way: _Way, others: list[_Way]) -> str | None:
    """Ask, and return what is wrong with the answer to the first way, where no other one has a good answer."""
    fault = _fault_of(asked, path, way)
    return None if fault is None or any(_fault_of(asked, path, other) is None for other in others) else fault


def _fault_of(asked: ListenAddress, path: str, way: _Way) -> str | None:
    # Neither looks at a proxy, or follows a redirect.
    if way.tls:
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            str(asked.host), asked.port, context=_any_certificate()
        )
    else:
        connection = http.client.HTTPConnection(str(asked.host), asked.port)
    reached = False
    try:
        connection.connect()
        reached = True
        connection.request("GET", path)
        status = connection.getresponse().status
    except (ssl.SSLError, ConnectionResetError, BrokenPipeError, http.client.RemoteDisconnected) as error:
        if way.anonymous and (reached or _is_turned_away(error)):
            return None
        return (
            "could not be asked in TLS"
            if way.tls
            else "could not be asked: no answer; does it serve TLS? Then give --web.config.file"
        )
    except (OSError, http.client.HTTPException, UnicodeError) as error:  # UnicodeError: a host that is no name
        return _why(error)
    finally:
        connection.close()
    return None if status == HTTPStatus.OK else f"answered with status {status}, not 200"


def _is_turned_away(error: Exception) -> bool:
    """Tell whether the other side ended the handshake: with TLS 1.2 it wants the certificate before that is over."""
    # SSLZeroReturnError is Python 3.11.2's, BrokenPipeError what is SSLEOFError before 3.14
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionResetError | BrokenPipeError):
        return True
    return isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or "")


def _why(error: Exception) -> str:
    if not isinstance(error, OSError):
        return "could not be asked, or did not answer in HTTP"
    known = error.errno and error.errno > 0 and not isinstance(error, ssl.SSLError)
    return (
        f"could not be asked: {os.strerror(error.errno or 0) if known else 'no answer, or the host was not resolved'}"
    )


def _any_certificate() -> ssl.SSLContext:
    """Accept whatever is shown: the one who is asked is on this machine, and nothing is told to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
