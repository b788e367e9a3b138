"""docs/reliability.md shows the matrix as it is."""

from __future__ import annotations

import re

from tests.faults.cells import Kind, Stage
from tests.faults.page import PAGE, PART, text
from tests.marked import shown


def test_the_page_is_current() -> None:
    assert shown(PAGE, part=PART) == text(), "run `make docs`"


def test_the_table_has_a_row_for_each_stage_and_one_for_callers() -> None:
    rows = re.findall(r"^\| (.*) \|$", text(), re.MULTILINE)
    assert [cells.split(" | ")[0] for cells in rows[2:]] == [*Stage, "caller"]
    assert {len(cells.split(" | ")) for cells in rows} == {len(Kind) + 1}
    assert "|  |" not in text().removeprefix("|  |"), "no cell is empty"
