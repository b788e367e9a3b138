"""A name server that answers each name in its own way."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, cast

import dnslib
from aiohttp import AsyncResolver

from tests.faults.doors import Visit, door
from tests.system.held_port import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

_SECONDS: Final = 20.0  # so long the resolver waits for an answer: longer than any deadline here
MANY_TRIES: Final = 10
"""More than any deadline has time for: the resolver soon waits no longer than it has learned from earlier answers."""
_MOST_IN_A_DATAGRAM: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is said of a name.

    Attributes:
        addresses: of IPv4.
        code: of the answer.
        late: seconds; None for never.
        broken_off: whether it is given over TCP only, and not to its end.
    """

    addresses: Sequence[str] = ()
    code: str = "NOERROR"
    late: float | None = 0.0
    broken_off: bool = False


RIGHT: Final = Reply(addresses=[LOOPBACK])


@dataclass(slots=True)
class Names:
    """What is said of names.

    Attributes:
        replies: by name, to the n-th question of a type, counted from 0.
        asked: how often, by name and type.
        owed: answers that are late, or never come.
        at_once: whether none is any more.
    """

    replies: dict[str, Callable[[int], Reply]] = field(default_factory=dict)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    owed: list[Callable[[], None]] = field(default_factory=list)
    at_once: bool = False

    def give_what_is_owed(self) -> None:
        """Answer at last, so that the resolver, which goes on waiting when its callers do not, has no open question."""
        self.at_once = True
        while self.owed:
            self.owed.pop()()

    def reply(self, data: bytes) -> tuple[Reply, dnslib.DNSRecord]:
        """Return what is said to a question."""
        question = dnslib.DNSRecord.parse(data)
        name, kind = str(question.q.qname).rstrip("."), dnslib.QTYPE[question.q.qtype]
        reply = self.replies[name](self.asked[name, kind])
        self.asked[name, kind] += 1
        record = question.reply()
        record.header.rcode = getattr(dnslib.RCODE, reply.code)
        for address in reply.addresses if kind == "A" else ():
            record.add_answer(dnslib.RR(question.q.qname, rdata=dnslib.A(address), ttl=0))
        return reply, record


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, names: Names) -> None:
        self._names = names
        self._late: set[asyncio.TimerHandle] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply, record = self._names.reply(data)
        if reply.broken_off or len(record.rr) > _MOST_IN_A_DATAGRAM:
            record.header.tc = 1  # ask over TCP
            record.rr.clear()
        packed = record.pack()
        answer = partial(self._transport.sendto, packed, addr)
        if reply.late == 0 or self._names.at_once:
            answer()
            return
        self._names.owed.append(answer)
        if reply.late is not None:
            self._late.add(asyncio.get_running_loop().call_later(reply.late, answer))

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        for answer in self._late:
            answer.cancel()


@asynccontextmanager
async def name_server(names: Names, *, tries: int = MANY_TRIES) -> AsyncIterator[Callable[[], AsyncResolver]]:
    """Serve names on a free port, of UDP and of TCP; yields what makes a resolver that asks there.

    Args:
        names: what is said of them.
        tries: how often the resolver asks.
    """

    async def answer(visit: Visit) -> None:
        while True:
            size = int.from_bytes(await visit.reader.readexactly(2), "big")
            reply, record = names.reply(await visit.reader.readexactly(size))
            packed = record.pack()
            whole = len(packed).to_bytes(2, "big") + packed
            if reply.broken_off:
                visit.writer.write(whole[: len(whole) // 2])
                return
            visit.writer.write(whole)

    async with door(answer) as port:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Datagrams(names), local_addr=(LOOPBACK, port)
        )
        try:
            yield partial(
                AsyncResolver,
                nameservers=[LOOPBACK],
                udp_port=port,
                tcp_port=port,
                timeout=_SECONDS,
                tries=tries,
            )
        finally:
            transport.close()
