"""A configured secret: it is shown to nobody by accident."""

from __future__ import annotations

import hmac
from typing import Final, NoReturn, final

HIDDEN: Final = "<secret>"
"""What stands in place of a secret wherever one would be shown."""


@final
class Secret:
    """Text that only `reveal` gives: ``str``, ``repr`` and every format show ``<secret>``; it cannot be pickled."""

    __slots__ = ("__text",)
    __hash__ = None  # type: ignore[assignment] # what is compared in constant time is no key of a table

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """Return the text, for the one place that sends it."""
        return self.__text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, others = (secret.reveal().encode("utf-8", "surrogatepass") for secret in (self, other))
        return hmac.compare_digest(mine, others)

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not pickled")
