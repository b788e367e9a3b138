"""Every way in which an Oxidized can fail to answer, on real sockets: 200, oxidized_status 0 and one reason."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import tempfile
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import trustme

from oxidized_exporter.config import Config, Limits, TlsConfig
from oxidized_exporter.errors import FAILURE_REASONS
from oxidized_exporter.simulator import FAULTS, Daemon, Fault, create_app, fleet
from tests.harness import Exposition, asked, connecting, running, running_exporter, running_raw

if TYPE_CHECKING:
    from collections.abc import Iterator

STALLED: Final = 0.3  # seconds of scrape time-out where a fault never ends by itself

# Reason of each fault of the simulator; one that is not named here fails.
REASONS: Final = {
    Fault.SLOW: "timeout",
    Fault.HANG_BEFORE_HEADERS: "timeout",
    Fault.HANG_IN_BODY: "timeout",
    Fault.TRUNCATED: "protocol",
    Fault.BROKEN_CHUNK: "protocol",
    Fault.RESET: "connect",
    Fault.RESET_IN_BODY: "protocol",
    Fault.EMPTY_REPLY: "protocol",
    Fault.BROKEN_STATUS_LINE: "protocol",
    Fault.UNAUTHORIZED: "auth",
    Fault.FORBIDDEN: "auth",
    Fault.HOST_NOT_PERMITTED: "host_not_permitted",
    Fault.NOT_FOUND: "http_status",
    Fault.PROXY_AUTH: "proxy",
    Fault.SERVER_ERROR: "http_status",
    Fault.BAD_GATEWAY: "http_status",
    Fault.UNAVAILABLE: "http_status",
    Fault.GATEWAY_TIMEOUT: "http_status",
    Fault.REDIRECT: "redirect",
    Fault.HUGE: "too_large",
    Fault.GZIP_BOMB: "too_large",
    Fault.HTML: "not_json",
    Fault.NOT_JSON: "not_json",
    Fault.INVALID_UTF8: "not_json",
    Fault.EMPTY_BODY: "not_json",
    Fault.WRONG_SHAPE: "schema",
    Fault.NO_READABLE_ROW: "schema",
    Fault.TRUNCATED_JSON: "not_json",
    Fault.DEEP_JSON: "not_json",
}
STALLING: Final = {Fault.SLOW, Fault.HANG_BEFORE_HEADERS, Fault.HANG_IN_BODY}


def require_failure(answer: Exposition, reason: str) -> None:
    assert reason in FAILURE_REASONS
    assert answer.value("oxidized_status") == 0
    assert answer.value("probe_success") == 0
    assert answer.value("oxidized_collector_success", collector="nodes") == 0
    assert answer.all("oxidized_probe_failure_info") == [({"reason": reason}, 1.0)]
    assert answer.all("oxidized_devices") == []
    assert answer.all("oxidized_device_status") == []


@pytest.mark.parametrize("fault", Fault)
async def test_each_fault_has_its_reason(fault: Fault) -> None:
    app = create_app(Daemon(fleet(30)))
    app[FAULTS].switch_on(fault, seconds=60)
    async with running(app) as url, running_exporter() as exporter:
        answer = await exporter.probe(url, timeout_seconds=STALLED if fault in STALLING else 30)
    require_failure(answer, REASONS[fault])


async def test_a_late_answer_within_the_deadline_counts() -> None:
    app = create_app(Daemon(fleet(3)))
    app[FAULTS].switch_on(Fault.SLOW, seconds=0.05)
    async with running(app) as url, running_exporter() as exporter:
        answer = await exporter.probe(url, timeout_seconds=30)
    assert answer.value("oxidized_status") == 1


async def test_refused() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        async with running_exporter() as exporter:
            answer = await exporter.probe(f"127.0.0.1:{held.getsockname()[1]}")
    require_failure(answer, "connect")


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port on which connections are never made: its queue is full and nobody accepts."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = []
        try:
            for _filler in range(4):
                filler = socket.socket()
                filler.setblocking(False)  # noqa: FBT003 - the standard library's signature
                fillers.append(filler)
                filler.connect_ex(("127.0.0.1", port))
            yield port
        finally:
            for filler in fillers:
                filler.close()


async def test_time_out_while_connecting() -> None:
    with deaf_port() as port:
        async with running_exporter() as exporter:
            answer = await exporter.probe(f"http://127.0.0.1:{port}", timeout_seconds=STALLED)
    require_failure(answer, "timeout")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def serving(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> Config:
    """Return a configuration whose targets are verified by this authority."""
    path = Path(tempfile.mkdtemp()) / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return connecting(tls_config=TlsConfig(ca_file=path))


async def test_an_unknown_authority_is_tls(authority: trustme.CA) -> None:
    app = create_app(Daemon(fleet(1)))
    async with running(app, tls=serving(authority, "127.0.0.1")) as url, running_exporter() as exporter:
        answer = await exporter.probe(url)
    require_failure(answer, "tls")


async def test_a_wrong_name_is_tls(authority: trustme.CA) -> None:
    app = create_app(Daemon(fleet(1)))
    async with (
        running(app, tls=serving(authority, "oxidized.example.net")) as url,
        running_exporter(config=trusting(authority)) as exporter,
    ):
        answer = await exporter.probe(url)
    require_failure(answer, "tls")


async def test_plain_http_where_tls_is_expected_is_tls() -> None:
    async with running(create_app(Daemon(fleet(1)))) as url, running_exporter() as exporter:
        answer = await exporter.probe(url.replace("http:", "https:"))
    require_failure(answer, "tls")


@contextmanager
def demanding_port(context: ssl.SSLContext) -> Iterator[int]:
    """A server whose TLS tells its refusals, as OpenSSL's own does; asyncio's just hangs up."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                tls = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                with contextlib.suppress(ssl.SSLError):
                    tls.do_handshake()
                with socket.socket(fileno=tls.detach()) as bare:  # read to the end, or the alert is lost in a reset
                    while bare.recv(4096):
                        pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


async def test_a_client_certificate_that_is_missing_is_tls(authority: trustme.CA) -> None:
    context = serving(authority, "127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    with demanding_port(context) as port:
        async with running_exporter(config=trusting(authority)) as exporter:
            answer = await exporter.probe(f"https://127.0.0.1:{port}")
    require_failure(answer, "tls")


async def test_a_handshake_that_hangs_is_a_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # the kernel accepts, nobody speaks
        async with running_exporter() as exporter:
            answer = await exporter.probe(f"https://127.0.0.1:{listener.getsockname()[1]}", timeout_seconds=STALLED)
    require_failure(answer, "timeout")


async def test_https_tells_the_earliest_expiry(authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    expiry = datetime(2040, 1, 1, tzinfo=UTC)
    authority.issue_cert("127.0.0.1", not_after=expiry).configure_cert(context)
    async with (
        running(create_app(Daemon(fleet(1))), tls=context) as url,
        running_exporter(config=trusting(authority)) as exporter,
    ):
        answer = await exporter.probe(url)
    assert answer.value("oxidized_status") == 1
    assert answer.value("probe_ssl_earliest_cert_expiry") == expiry.timestamp()


async def test_an_intermediate_certificate_counts_too(authority: trustme.CA) -> None:
    """Those that trustme makes for authorities end with the year 2999; the one that they sign here later."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    later = datetime(3500, 1, 1, tzinfo=UTC)
    authority.create_child_ca().issue_cert("127.0.0.1", not_after=later).configure_cert(context)
    async with (
        running(create_app(Daemon(fleet(1))), tls=context) as url,
        running_exporter(config=trusting(authority)) as exporter,
    ):
        answer = await exporter.probe(url)
    assert answer.value("probe_ssl_earliest_cert_expiry") == datetime(3000, 1, 1, tzinfo=UTC).timestamp()


async def test_plain_http_has_no_expiry() -> None:
    async with running(create_app(Daemon(fleet(1)))) as url, running_exporter() as exporter:
        answer = await exporter.probe(url)
    assert answer.all("probe_ssl_earliest_cert_expiry") == []


@pytest.mark.parametrize(
    "answer,then_reset,reason",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[", False, "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[", True, "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n[", False, "too_large"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n[]", False, "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n[]", False, "protocol"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n0\r\n\r\n", False, "protocol"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", False, "http_status"),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", False, "redirect"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 100_000 + b"\r\n\r\n[]", False, "protocol"),
        (b"220 smtp.example.net ESMTP\r\n", False, "protocol"),
        (b"HTTP/1.1 301 Moved\r\nLocation: http://[bad\r\nContent-Length: 0\r\n\r\n", False, "redirect"),
        (b"HTTP/1.1 300 Choices\r\nContent-Length: 0\r\n\r\n", False, "redirect"),
        (b"HTTP/1.1 403 No\r\nContent-Length: 99\r\n\r\n", True, "auth"),
        (b"HTTP/1.1 403 No\r\nContent-Length: 99\r\n\r\nHost not perm", False, "auth"),
        (b"HTTP/1.1 403 No\r\nContent-Length: 99\r\n\r\nHost not permitted", False, "host_not_permitted"),
        (b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", False, "auth"),
    ],
)
async def test_broken_http(answer: bytes, *, then_reset: bool, reason: str) -> None:
    async with running_raw(answer, then_reset=then_reset) as url, running_exporter() as exporter:
        require_failure(await exporter.probe(url, timeout_seconds=20), reason)


async def test_an_http_answer_without_a_length_ends_with_the_connection() -> None:
    async with running_raw(b"HTTP/1.0 200 OK\r\n\r\n[]") as url, running_exporter() as exporter:
        answer = await exporter.probe(url)
    assert answer.value("oxidized_status") == 1
    assert {value for _, value in answer.all("oxidized_devices")} == {0.0}


async def test_a_body_is_measured_after_decompression_and_the_limit_is_inclusive() -> None:
    body = b"[" + b" " * 998 + b"]"
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    async with running_raw(answer) as url:
        for limit, status in ((1000, 1.0), (999, 0.0)):
            async with running_exporter(config=Config(limits=Limits(body_bytes=limit))) as exporter:
                assert (await exporter.probe(url)).value("oxidized_status") == status


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.EMPTY_REPLY, Fault.BAD_GATEWAY, Fault.UNAVAILABLE])
async def test_a_passing_fault_is_tried_again(fault: Fault) -> None:
    app = create_app(Daemon(fleet(3)))
    app[FAULTS].switch_on(fault, requests=2)
    async with running(app) as url, running_exporter() as exporter:
        answer = await exporter.probe(url, timeout_seconds=30)
    assert answer.value("oxidized_status") == 1
    assert asked(app) == ["/nodes.json"] * 3


@pytest.mark.parametrize("fault", [Fault.GATEWAY_TIMEOUT, Fault.RESET])
async def test_it_is_given_up_after_three_attempts(fault: Fault) -> None:
    app = create_app(Daemon(fleet(3)))
    app[FAULTS].switch_on(fault)
    async with running(app) as url, running_exporter() as exporter:
        require_failure(await exporter.probe(url, timeout_seconds=30), REASONS[fault])
    assert len(asked(app)) == 3


_FINAL = sorted(
    set(Fault)
    - STALLING
    - {Fault.RESET, Fault.EMPTY_REPLY, Fault.BAD_GATEWAY, Fault.UNAVAILABLE, Fault.GATEWAY_TIMEOUT}
)


@pytest.mark.parametrize("fault", _FINAL)
async def test_every_other_fault_is_final(fault: Fault) -> None:
    app = create_app(Daemon(fleet(3)))
    app[FAULTS].switch_on(fault)
    async with running(app) as url, running_exporter() as exporter:
        await exporter.probe(url, timeout_seconds=30)
    assert len(asked(app)) == 1


async def test_no_attempt_begins_after_the_deadline() -> None:
    """Attempts are counted at the server until well behind the deadline."""
    app = create_app(Daemon(fleet(3)))
    app[FAULTS].switch_on(Fault.UNAVAILABLE)
    limits = Limits(attempts=1000)
    async with running(app) as url, running_exporter(config=Config(limits=limits)) as exporter:
        answer = await exporter.probe(url, timeout_seconds=0.5)
        begun = len(asked(app))
        require_failure(answer, "http_status")  # not a time-out: the last answer is what there is to tell
        assert 1 <= begun < 1000
        await asyncio.sleep(0.3)  # room for an attempt that would come late: there is none to wait for
        assert len(asked(app)) == begun
