from __future__ import annotations

import gzip
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Gauge

from oxidized_exporter.metrics.exposition import Format, accepts_gzip, body_of, negotiate
from tests.harness import openmetrics_families

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = "text/plain; version=0.0.4; charset=utf-8"
BESIDE = ThreadPoolExecutor(max_workers=1)
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    "accept,content_type",
    [
        (None, TEXT),
        ("", TEXT),
        ("*/*", TEXT),
        ("text/*", TEXT),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT),
        ("application/json", TEXT),
        ("nonsense", TEXT),
        ("/;;,,=", TEXT),
        ("text/plain", TEXT),
        ("text/plain;version=0.0.4", TEXT),
        ("application/openmetrics-text", OPENMETRICS),
        ("Application/OpenMetrics-Text; version=1.0.0", OPENMETRICS),
        ('application/openmetrics-text; version="1.0.0"', OPENMETRICS),
        ("application/openmetrics-text;version=0.0.1", TEXT),
        ("application/openmetrics-text;version=2.0.0,*/*;q=0.1", TEXT),
        ("application/openmetrics-text;q=0", TEXT),
        ("application/openmetrics-text;q=0.5,text/plain;q=0.9", TEXT),
        ("text/plain;q=0.5,application/openmetrics-text;q=0.9", OPENMETRICS),
        ("text/plain,application/openmetrics-text", TEXT),
        (PROMETHEUS_2, OPENMETRICS),
        (PROMETHEUS_3, f"{OPENMETRICS}; escaping=allow-utf-8"),
        ("application/openmetrics-text;version=1.0.0;escaping=underscores", f"{OPENMETRICS}; escaping=underscores"),
        ("application/openmetrics-text;version=1.0.0;escaping=dots", f"{OPENMETRICS}; escaping=underscores"),
        ("text/plain;version=0.0.4;escaping=allow-utf-8", f"{TEXT}; escaping=allow-utf-8"),
    ],
)
def test_negotiation(accept: str | None, content_type: str) -> None:
    assert negotiate(accept).content_type == content_type


@pytest.mark.parametrize(
    "accept_encoding,expected",
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, *;q=1", False),
        ("*", True),
        ("*;q=0", False),
        ("identity", False),
        ("gzip;q=abc", False),
        ("gzipped", False),
    ],
)
def test_gzip_is_used_where_it_is_taken(accept_encoding: str | None, *, expected: bool) -> None:
    assert accepts_gzip(accept_encoding) is expected


def test_a_body_is_compressed_where_that_is_wanted_and_pays() -> None:
    pieces = [b"oxidized_status 1\n"] * 100
    assert body_of(pieces, gzip_accepted=False, beside=BESIDE) == (b"".join(pieces), False)
    compressed, gzipped = body_of(pieces, gzip_accepted=True, beside=BESIDE)
    assert gzipped
    assert gzip.decompress(compressed) == b"".join(pieces)
    assert len(compressed) < len(b"".join(pieces)) / 10
    assert body_of(pieces, gzip_accepted=True, beside=BESIDE) == (compressed, True), "the same bytes for the same body"


@pytest.mark.parametrize("size,expected", [(0, False), (1023, False), (1024, True)])
def test_a_small_body_is_left_as_it_is(size: int, *, expected: bool) -> None:
    body, gzipped = body_of([b"x"] * size, gzip_accepted=True, beside=BESIDE)
    assert gzipped is expected
    assert (gzip.decompress(body) if gzipped else body) == b"x" * size


@given(sizes=st.lists(st.sampled_from([0, 1, 1023, 40_000, 65_535, 65_536, 100_000]), max_size=6))
@example(sizes=[70_000, 0, 70_000])
def test_a_body_of_pieces_large_and_small_is_one_member_of_all_of_them_in_order(sizes: list[int]) -> None:
    pieces = [bytes([65 + place]) * size for place, size in enumerate(sizes)]
    body, gzipped = body_of(iter(pieces), gzip_accepted=True, beside=BESIDE)
    assert gzipped is (sum(sizes) >= 1024)
    assert (gzip.decompress(body) if gzipped else body) == b"".join(pieces)
    assert body_of(iter(pieces), gzip_accepted=False, beside=BESIDE) == (b"".join(pieces), False)


def test_a_piece_is_compressed_while_the_next_one_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    compressed = threading.Event()

    class Compressor:
        def compress(self, piece: bytes) -> bytes:
            compressed.set()
            return piece

        def flush(self) -> bytes:
            return b"."

    def pieces() -> Iterator[bytes]:
        for letter in b"abc":  # of which one is held until the next one comes
            yield bytes([letter]) * 70_000
        assert compressed.wait(20), "nothing is compressed before all is made"
        yield b"d" * 70_000

    monkeypatch.setattr("isal.isal_zlib.compressobj", lambda *_args, **_settings: Compressor())
    body, _ = body_of(pieces(), gzip_accepted=True, beside=BESIDE)
    assert body == b"".join(bytes([letter]) * 70_000 for letter in b"abcd") + b"."


def test_openmetrics_ends_with_its_mark() -> None:
    registry = CollectorRegistry()
    Gauge("a", "b", registry=registry).set(1)
    encoded = b"".join(Format(kind="openmetrics").encode(registry))
    assert encoded.endswith(b"# EOF\n")
    assert [family.name for family in openmetrics_families(encoded.decode())] == ["a"]
    assert b"# EOF" not in b"".join(Format(kind="text").encode(registry))
