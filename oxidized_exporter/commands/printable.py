"""Text from outside, made harmless before a person or a program reads it."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return ``text`` on one line, everything as an escape that could drive a terminal or hide what stands there."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def cut(text: str, *, most: int) -> str:
    """Return at most so many characters of ``text``, the last of them ``…`` where some are missing."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
