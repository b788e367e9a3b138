"""The faults that a simulated web API can be switched to, while it runs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

HUGE_BYTES = 65 * 1024 * 1024
"""How much `HUGE` sends and `GZIP_BOMB` unpacks to where nothing else is said: more than 64 MiB."""


class Fault(StrEnum):
    """One way in which an answer goes wrong. Each is what its comment says, on the wire."""

    SLOW = "slow"  # the right answer, `seconds` late
    HANG_BEFORE_HEADERS = "hang_before_headers"  # nothing, until the client leaves or the server stops
    HANG_IN_BODY = "hang_in_body"  # right headers and half of the body, then nothing
    TRUNCATED = "truncated"  # right headers and half of the body, then a clean close
    BROKEN_CHUNK = "broken_chunk"  # a chunked body whose second chunk has no valid size
    RESET = "reset"  # a TCP reset instead of an answer
    RESET_IN_BODY = "reset_in_body"  # right headers and half of the body, then a TCP reset
    EMPTY_REPLY = "empty_reply"  # a clean close without a byte
    BROKEN_STATUS_LINE = "broken_status_line"  # another protocol's greeting

    UNAUTHORIZED = "unauthorized"  # 401 of a reverse proxy that wants basic authentication
    FORBIDDEN = "forbidden"  # 403 of a reverse proxy
    HOST_NOT_PERMITTED = "host_not_permitted"  # 403 of Oxidized's `vhosts` setting
    NOT_FOUND = "not_found"  # 404 as Oxidized answers an unknown path
    PROXY_AUTH = "proxy_auth"  # 407 of a forward proxy
    SERVER_ERROR = "server_error"  # 500 with 150 kB of HTML, Sinatra's error page
    BAD_GATEWAY = "bad_gateway"  # 502 of a reverse proxy
    UNAVAILABLE = "unavailable"  # 503 of a reverse proxy
    GATEWAY_TIMEOUT = "gateway_timeout"  # 504 of a reverse proxy
    REDIRECT = "redirect"  # 302 to `location`

    HUGE = "huge"  # valid JSON of `size` bytes or a little more, chunked
    GZIP_BOMB = "gzip_bomb"  # the same as a small gzip body
    HTML = "html"  # 200 with a page, as a login form or a captive portal is
    NOT_JSON = "not_json"  # 200, said to be JSON, but text
    INVALID_UTF8 = "invalid_utf8"  # 200, a node list with a name that is not UTF-8
    EMPTY_BODY = "empty_body"  # 200, said to be JSON, no byte of body
    WRONG_SHAPE = "wrong_shape"  # 200, a JSON object in place of the list
    NO_READABLE_ROW = "no_readable_row"  # 200, a list in which no row is a node
    TRUNCATED_JSON = "truncated_json"  # 200, complete HTTP, half of the body's JSON
    DEEP_JSON = "deep_json"  # 200, lists nested 1,000,000 deep


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchedOn:
    """A fault that is on.

    Attributes:
        fault: which one.
        requests: for so many more; None for all until it is switched off.
        seconds: the delay of `SLOW`.
        size: bytes of `HUGE`, and of what `GZIP_BOMB` unpacks to.
        location: where `REDIRECT` points.
        path: for requests of this path and of what lies below it, read as Oxidized reads it and without the app's
            prefix: `/node/fetch` for every fetch, `/node/fetch/dc1/sw-01` for one device's. Empty for every request.
    """

    fault: Fault
    requests: int | None = None
    seconds: float = 1.0
    size: int = HUGE_BYTES
    location: str = "/moved"
    path: str = ""

    def __post_init__(self) -> None:
        if self.requests is not None and self.requests < 1:
            raise ValueError(f"a fault is for one request or more, not {self.requests}")
        if not (math.isfinite(self.seconds) and self.seconds >= 0):
            raise ValueError(f"an answer is a finite number of seconds late, not {self.seconds!r}")
        if self.size < 0:
            raise ValueError(f"a body has zero bytes or more, not {self.size}")
        if self.path and (not self.path.startswith("/") or self.path.endswith("/")):
            raise ValueError(f"a path starts with a slash and does not end with one, unlike {self.path!r}")

    def is_for(self, path: str | None) -> bool:
        """Tell whether a request of this path meets the fault; None stands for one outside the app's prefix."""
        if not self.path:
            return True
        return path is not None and (path == self.path or path.startswith(f"{self.path}/"))


class FaultSwitch:
    """Switches one fault on and off, for every path of the app that it is given to or for some."""

    def __init__(self) -> None:
        self._on: SwitchedOn | None = None

    @property
    def active(self) -> SwitchedOn | None:
        """The fault that the next request of its path meets, None if all are answered rightly."""
        return self._on

    def switch_on(
        self,
        fault: Fault,
        *,
        requests: int | None = None,
        seconds: float = 1.0,
        size: int = HUGE_BYTES,
        location: str = "/moved",
        path: str = "",
    ) -> None:
        """Let the next requests meet `fault`, in place of any other; the arguments are `SwitchedOn`'s.

        Raises:
            ValueError: fewer than one request, a delay that is no finite number of seconds, a negative size, a path
                without a slash at its start or with one at its end.
        """
        self._on = SwitchedOn(fault=fault, requests=requests, seconds=seconds, size=size, location=location, path=path)

    def switch_off(self) -> None:
        """Answer rightly from the next request on. What hangs already goes on hanging."""
        self._on = None

    def take(self, path: str | None) -> SwitchedOn | None:
        """Return the fault for one request of this path (None: outside the app's prefix), and count that request."""
        taken = self._on
        if taken is None or not taken.is_for(path):
            return None
        if taken.requests is not None:
            left = taken.requests - 1
            self._on = replace(taken, requests=left) if left else None
        return taken
