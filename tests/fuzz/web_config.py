"""The web configuration: it is taken or refused with all its faults, what is taken can be served, no secret is told."""

from __future__ import annotations

import math
import re
from typing import Final

from oxidized_exporter.config.document import read_document
from oxidized_exporter.web.rate import TokenBucket
from oxidized_exporter.web.tls import is_allowed
from oxidized_exporter.web.web_config import WebConfig
from oxidized_exporter.web.web_config_loader import read_web_config
from oxidized_exporter.web.web_config_opened import opened
from tests.fuzz.files import MARK, check_faults, names_files_elsewhere, shows_mark, write

_USERS: Final = "basic_auth_users"
_VISIBLE: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
_YEARS: Final = 300 * 366 * 86400.0


def check(data: bytes) -> None:
    """Read a file; where it is taken, make use of it."""
    if names_files_elsewhere(data):
        return
    path = write(data, "web.yml")
    reading = read_web_config(str(path))
    assert (reading.loaded is None) == bool(reading.faults)
    assert path in reading.stamps
    assert MARK not in reading.summary
    if reading.loaded is None:
        check_faults(reading.faults, path=path, data=path.read_bytes())
        assert not shows_mark(reading.faults) or _may_be_shown(data), "a secret is shown"
        return
    config = reading.loaded.config
    tls = config.tls_server_config
    assert (reading.loaded.context is not None) == tls.serves_tls, "TLS is asked for and not served"
    assert all(_VISIBLE.fullmatch(value) for value in config.http_server_config.headers.by_name().values())
    assert is_allowed(None, names=tls.client_allowed_sans) == (tls.client_allowed_sans is None)
    _check_opened(config)
    _check_rate(config)


def _may_be_shown(data: bytes) -> bool:
    """Tell whether the mark stands in the name of a user, which is no secret."""
    document = read_document(data.decode("utf-8-sig", "replace"))
    paths = {*document.lines, *(issue.path for issue in document.issues)}
    return any(path[:1] == (_USERS,) and MARK in str(path[1:2]) for path in paths)


def _check_opened(config: WebConfig) -> None:
    """Make sure that an emptied file, which is a web configuration, takes no protection away."""
    protected = config.tls_server_config.serves_tls or bool(config.basic_auth_users)
    assert bool(opened(config, WebConfig(), file="f")) == protected
    assert not opened(config, config, file="f")
    assert not opened(WebConfig(), config, file="f")


def _check_rate(config: WebConfig) -> None:
    rate = config.rate_limit
    assert 0 <= rate.interval < math.inf, "an interval has no end"
    if not rate.interval:
        return
    now = 0.0
    bucket = TokenBucket(interval=rate.interval, burst=rate.burst, clock=lambda: now)
    assert bucket.take(), "nothing is served"
    now = _YEARS
    assert bucket.take(), "nothing is served any more"
