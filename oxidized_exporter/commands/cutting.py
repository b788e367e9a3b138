"""Text that is too long."""

from __future__ import annotations


def cut(text: str, *, most: int) -> str:
    """Return at most so many characters of ``text``, the last of them ``…`` where some are missing."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
