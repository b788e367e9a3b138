"""``python -m tests.fuzz NAME FILE…``: give inputs to a fuzz target once more; what does not hold is raised."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.fuzz.targets import TARGETS


def main() -> None:
    """Check the files that are named."""
    if len(sys.argv) < 3 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: python -m tests.fuzz {{{','.join(TARGETS)}}} FILE…")
    check = TARGETS[sys.argv[1]].check()
    for file in sys.argv[2:]:
        check(Path(file).read_bytes())
        print(f"{file}: nothing found")  # noqa: T201 - what the command is for


if __name__ == "__main__":
    main()
