from __future__ import annotations

import errno
import socket
import sys

import pytest

from oxidized_exporter.web.closing import make_no_new_connections


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")
def test_waiting_connections_are_accepted_and_no_new_one_is_made() -> None:
    """On loopback a handshake is over when connect() returns, so that nothing has to be waited for."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as early, socket.socket() as late:
        listener.settimeout(0)
        early.connect(listener.getsockname())
        make_no_new_connections(listener)
        late.settimeout(0)
        assert late.connect_ex(listener.getsockname()) == errno.EINPROGRESS
        accepted, _ = listener.accept()
        with accepted:
            early.sendall(b"still heard")
            assert accepted.recv(100) == b"still heard"
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_system_without_such_a_filter_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oxidized_exporter.web.closing._SO_ATTACH_FILTER", 9999)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as late:
        make_no_new_connections(listener)
        late.connect(listener.getsockname())
