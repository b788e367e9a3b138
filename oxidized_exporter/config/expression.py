"""Regular expressions in RE2's syntax: they take time linear in the length of what they look at, whoever wrote them."""

from __future__ import annotations

from typing import Any, Final


class Expression:
    """An expression that matches the whole of a text."""

    __slots__ = ("_compiled", "text")

    def __init__(self, text: str) -> None:
        """Compile it.

        Raises:
            ValueError: RE2 does not take it.
        """
        self._compiled: Any = _compile(text, dot_is_any=True)  # as Prometheus has it
        self.text: Final = text

    def matches(self, value: str) -> bool:
        """Tell whether all of ``value`` matches."""
        return self._compiled.fullmatch(value.encode("utf-8", "replace")) is not None

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"

    def __str__(self) -> str:
        return self.text


class LineExpression(Expression):
    r"""An expression that is looked for as grep does: anywhere, with ``^`` and ``$`` at the ends of each line.

    ``\A`` and ``\z`` are the ends of the whole text, and ``.`` is no line end.
    """

    __slots__ = ()

    def __init__(self, text: str) -> None:
        """Compile it.

        Raises:
            ValueError: RE2 does not take it.
        """
        super().__init__(text)  # by itself, so that a message does not tell of what is put around it
        self._compiled = _compile(f"(?m:{text})")

    def found_in(self, content: bytes | bytearray) -> bool:
        """Tell whether any part of ``content`` matches; takes time, so call it off the loop where that is large."""
        return self._compiled.search(content) is not None


def _compile(text: str, *, dot_is_any: bool = False) -> Any:
    import re2  # noqa: PLC0415 - without a file it is never needed

    options = re2.Options()
    options.log_errors = False
    options.dot_nl = dot_is_any
    try:
        return re2.compile(text.encode(), options)
    except re2.error as error:
        raise ValueError(f"must be an RE2 expression: {_message(error)}") from None


def _message(error: Exception) -> str:
    said = error.args[0] if error.args else b""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
