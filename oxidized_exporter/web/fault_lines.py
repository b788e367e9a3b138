"""What the lines of the log say of a file that was not taken up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from oxidized_exporter.errors import Fault

_MOST_TOLD: Final = 50


def told_of(faults: Sequence[Fault]) -> Iterator[dict[str, Any]]:
    """Yield the keys of a line for each fault, of the first 50, and of one that says how many more there are."""
    for fault in faults[:_MOST_TOLD]:
        yield {"fault": str(fault)}
    if (more := len(faults) - _MOST_TOLD) > 0:
        yield {"more_faults": more}
