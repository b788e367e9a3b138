"""Which exposition format a scraper wants, and the bytes of it."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import mimeparse
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics_exposition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client.registry import Collector

_ENCODERS: Final[Mapping[str, Callable[[Collector], bytes]]] = {
    "text": generate_latest,
    "openmetrics": openmetrics_exposition.generate_latest,
}
_OPENMETRICS: Final = "application/openmetrics-text"
_TEXT: Final = "text/plain"
_WILDCARDS: Final = frozenset({"text/*", "*/*"})
_ALLOW_UTF8: Final = "allow-utf-8"
_UNDERSCORES: Final = "underscores"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One exposition format; all names here are legal in every escaping scheme, so none changes the bytes."""

    kind: Literal["text", "openmetrics"]
    escaping: str | None = None

    @property
    def content_type(self) -> str:
        """Return the value of the Content-Type header."""
        media = f"{_TEXT}; version=0.0.4" if self.kind == "text" else f"{_OPENMETRICS}; version=1.0.0"
        return f"{media}; charset=utf-8" + (f"; escaping={self.escaping}" if self.escaping else "")

    def encode(self, collector: Collector) -> bytes:
        """Write the families of a registry; takes time in proportion to the samples, so call it off the loop."""
        return _ENCODERS[self.kind](collector)


def negotiate(accept: str | None) -> Format:
    """Choose what the scraper likes best of text 0.0.4 and OpenMetrics 1.0.0.

    The weights (``q``) count; among equals the order of the header does. Where nothing fits, text 0.0.4 is the answer,
    as in Prometheus's own client libraries.
    """
    best: tuple[float, Format] = (0.0, Format(kind="text"))
    for quality, parsed in _ranges(accept or ""):
        if quality > best[0]:
            best = (quality, parsed)
    return best[1]


def _ranges(accept: str) -> Iterator[tuple[float, Format]]:
    for text in accept.split(","):
        try:
            kind, subtype, parameters = mimeparse.parse_media_range(text)
        except mimeparse.MimeTypeParseException:
            continue
        media = f"{kind}/{subtype}".lower()
        version = parameters.get("version")
        quality = float(parameters["q"])
        escaping = parameters.get("escaping")
        if escaping is not None:  # the scheme that is used: the one asked for, or the one that is always allowed
            escaping = _ALLOW_UTF8 if escaping == _ALLOW_UTF8 else _UNDERSCORES
        if media == _OPENMETRICS and version in {None, "1.0.0"}:
            yield quality, Format(kind="openmetrics", escaping=escaping)
        elif (media == _TEXT and version in {None, "0.0.4"}) or media in _WILDCARDS:
            yield quality, Format(kind="text", escaping=escaping)


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Tell whether the scraper takes gzip (RFC 9110, 12.5.3): named, or ``*``, with a weight above 0."""
    weights: dict[str, float] = {}
    for text in (accept_encoding or "").split(","):
        coding, _, parameter = text.partition(";")
        name, _, weight = parameter.partition("=")
        try:
            weights[coding.strip().lower()] = float(weight) if name.strip().lower() == "q" else 1.0
        except ValueError:
            continue
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def compress(body: bytes) -> bytes:
    """Return ``body`` as gzip, the same bytes for the same body; call it off the loop."""
    return gzip.compress(body, compresslevel=1, mtime=0)
