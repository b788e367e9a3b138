from __future__ import annotations

import errno
import socket
import struct
import sys
from array import array
from typing import Final

import pytest

from oxidized_exporter.web import closing
from oxidized_exporter.web.closing import make_no_new_connections

_ANYWHERE: Final = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
_linux: Final = pytest.mark.skipif(sys.platform != "linux", reason="both ways are Linux's")


def know_none_of(options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    for option in options:
        monkeypatch.setattr(closing, option, 9999)


def accepted(listener: socket.socket) -> list[bytes]:
    """Accept who is there, and return what each has sent by now."""
    listener.settimeout(0)
    heard: list[bytes] = []
    while True:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return heard
        with connection:
            connection.settimeout(0)
            try:
                heard.append(connection.recv(100))
            except BlockingIOError:
                heard.append(b"")


@_linux
@pytest.mark.parametrize("family", _ANYWHERE, ids=lambda family: family.name)
def test_who_waits_or_is_under_way_is_accepted_and_who_comes_late_is_refused(family: socket.AddressFamily) -> None:
    """On loopback a handshake is over when connect() returns, so that nothing has to be waited for."""
    with (
        socket.create_server((_ANYWHERE[family], 0), family=family) as listener,
        socket.socket(family) as waiting,
        socket.socket(family) as under_way,
        socket.socket(family) as late,
    ):
        # The listener's end of a handshake is open until data come.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 10)
        waiting.connect(listener.getsockname())
        waiting.sendall(b"still heard")
        under_way.connect(listener.getsockname())
        make_no_new_connections(listener)
        with pytest.raises(ConnectionRefusedError):
            late.connect(listener.getsockname())
        under_way.sendall(b"heard, too")
        assert accepted(listener) == [b"still heard", b"heard, too"]


def takes_filters() -> bool:
    """Whether Linux takes a filter for TCP from who runs this: one that keeps everything."""
    program = array("B", struct.pack("HBBI", 0x06, 0, 0, 0xFFFFFFFF))
    with socket.socket() as own:
        try:
            own.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HP", 1, program.buffer_info()[0]))
        except PermissionError:
            return False
    return True


@_linux
def test_where_there_are_no_interfaces_to_bind_to_a_filter_drops_who_comes_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    know_none_of(("_SO_BINDTOIFINDEX",), monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as early, socket.socket() as late:
        early.connect(listener.getsockname())
        early.sendall(b"still heard")
        make_no_new_connections(listener)
        late.settimeout(0)
        assert late.connect_ex(listener.getsockname()) == errno.EINPROGRESS
        assert (accepted(listener) == [b"still heard"]) is takes_filters()


def test_a_system_that_knows_neither_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    know_none_of(("_SO_BINDTOIFINDEX", "_SO_ATTACH_FILTER"), monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as late:
        make_no_new_connections(listener)
        late.connect(listener.getsockname())
