"""TLS on the exporter's own port, on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import trustme

from oxidized_exporter.config import Config, TargetEntry
from oxidized_exporter.targets.url import parse_target
from oxidized_exporter.web import connections, handshake, opening, server, waiting
from oxidized_exporter.web.tls import is_allowed, names_of
from tests.web.serving import MUTUAL, PAIR, Serving, serving, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from tests.web.certificates import Certificates

_REQUEST = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def tls(path: Path, **settings: Any) -> AsyncIterator[Serving]:
    async with serving(path, {"tls_server_config": {**PAIR, **settings}}) as running:
        yield running


async def test_the_exporter_is_asked_by_https(certificates: Certificates, web_config_path: Path) -> None:
    async with tls(web_config_path) as running:
        status, _, text = await running.ask(tls=certificates.client())
    assert status == 200
    assert "oxidized_exporter_build_info" in text


async def test_discovery_sends_prometheus_to_https_where_it_came_by_it(
    certificates: Certificates, web_config_path: Path
) -> None:
    async with tls(web_config_path) as running:
        eu = TargetEntry(name="eu", target=parse_target("http://127.0.0.1:1"))
        running.exporter.running.config = Config(targets={"eu": eu})
        _, _, text = await running.ask("/sd", tls=certificates.client())
        [group] = json.loads(text)
        assert group["targets"] == [f"localhost:{running.port}"]
    assert group["labels"]["__scheme__"] == "https"


async def test_a_connection_is_kept(certificates: Certificates, web_config_path: Path) -> None:
    """And serves several requests: what comes behind the handshake goes on to the same place."""
    made = []

    async def note(*_: object) -> None:
        made.append(1)

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(note)
    client = certificates.client()
    async with tls(web_config_path) as running, aiohttp.ClientSession(trace_configs=[trace]) as session:
        for path in ("/-/healthy", "/metrics", "/config"):
            async with session.get(f"https://localhost:{running.port}{path}", ssl=client) as answer:
                assert answer.status == 200
    assert made == [1]


async def test_a_plain_request_is_turned_away_and_told(
    certificates: Certificates, web_config_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with tls(web_config_path) as running:
        with pytest.raises(aiohttp.ClientError):
            await running.ask()
        assert (await running.ask(tls=certificates.client()))[0] == 200
    assert "http request" in capsys.readouterr().out


async def test_no_certificate_is_no_connection_where_one_is_required(
    certificates: Certificates, web_config_path: Path
) -> None:
    async with tls(web_config_path, **MUTUAL) as running:
        for path in ("/metrics", "/-/healthy", "/-/ready"):
            with pytest.raises((aiohttp.ClientError, ConnectionError)):
                await running.ask(path, tls=certificates.client())
            assert (await running.ask(path, tls=certificates.client("prometheus.example.net")))[0] == 200


async def test_a_certificate_of_a_stranger_is_refused(certificates: Certificates, web_config_path: Path) -> None:
    stranger = certificates.client("prometheus.example.net", authority=trustme.CA())
    for policy in ("RequireAndVerifyClientCert", "VerifyClientCertIfGiven"):
        async with tls(web_config_path, **{**MUTUAL, "client_auth_type": policy}) as running:
            with pytest.raises((aiohttp.ClientError, ConnectionError)):
                await running.ask(tls=stranger)


async def test_a_certificate_may_be_left_out_where_it_is_only_verified(
    certificates: Certificates, web_config_path: Path
) -> None:
    async with tls(web_config_path, **{**MUTUAL, "client_auth_type": "VerifyClientCertIfGiven"}) as running:
        assert (await running.ask(tls=certificates.client()))[0] == 200
        assert (await running.ask(tls=certificates.client("prometheus.example.net")))[0] == 200


async def test_an_authority_in_between_is_enough(certificates: Certificates, web_config_path: Path) -> None:
    """As in Go: what the file lists is trusted, and needs nobody above it."""
    between = certificates.authority.create_child_ca()
    between.cert_pem.write_to_path(certificates.directory / "between.pem")
    async with tls(web_config_path, **{**MUTUAL, "client_ca_file": "between.pem"}) as running:
        client = certificates.client("prometheus.example.net", authority=between)
        assert (await running.ask(tls=client))[0] == 200
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            await running.ask(tls=certificates.client("prometheus.example.net"))


@pytest.mark.parametrize(
    "name", ["prometheus.example.net", "10.1.2.3", "2001:db8::1", "prometheus@example.net"], ids=str
)
async def test_only_allowed_names_are_let_in(certificates: Certificates, web_config_path: Path, name: str) -> None:
    async with tls(web_config_path, **MUTUAL, client_allowed_sans=["x.example", name]) as running:
        assert (await running.ask(tls=certificates.client("y.example", name)))[0] == 200
        for other in ("y.example", "prometheus.example.net.evil", "10.1.2.4", "2001:db8::2", "*.example.net"):
            with pytest.raises((aiohttp.ClientError, ConnectionError)):
                await running.ask(tls=certificates.client(other))


@pytest.mark.parametrize(
    "certificate,names",
    [
        (None, []),
        ({}, []),
        ({"subject": ((("commonName", "a.example"),),)}, []),
        ({"subjectAltName": (("DNS", "a.example"), ("URI", "spiffe://a/b"))}, ["a.example", "spiffe://a/b"]),
        ({"subjectAltName": (("IP Address", "2001:DB8:0:0:0:0:0:1\n"), ("DirName", "x"))}, ["2001:db8::1"]),
        ({"subjectAltName": (("IP Address", "0:0:0:0:0:FFFF:A01:203"),)}, ["10.1.2.3"]),
        ({"subjectAltName": (("IP Address", "<invalid>"), ("DNS", "a.example"))}, ["a.example"]),
    ],
)
def test_names_of_a_certificate_are_written_as_go_writes_them(
    certificate: Mapping[str, Any] | None, names: list[str]
) -> None:
    assert list(names_of(certificate)) == names
    assert is_allowed(certificate, names=None)
    assert is_allowed(certificate, names=set(names)) == bool(names)


@pytest.mark.parametrize(
    "settings,newest,version",
    [
        ({}, ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
        ({}, ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
        ({"max_version": "TLS12"}, ssl.TLSVersion.TLSv1_3, "TLSv1.2"),
        ({"min_version": "TLS13"}, ssl.TLSVersion.TLSv1_2, None),
        ({"cipher_suites": ["TLS_AES_128_GCM_SHA256"]}, ssl.TLSVersion.TLSv1_2, None),
    ],
)
async def test_versions_that_are_spoken(
    certificates: Certificates,
    web_config_path: Path,
    settings: dict[str, str],
    newest: ssl.TLSVersion,
    version: str | None,
) -> None:
    client = certificates.client()
    client.maximum_version = newest
    async with tls(web_config_path, **settings) as running:
        if version is None:
            with pytest.raises((aiohttp.ClientError, ConnectionError)):
                await running.ask(tls=client)
            return
        _, writer = await asyncio.open_connection("localhost", running.port, ssl=client)
        assert writer.get_extra_info("ssl_object").version() == version
        writer.close()
        await writer.wait_closed()


async def test_the_curve_that_is_named_is_the_only_one(certificates: Certificates, web_config_path: Path) -> None:
    client = certificates.client()
    client.set_ecdh_curve("prime256v1")
    async with tls(web_config_path, curve_preferences=["CurveP384"]) as running:
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            await running.ask(tls=client)
        client.set_ecdh_curve("secp384r1")
        assert (await running.ask(tls=client))[0] == 200


async def test_a_handshake_that_stalls_holds_nobody_and_is_given_up(
    certificates: Certificates,
    web_config_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(connections, "_SILENT_SECONDS", 0.3)
    async with tls(web_config_path) as running:
        stalled = [await asyncio.open_connection("localhost", running.port) for _ in range(50)]
        stalled[0][1].write(b"\x16\x03\x01\x02")  # the beginning of a handshake
        assert (await running.ask(tls=certificates.client()))[0] == 200
        for reader, writer in stalled:
            with pytest.raises((EOFError, ConnectionError)):
                await reader.readexactly(1)
            writer.close()
    assert capsys.readouterr().out.count("the handshake took too long") == 1, "and not a line for each"


@pytest.mark.usefixtures("certificates")
async def test_the_longest_handshake_under_way_makes_room(
    web_config_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To begin one costs a client no more than to say nothing."""
    monkeypatch.setattr(waiting, "_MOST", 2)
    begun: list[bytes] = []
    genuine = handshake.secured

    async def secured(transport: asyncio.Transport, read: bytes, **kwargs: Any) -> handshake.Tls:
        begun.append(read)
        return await genuine(transport, read, **kwargs)

    monkeypatch.setattr(opening, "secured", secured)
    async with asyncio.timeout(5), tls(web_config_path) as running:
        stalled = [await asyncio.open_connection("localhost", running.port) for _ in range(2)]
        for _, writer in stalled:
            writer.write(b"\x16\x03\x01\x02")
        await until(lambda: len(begun) == 2)
        stalled.append(await asyncio.open_connection("localhost", running.port))
        with pytest.raises((EOFError, ConnectionError)):
            await stalled[0][0].readexactly(1)
        assert not any(reader.at_eof() for reader, _ in stalled[1:])
        for _, writer in stalled:
            writer.close()


async def test_a_stop_waits_for_a_handshake_under_way_and_answers_its_request(
    certificates: Certificates, web_config_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = asyncio.Event()
    genuine = opening.Openings.ended

    async def ended(openings: opening.Openings, *, seconds: float) -> None:
        waited.set()
        await genuine(openings, seconds=seconds)

    monkeypatch.setattr(opening.Openings, "ended", ended)
    async with tls(web_config_path) as running:
        reader, writer = await asyncio.open_connection("localhost", running.port)
        await until(lambda: running.server.opening)
        stopping = asyncio.create_task(running.server.stop(delay=0))
        async with asyncio.timeout(5):
            await waited.wait()
        assert not running.server.ports
        await writer.start_tls(certificates.client(), server_hostname="localhost")
        writer.write(_REQUEST)
        answer = await reader.read()
        await stopping
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.usefixtures("certificates")
async def test_a_handshake_that_stalls_does_not_hold_a_stop(
    web_config_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_HANDSHAKES_SECONDS", 0.2)
    async with tls(web_config_path) as running:
        reader, writer = await asyncio.open_connection("localhost", running.port)
        await until(lambda: running.server.opening)
        async with asyncio.timeout(5):
            await running.server.stop(delay=0)
            with pytest.raises((EOFError, ConnectionError)):
                await reader.readexactly(1)
        writer.close()


async def test_a_client_that_leaves_amid_the_handshake_is_forgotten(
    certificates: Certificates, web_config_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with tls(web_config_path) as running:
        for sent in (b"", b"\x16\x03\x01"):
            _, writer = await asyncio.open_connection("localhost", running.port)
            writer.write(sent)
            writer.close()
            await writer.wait_closed()
        assert (await running.ask(tls=certificates.client()))[0] == 200
        await until(lambda: not running.server.opening)
    assert "bug:" not in capsys.readouterr().out


async def test_a_request_that_comes_with_the_last_bytes_of_the_handshake_is_served(
    certificates: Certificates, web_config_path: Path
) -> None:
    """Both in one segment: nothing may be lost between the handshake and the first request."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = certificates.client().wrap_bio(incoming, outgoing, server_hostname="localhost")
    async with tls(web_config_path) as running:
        reader, writer = await asyncio.open_connection("localhost", running.port)
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                incoming.write(await reader.read(65536))
        client.write(_REQUEST)
        writer.write(outgoing.read())
        text = b""
        while b"healthy" not in text:
            incoming.write(await reader.read(65536))
            with contextlib.suppress(ssl.SSLWantReadError):
                while part := client.read(65536):
                    text += part
        writer.transport.abort()
    assert b"oxidized_exporter is healthy" in text


async def test_a_client_that_leaves_right_behind_the_handshake_is_not_served(
    certificates: Certificates, web_config_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would tell the one who serves it that the connection is lost: it would be held for ever."""
    served: list[object] = []
    genuine = handshake.secured

    async def left(
        transport: asyncio.Transport, read: bytes, *, protocol: opening._Opening, context: ssl.SSLContext
    ) -> handshake.Tls:
        made = await genuine(transport, read, protocol=protocol, context=context)
        await until(lambda: protocol.lost)
        return made

    monkeypatch.setattr(opening, "secured", left)
    monkeypatch.setattr(opening._Opening, "hand_over", lambda *given: served.append(given))  # noqa: SLF001 - as above
    async with tls(web_config_path) as running:
        _, writer = await asyncio.open_connection(
            "localhost", running.port, ssl=certificates.client(), server_hostname="localhost"
        )
        writer.transport.abort()
        await until(lambda: not running.server.opening)
    assert served == []


async def test_only_the_health_check_of_this_machine_has_no_line(
    certificates: Certificates, web_config_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has no certificate, and comes every half minute; all others are told of."""
    async with serving(web_config_path, {"tls_server_config": MUTUAL}, host="127.0.0.1") as running:
        for client, lines in (("127.0.0.1", 0), ("127.0.0.2", 1)):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", running.port, ssl=certificates.client(), local_addr=(client, 0)
            )
            with contextlib.suppress(OSError):  # with TLS 1.3 the client learns of it by what it reads
                assert await reader.read() == b""
            writer.close()
            await until(lambda: not running.server.opening)
            told = [line for line in capsys.readouterr().out.splitlines() if "no TLS connection" in line]
            assert len(told) == lines
            assert all(client in line and "peer did not return a certificate" in line for line in told)


async def test_the_protocol_is_agreed_on(certificates: Certificates, web_config_path: Path) -> None:
    """Who would rather speak HTTP/2 is told at once."""
    client = certificates.client()
    client.set_alpn_protocols(["h2", "http/1.1"])
    async with tls(web_config_path) as running:
        _, writer = await asyncio.open_connection("localhost", running.port, ssl=client)
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
        writer.close()
        await writer.wait_closed()


async def test_what_is_no_http_gets_the_headers_too(certificates: Certificates, web_config_path: Path) -> None:
    config = {"tls_server_config": PAIR, "http_server_config": {"headers": {"X-Frame-Options": "deny"}}}
    async with serving(web_config_path, config) as running:
        reader, writer = await asyncio.open_connection(
            "localhost", running.port, ssl=certificates.client(), server_hostname="localhost"
        )
        writer.write(b"hunter2\r\n\r\n")
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.")
    assert b"X-Frame-Options: deny" in answer
