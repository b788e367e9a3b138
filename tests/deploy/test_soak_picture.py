"""The picture of a soak is drawn, small, and says of which rows it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

from tests.soak.figures import Row, as_csv
from tests.soak.picture import DESCRIPTION, draw, fingerprint

if TYPE_CHECKING:
    from pathlib import Path


def _row(number: int) -> Row:
    latencies = [float("nan")] * 4 if number == 3 else [10.0, 20.0, 30.0, 40.0 + number]  # none ended meanwhile
    return Row(
        second=5.0 * number,
        probes=66,
        unexpected=0,
        dead=number % 3,
        p50_ms=latencies[0],
        p90_ms=latencies[1],
        p99_ms=latencies[2],
        max_ms=latencies[3],
        processor_cores=0.2,
        rss_mib=150.0,
        pss_mib=140.0,
        descriptors=220,
        threads=7,
    )


def test_rows_are_drawn(tmp_path: Path) -> None:
    rows = [_row(number) for number in range(1, 37)]
    draw(rows, tmp_path / "soak.png")
    with Image.open(tmp_path / "soak.png") as drawn:
        assert drawn.size == (1000, 900)
        assert drawn.info[DESCRIPTION] == fingerprint(as_csv(rows))
        assert len(drawn.convert("RGB").getcolors(2**16) or ()) > 20
    assert (tmp_path / "soak.png").stat().st_size < 150_000
