"""The faults below HTTP: at the name, the connection, TLS and the proxy."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import trustme

from tests.faults.cells import ANSWERED, Fault, Faulty, Kind, Scene, Stage, everybody
from tests.faults.doors import Visit, a_byte_a_second, relay, the_first
from tests.faults.names import RIGHT, Reply
from tests.faults.oxidized import oxidized
from tests.faults.talks import never, resets, says, says_and_waits, says_slowly, says_without_end
from tests.faults.ways import (
    BEHIND_THE_PROXY,
    at_the_port,
    in_tls,
    named,
    of_the_proxy,
    port_of,
    serving,
    shown,
)
from tests.harness import running
from tests.system.held_port import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

METADATA: Final = "169.254.169.254"
_MANY: Final = 1000
_LATE_SECONDS: Final = 10.0
_HALF_OF_A_HANDSHAKE: Final = 200
_CERTIFICATES: Final = 300
_KIBIBYTE: Final = b"\xfe" * 1024
_ALERT: Final = b"\x15\x03\x03\x00\x02\x01\x5a"  # a warning of TLS 1.2: the user has cancelled
_TUNNEL: Final = b"HTTP/1.1 200 Connection established\r\n"


@asynccontextmanager
async def rebound(scene: Scene) -> AsyncIterator[Faulty]:
    """The name leads elsewhere as soon as it has been judged; the connection that there is goes on being used."""
    name = f"{scene.collector}.rebound.test"
    bad = Reply(addresses=[METADATA])
    scene.names.replies[name] = lambda number: bad if number else RIGHT
    app = oxidized(keeps_connections=True)

    def verify() -> None:
        assert scene.names.asked[name, "A"] == 1, "what was judged is what is connected to"

    async with running(app) as url:
        yield Faulty(url=f"http://{name}:{port_of(url)}", verify=verify)


async def after_the_client_spoke(visit: Visit) -> None:
    """Answer a handshake in plain HTTP."""
    await visit.reader.read(1)
    await says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")(visit)


def _long_chain(scene: Scene) -> ssl.SSLContext:
    """Return what shows more certificates than a client has to take: over 100 KiB of them."""
    issued = scene.authority.issue_cert(LOOPBACK)
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    filler = scene.authority.create_child_ca().cert_pem.bytes() * _CERTIFICATES
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with trustme.Blob(issued.private_key_pem.bytes() + chain + filler).tempfile() as file:
        context.load_cert_chain(file)
    return context


def _of_somebody_else(scene: Scene) -> ssl.SSLContext:
    return serving(scene.authority, "other.example")


@asynccontextmanager
async def intercepted(scene: Scene) -> AsyncIterator[Faulty]:
    """The proxy gives a tunnel to itself, with a certificate that it has made."""
    async with running(oxidized(), tls=serving(trustme.CA(), BEHIND_THE_PROXY)) as own:

        async def intercept(visit: Visit) -> None:
            visit.writer.write(_TUNNEL + b"\r\n")
            await relay(visit, port_of(own))

        async with of_the_proxy(intercept)(scene) as faulty:
            yield faulty


FAULTS: Final = (
    Fault(
        stage=Stage.RESOLVE,
        kind=Kind.ABSENT,
        what="the name does not exist",
        way=named(Reply(code="NXDOMAIN")),
        says=everybody("dns"),
    ),
    Fault(
        stage=Stage.RESOLVE,
        kind=Kind.SLOW,
        what="the name server answers after the deadline",
        way=named(Reply(addresses=[LOOPBACK], late=_LATE_SECONDS)),
        says=everybody("timeout"),
        stalls=True,
    ),
    Fault(
        stage=Stage.RESOLVE,
        kind=Kind.STUCK,
        what="the name server never answers",
        way=named(Reply(late=None)),
        says=everybody("timeout"),
        stalls=True,
    ),
    Fault(
        stage=Stage.RESOLVE,
        kind=Kind.CUT,
        what="the name server's answer does not fit into a datagram, and over TCP it is broken off",
        way=named(Reply(addresses=[LOOPBACK], broken_off=True)),
        says=everybody("dns"),
    ),
    Fault(
        stage=Stage.RESOLVE,
        kind=Kind.WRONG,
        what="the name has no address",
        way=named(Reply()),
        says=everybody("dns"),
    ),
    Fault(
        stage=Stage.RESOLVE,
        kind=Kind.HUGE,
        what="the name has 1,000 addresses, and nobody listens at any of them",
        way=named(Reply(addresses=[f"127.1.{number // 250}.{number % 250 + 1}" for number in range(_MANY)])),
        says=everybody("connect"),
    ),
    Fault(
        stage=Stage.RESOLVE,
        kind=Kind.HOSTILE,
        what="the name leads to the metadata of a cloud, beside a good address",
        way=named(Reply(addresses=[LOOPBACK, METADATA])),
        says=everybody("target_denied"),
    ),
    Fault(
        stage=Stage.CONNECT,
        kind=Kind.ABSENT,
        what="nobody listens",
        way=at_the_port(never, shuts_after=0),
        says=everybody("connect"),
    ),
    Fault(
        stage=Stage.CONNECT,
        kind=Kind.SLOW,
        what="the queue of connections is full for a while: the second try to connect, a second later, comes through",
        way=at_the_port(None, deaf_after=0, deaf_seconds=0.2),
        says=everybody(ANSWERED),
    ),
    Fault(
        stage=Stage.CONNECT,
        kind=Kind.STUCK,
        what="the queue of connections is full",
        way=at_the_port(never, deaf_after=0),
        says=everybody("timeout"),
        stalls=True,
    ),
    Fault(
        stage=Stage.CONNECT,
        kind=Kind.CUT,
        what="connections are reset as soon as they are made",
        way=at_the_port(resets),
        says=everybody("connect"),
    ),
    Fault(
        stage=Stage.CONNECT,
        kind=Kind.WRONG,
        what="another protocol's server greets",
        way=at_the_port(says_and_waits(b"220 smtp.example.net ESMTP\r\n")),
        says=everybody("protocol"),
    ),
    Fault(
        stage=Stage.CONNECT,
        kind=Kind.HUGE,
        what="bytes without end, before anything is asked",
        way=at_the_port(says_without_end(b"", _KIBIBYTE)),
        says=everybody("protocol"),
    ),
    Fault(
        stage=Stage.CONNECT,
        kind=Kind.HOSTILE,
        what="the name leads to the metadata of a cloud as soon as its address has been judged",
        way=rebound,
        says=everybody(ANSWERED),
        module="narrow",
    ),
    Fault(
        stage=Stage.TLS,
        kind=Kind.ABSENT,
        what="the server speaks plain HTTP",
        way=in_tls(lambda visit, _: after_the_client_spoke(visit)),
        says=everybody("tls"),
    ),
    Fault(
        stage=Stage.TLS,
        kind=Kind.SLOW,
        what="the handshake comes a byte a second",
        way=in_tls(lambda visit, port: relay(visit, port, answers=a_byte_a_second)),
        says=everybody("timeout"),
        stalls=True,
    ),
    Fault(
        stage=Stage.TLS,
        kind=Kind.STUCK,
        what="the handshake stalls",
        way=in_tls(lambda visit, port: relay(visit, port, answers=the_first(_HALF_OF_A_HANDSHAKE, then_stuck=True))),
        says=everybody("timeout"),
        stalls=True,
    ),
    Fault(
        stage=Stage.TLS,
        kind=Kind.CUT,
        what="the handshake is broken off",
        way=in_tls(lambda visit, port: relay(visit, port, answers=the_first(_HALF_OF_A_HANDSHAKE, then_stuck=False))),
        says=everybody("connect"),
    ),
    Fault(
        stage=Stage.TLS,
        kind=Kind.WRONG,
        what="the certificate is of another name",
        way=shown(_of_somebody_else),
        says=everybody("tls"),
    ),
    Fault(
        stage=Stage.TLS,
        kind=Kind.HUGE,
        what="hundreds of certificates are shown",
        way=shown(_long_chain),
        says=everybody("tls"),
    ),
    Fault(
        stage=Stage.TLS,
        kind=Kind.HOSTILE,
        what="the handshake is answered with warnings without end",
        way=in_tls(lambda visit, _: says_without_end(b"", _ALERT * 100)(visit)),
        says=everybody("tls"),
    ),
    Fault(
        stage=Stage.PROXY,
        kind=Kind.ABSENT,
        what="there is no proxy",
        way=of_the_proxy(never, shuts_after=0),
        says=everybody("proxy"),
    ),
    Fault(
        stage=Stage.PROXY,
        kind=Kind.SLOW,
        what="the proxy gives a tunnel, said a byte a second",
        way=of_the_proxy(says_slowly(_TUNNEL + b"\r\n")),
        says=everybody("timeout"),
        stalls=True,
    ),
    Fault(
        stage=Stage.PROXY,
        kind=Kind.STUCK,
        what="the proxy does not say whether there is a tunnel",
        way=of_the_proxy(says_and_waits(b"")),
        says=everybody("timeout"),
        stalls=True,
    ),
    Fault(
        stage=Stage.PROXY,
        kind=Kind.CUT,
        what="the proxy ends the connection without an answer",
        way=of_the_proxy(says(b"")),
        says=everybody("protocol"),
    ),
    Fault(
        stage=Stage.PROXY,
        kind=Kind.WRONG,
        what="the proxy wants credentials",
        way=of_the_proxy(says(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")),
        says=everybody("proxy"),
    ),
    Fault(
        stage=Stage.PROXY,
        kind=Kind.HUGE,
        what="the proxy gives a tunnel in headers without end",
        way=of_the_proxy(says_without_end(_TUNNEL, b"X-Header: " + b"x" * 1000 + b"\r\n")),
        says=everybody("protocol"),
    ),
    Fault(
        stage=Stage.PROXY,
        kind=Kind.HOSTILE,
        what="the proxy gives a tunnel to itself, with a certificate that it has made",
        way=intercepted,
        says=everybody("tls"),
    ),
)
