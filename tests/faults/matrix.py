"""All cells of the fault matrix."""

from __future__ import annotations

from itertools import product
from typing import Final

from oxidized_exporter.config import COLLECTORS
from tests.faults import below_http, decoding, http, rows
from tests.faults.cells import Cell, Kind, Stage

FAULTS: Final = (*below_http.FAULTS, *http.FAULTS, *decoding.FAULTS, *rows.FAULTS)
NOTHING: Final = (*http.NOTHING, *decoding.NOTHING, *rows.NOTHING)
CELLS: Final = tuple(Cell(fault=fault, collector=collector) for fault in FAULTS for collector in fault.says)
"""More than one where a fault is made in several ways."""


def cells_of(stage: Stage, kind: Kind) -> tuple[Cell, ...]:
    """Return the cells of a stage and a kind, for all collectors."""
    return tuple(cell for cell in CELLS if (cell.fault.stage, cell.fault.kind) == (stage, kind))


COMBINATIONS: Final = tuple(product(Stage, Kind))
WHOLE: Final = frozenset(product(Stage, Kind, COLLECTORS))
"""What the matrix has to have, or to say why not."""
