"""Which exposition format a scraper wants, and the bytes of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final, Literal

import mimeparse
from isal import isal_zlib
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics_exposition

from oxidized_exporter.metrics.encoder import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from concurrent.futures import Executor, Future

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
_SMALLEST: Final = 1024  # bytes; below that, one network packet carries the text as well as its compressed form
_GATHERED: Final = 64 * 1024
_AHEAD: Final = 1  # pieces that wait to be compressed while the next one is made
_LEVEL: Final = 1
_GZIP: Final = 31  # zlib's number for the largest window and a gzip header


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

    def encode(self, collector: Collector) -> Iterator[bytes]:
        """Write the families of a registry; takes time in proportion to the samples, so call it off the loop."""
        return encode(collector, library=_ENCODERS[self.kind])


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


def body_of(pieces: Iterable[bytes], *, gzip_accepted: bool, beside: Executor) -> tuple[bytes, bool]:
    """Return the body, as one gzip member where that is accepted and pays, and whether it is one.

    The same pieces give the same bytes. Call it off the loop. Of a large body each piece is compressed
    while the next one is made (ISA-L lets go of the interpreter), so that the whole text is not held.

    Args:
        pieces: of the text.
        gzip_accepted: whether it may be compressed.
        beside: one thread, in which a large body is compressed.
    """
    gathered = _gather(pieces)
    first, second = next(gathered, b""), next(gathered, b"")
    if not gzip_accepted or (len(first) < _SMALLEST and not second):
        return b"".join([first, second, *gathered]), False
    compressor = isal_zlib.compressobj(_LEVEL, wbits=_GZIP)
    if not second:
        return compressor.compress(first) + compressor.flush(), True
    compressed: list[Future[bytes]] = []
    for piece in chain([first, second], gathered):
        compressed.append(beside.submit(compressor.compress, piece))
        if len(compressed) > _AHEAD:
            compressed[-1 - _AHEAD].result()  # or the text would be held where compressing is slower than encoding
    compressed.append(beside.submit(compressor.flush))
    return b"".join([one.result() for one in compressed]), True


def _gather(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Put small pieces together, since ISA-L begins a block of its own with each; large ones are not copied.

    None of what is yielded is empty.
    """
    held: list[bytes] = []
    size = 0
    for piece in filter(None, pieces):
        if held and (size >= _GATHERED or len(piece) >= _GATHERED):
            yield b"".join(held)
            held, size = [], 0
        held.append(piece)
        size += len(piece)
    if held:
        yield b"".join(held)
