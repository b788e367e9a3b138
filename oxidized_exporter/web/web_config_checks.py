"""What keys of a web configuration mean to each other; asked of the plain data, so that no fault hides another."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Final

from oxidized_exporter.config.document import Issue, mapping
from oxidized_exporter.config.files import check_authorities, check_readable
from oxidized_exporter.web.tls import load_pair
from oxidized_exporter.web.web_config_values import (
    CIPHERS,
    NO_CLIENT_CERT,
    REQUIRE_AND_VERIFY,
    VERIFY_IF_GIVEN,
    parse_certificates,
    parse_interval,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from oxidized_exporter.config.text import Place

_TLS: Final = "tls_server_config"
_FILES: Final = {"cert": "cert_file", "key": "key_file", "client_ca": "client_ca_file"}
_VERIFYING: Final = (VERIFY_IF_GIVEN, REQUIRE_AND_VERIFY)


def check(data: Any, *, place: Place) -> Iterator[Issue]:
    """Yield what is wrong between the keys of ``data``, and what only Go can do."""
    data = mapping(data)
    tls = mapping(data.get(_TLS))
    if tls:
        yield from _files(tls)
        yield from _pair(tls, place=place)
        yield from _clients(tls)
        yield from _versions(tls)
        curves = tls.get("curve_preferences")
        if isinstance(curves, list) and len(curves) > 1:
            yield Issue(
                (_TLS, "curve_preferences", 1),
                "cannot be honoured: Python's ssl can be told of one curve only; leave one",
            )
    if mapping(data.get("http_server_config")).get("http2") is True:
        yield Issue(
            ("http_server_config", "http2"),
            "cannot be honoured: this exporter speaks HTTP/1.1; leave the key out, or write false",
        )
    yield from _rate(mapping(data.get("rate_limit")))


def file_names(data: Any) -> Iterator[str]:
    """Yield the names of files in ``data``, whether or not they can be read."""
    tls = mapping(mapping(data).get(_TLS))
    for key in _FILES.values():
        if isinstance(name := tls.get(key), str) and name.isprintable():
            yield name


def _files(tls: Mapping[str, Any]) -> Iterator[Issue]:
    for inline, file in _FILES.items():
        if inline in tls and file in tls:
            yield Issue((_TLS, file), f"may not stand beside {inline}; leave one of the two out")
    for inline in ("cert", "key"):
        if inline not in tls and _FILES[inline] not in tls:
            yield Issue((_TLS,), f"must have {_FILES[inline]} or {inline}; an empty section means no TLS")


def _pair(tls: Mapping[str, Any], *, place: Place) -> Iterator[Issue]:
    certificate, key = _certificate(tls, place), _key(tls, place)
    if certificate is None or key is None:
        return
    try:
        load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate=certificate, key=key)
    except ValueError as error:
        yield Issue((_TLS, "key_file" if "key_file" in tls else "key"), str(error))


def _certificate(tls: Mapping[str, Any], place: Place) -> Path | str | None:
    """Return the certificate where there is one that can be read."""
    try:
        if isinstance(name := tls.get("cert_file"), str) and place.check_files:
            check_authorities(place.path(name))
            return place.path(name)
        return parse_certificates(text) if isinstance(text := tls.get("cert"), str) else None
    except ValueError:
        return None


def _key(tls: Mapping[str, Any], place: Place) -> Path | str | None:
    try:
        if isinstance(name := tls.get("key_file"), str) and place.check_files:
            check_readable(place.path(name))
            return place.path(name)
    except ValueError:
        return None
    return text if isinstance(text := tls.get("key"), str) else None


def _clients(tls: Mapping[str, Any]) -> Iterator[Issue]:
    policy = tls.get("client_auth_type", NO_CLIENT_CERT)
    given = [key for key in ("client_ca", "client_ca_file") if key in tls]
    if policy == NO_CLIENT_CERT:
        for key in given:
            yield Issue(
                (_TLS, key), f"needs client_auth_type: {REQUIRE_AND_VERIFY} beside it; else it counts for nothing"
            )
    if policy in _VERIFYING and not given:
        yield Issue(
            (_TLS, "client_auth_type"),
            "needs client_ca_file or client_ca beside it; else a certificate by any authority of the system would do",
        )
    if "client_allowed_sans" in tls and policy in {NO_CLIENT_CERT, VERIFY_IF_GIVEN}:
        yield Issue(
            (_TLS, "client_allowed_sans"),
            f"needs client_auth_type: {REQUIRE_AND_VERIFY} beside it; else clients may come without a certificate",
        )


def _versions(tls: Mapping[str, Any]) -> Iterator[Issue]:
    newest = tls.get("max_version")
    if newest != "TLS12":
        return
    if tls.get("min_version") == "TLS13":
        yield Issue((_TLS, "max_version"), "must not be older than min_version")
    suites = tls.get("cipher_suites")
    if isinstance(suites, list) and suites and all(CIPHERS.get(suite, "") is None for suite in map(str, suites)):
        yield Issue((_TLS, "cipher_suites"), "must have one for TLS 1.2, which max_version says is the newest")


def _rate(rate: Mapping[str, Any]) -> Iterator[Issue]:
    interval = rate.get("interval")
    try:
        limits = isinstance(interval, str) and interval != "0" and parse_interval(interval) > 0
    except ValueError:
        return
    if limits and rate.get("burst", 0) == 0:
        yield Issue(("rate_limit",), "must have a burst of 1 or more; with 0 every request would be refused")
