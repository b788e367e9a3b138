"""``python -m tests.faults``: writes the table of docs/reliability.md anew."""

from __future__ import annotations

from tests.faults.page import PAGE, PART, text
from tests.marked import show

if __name__ == "__main__":
    show(text(), page=PAGE, part=PART)
