"""Users and their passwords: who a request is from, at a cost that says nothing about who there is."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import re
import secrets
from typing import TYPE_CHECKING, Final

import bcrypt
from cachetools import LRUCache

from oxidized_exporter.errors import TooManyChecksError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Executor

    from oxidized_exporter.config import Secret

_HEADER: Final = re.compile(r"[Bb][Aa][Ss][Ii][Cc] +([A-Za-z0-9+/]+={0,2})")
_MOST_REMEMBERED: Final = 100
_MOST_WAITING: Final = 32
_MOST_HASHED: Final = 72  # bcrypt looks at no more; htpasswd and Go cut there, Python's bcrypt refuses


class Credentials:
    """User name and password as a request has them, in bytes; shown to nobody."""

    __slots__ = ("name", "password")

    def __init__(self, *, name: bytes, password: bytes) -> None:
        self.name = name
        self.password = password

    def __repr__(self) -> str:
        return "Credentials()"


def parse_authorization(values: Sequence[str]) -> Credentials | None:
    """Read the values of the header Authorization; None for anything but one of RFC 7617."""
    if len(values) != 1 or not (matched := _HEADER.fullmatch(values[0])):
        return None
    try:
        decoded = base64.b64decode(matched[1], validate=True)
    except binascii.Error:
        return None
    name, colon, password = decoded.partition(b":")
    return Credentials(name=name, password=password) if colon else None


class Users:
    """The users of one state of the file.

    A password that was right is remembered, as a hash with a key that nobody else has, so that a scrape costs no
    bcrypt. Requests with the same credentials wait for one check. All is forgotten with this object.
    """

    def __init__(self, hashes: Mapping[str, Secret], *, thread: Executor) -> None:
        """Take the bcrypt hashes by user name; ``thread`` is where they are computed."""
        self._hashes = {name.encode(): hash_.reveal().encode() for name, hash_ in hashes.items()}
        self._by_number = list(self._hashes.values())
        self._thread = thread
        self._key = secrets.token_bytes(32)
        self._right: LRUCache[bytes, None] = LRUCache(maxsize=_MOST_REMEMBERED)
        self._checks: dict[bytes, asyncio.Future[bool]] = {}

    def __bool__(self) -> bool:
        """Tell whether there are any; without one nobody has to be known."""
        return bool(self._hashes)

    @property
    def waiting(self) -> int:
        """How many passwords are being checked, or wait for that."""
        return len(self._checks)

    async def know(self, credentials: Credentials) -> bool:
        """Tell whether there is such a user with such a password.

        Who is no user is checked against the hash of one, always the same one for the same name, and refused.
        On cancellation the check goes on for those who wait for it too.

        Raises:
            TooManyChecksError: one more would have to wait too long.
        """
        name = credentials.name
        mark = self._mark(name, credentials.password)
        if mark in self._right:
            self._right[mark] = None  # the most recently used
            return True
        check = self._checks.get(mark)
        if check is None:
            if len(self._checks) >= _MOST_WAITING:
                raise TooManyChecksError
            known = name in self._hashes
            hash_ = self._hashes[name] if known else self._stand_in(name)
            check = asyncio.get_running_loop().create_task(self._check(mark, credentials.password, hash_, known=known))
            self._checks[mark] = check
        return await asyncio.shield(check)

    async def _check(self, mark: bytes, password: bytes, hash_: bytes, *, known: bool) -> bool:
        try:
            matches = await asyncio.get_running_loop().run_in_executor(
                self._thread, bcrypt.checkpw, password[:_MOST_HASHED], hash_
            )
        finally:
            del self._checks[mark]
        if matches and known:
            self._right[mark] = None
        return matches and known

    def _mark(self, name: bytes, password: bytes) -> bytes:
        return hmac.digest(self._key, len(name).to_bytes(8, "big") + name + password, "sha256")

    def _stand_in(self, name: bytes) -> bytes:
        """Return the hash of a user: of costs that differ, each name has one, as if it were a user's."""
        number = int.from_bytes(hmac.digest(self._key, name, "sha256"), "big")
        return self._by_number[number % len(self._by_number)]
