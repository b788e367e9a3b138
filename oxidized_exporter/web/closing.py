"""Letting a listening socket make no new connection while those it has made are still accepted."""

from __future__ import annotations

import contextlib
import socket
import struct
from array import array
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncio.trsock import TransportSocket

# Linux, socket(7) and its include/uapi/asm-generic/socket.h; Python has no names for them.
_SO_BINDTOIFINDEX: Final = 62
_SO_ATTACH_FILTER: Final = 26
_NO_INTERFACE: Final = struct.pack("i", 2**31 - 1)
_FLAGS_OFFSET: Final = 13  # of the TCP header, RFC 9293, 3.1
_SYN: Final = 0x02
# struct sock_filter: code, jump if true, jump if false, operand; see the kernel's Documentation/networking/filter.rst
_INSTRUCTION: Final = struct.Struct("HBBI")
_DROP_SYN: Final = (
    (0x30, 0, 0, _FLAGS_OFFSET),  # load the byte of flags
    (0x45, 0, 1, _SYN),  # if SYN is set
    (0x06, 0, 0, 0),  # drop the packet
    (0x06, 0, 0, 0xFFFFFFFF),  # otherwise keep all of it
)


def make_no_new_connections(listener: TransportSocket | socket.socket) -> None:
    """Let the kernel pass over new SYN packets; connections under way or waiting are made and accepted as before.

    Closing a listening socket resets the connections that wait in it, with requests that clients believe to be sent.
    After this call no connection is added, so that the waiting ones can be accepted before the socket is closed.

    A socket that is bound to a network interface sees the packets of that one alone, so it is bound to one that there
    is not: new clients are refused at once. That is everybody's to do since Linux 5.7. Before, a socket filter drops
    the packets, and a client that sends its SYN again a second later is refused; since June 2026 Linux, in its
    older versions' updates too, takes one for TCP from CAP_NET_ADMIN alone.

    Where the system knows neither (both are Linux's), nothing happens.
    """
    program = b"".join(_INSTRUCTION.pack(*instruction) for instruction in _DROP_SYN)
    held = array("B", program)  # for as long as its address is used
    address, _ = held.buffer_info()
    filter_program = struct.pack("HP", len(_DROP_SYN), address)
    for option, value in ((_SO_BINDTOIFINDEX, _NO_INTERFACE), (_SO_ATTACH_FILTER, filter_program)):
        with contextlib.suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, option, value)
            return
