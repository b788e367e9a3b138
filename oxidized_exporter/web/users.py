"""Users and their passwords: who a request is from, at a cost that says nothing about who there is."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import ipaddress
import re
import secrets
from collections import Counter
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
_MOST_WAITING_OF_ONE: Final = 8
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


class _Memory:
    """What states of the file hand on.

    Attributes:
        key: of the hashes that stand for what a request showed.
        right: those of passwords that were right, the most recently used last.
        checks: those under way, or waiting.
        by_client: how many of these each share of the places has.
    """

    __slots__ = ("by_client", "checks", "key", "right")

    def __init__(self) -> None:
        self.key = secrets.token_bytes(32)
        self.right: LRUCache[bytes, None] = LRUCache(maxsize=_MOST_REMEMBERED)
        self.checks: dict[bytes, asyncio.Future[bool]] = {}
        self.by_client: Counter[str] = Counter()


class Users:
    """The users of one state of the file.

    A password that was right is remembered, as a hash with a key that nobody else has, so that a scrape costs no
    bcrypt. Requests with the same credentials wait for one check. A state of the file goes on with what the one before
    it remembers, and with its checks; that counts for users whose bcrypt hash is still the same.
    """

    def __init__(self, hashes: Mapping[str, Secret], *, thread: Executor, before: Users | None = None) -> None:
        """Take the bcrypt hashes by user name.

        Args:
            hashes: of all users.
            thread: where they are computed.
            before: the users of the state before.
        """
        self._hashes = {name.encode(): hash_.reveal().encode() for name, hash_ in hashes.items()}
        self._by_number = list(self._hashes.values())
        self._thread = thread
        self._memory: _Memory = _Memory() if before is None else before._memory  # noqa: SLF001 - of another one of these

    def __bool__(self) -> bool:
        """Tell whether there are any; without one nobody has to be known."""
        return bool(self._hashes)

    @property
    def waiting(self) -> int:
        """How many passwords are being checked, or wait for that."""
        return len(self._memory.checks)

    async def know(self, credentials: Credentials, *, client: str | None) -> bool:
        """Tell whether there is such a user with such a password.

        Who is no user is checked against the hash of one, always the same one for the same name, and refused.
        On cancellation the check goes on for those who wait for it too.

        Args:
            credentials: of a request.
            client: its address; one of them has a share of the places to wait in.

        Raises:
            TooManyChecksError: one more would have to wait too long.
        """
        name = credentials.name
        known = name in self._hashes
        hash_ = self._hashes[name] if known else self._stand_in(name)
        mark = self._mark(name, credentials.password, hash_, known=known)
        if mark in self._memory.right:
            self._memory.right[mark] = None  # the most recently used
            return True
        check = self._memory.checks.get(mark)
        if check is None:
            share = share_of(client)
            if len(self._memory.checks) >= _MOST_WAITING or self._memory.by_client[share] >= _MOST_WAITING_OF_ONE:
                raise TooManyChecksError
            check = asyncio.get_running_loop().create_task(
                self._check(mark, credentials.password, hash_, known=known, share=share)
            )
            self._memory.checks[mark] = check
            self._memory.by_client[share] += 1
        return await asyncio.shield(check)

    async def _check(self, mark: bytes, password: bytes, hash_: bytes, *, known: bool, share: str) -> bool:
        try:
            matches = await asyncio.get_running_loop().run_in_executor(
                self._thread, bcrypt.checkpw, password[:_MOST_HASHED], hash_
            )
        finally:
            del self._memory.checks[mark]
            self._memory.by_client[share] -= 1
            if not self._memory.by_client[share]:
                del self._memory.by_client[share]
        if matches and known:
            self._memory.right[mark] = None
        return matches and known

    def _mark(self, name: bytes, password: bytes, hash_: bytes, *, known: bool) -> bytes:
        parts = (name, hash_, b"known" if known else b"", password)
        return hmac.digest(self._memory.key, b"".join(len(part).to_bytes(8, "big") + part for part in parts), "sha256")

    def _stand_in(self, name: bytes) -> bytes:
        """Return the hash of a user: of costs that differ, each name has one, as if it were a user's."""
        number = int.from_bytes(hmac.digest(self._memory.key, name, "sha256"), "big")
        return self._by_number[number % len(self._by_number)]


def share_of(client: str | None) -> str:
    """Return whose share of the places to wait in a client uses: its address, of IPv6 the network of 64 bits."""
    try:
        address = ipaddress.ip_address(client or "")
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.IPv6Network((int(address), 64), strict=False))
