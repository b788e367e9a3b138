"""How faults are made: at a name, at a port, in TLS, at a proxy, in an answer."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from oxidized_exporter.simulator import FAULTS, Fault
from tests.faults.cells import Faulty, Scene, Way
from tests.faults.doors import Visit, door, relay
from tests.faults.names import RIGHT, Reply
from tests.faults.oxidized import PATHS, change, oxidized
from tests.harness import running
from tests.system.held_port import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import trustme

    from oxidized_exporter.simulator import Device
    from tests.faults.doors import Talk
    from tests.faults.oxidized import Change

    TalkAbout = Callable[[Visit, int], Awaitable[None]]

BEHIND_THE_PROXY: Final = "oxidized.test"
_HEAD_END: Final = b"\r\n\r\n"
_NEVER_SECONDS: Final = 3600.0


def port_of(url: str) -> int:
    """Return the port that a URL ends with."""
    return int(url.rpartition(":")[2])


def named(reply: Reply) -> Way:
    """Let the name of an Oxidized have this reply: always, or for whoever asks once more."""

    @asynccontextmanager
    async def way(scene: Scene) -> AsyncIterator[Faulty]:
        name = f"{scene.collector}.test"
        scene.names.replies[name] = lambda number: RIGHT if number < scene.passes else reply
        async with running(oxidized()) as url:
            yield Faulty(url=f"http://{name}:{port_of(url)}")

    return way


def at_the_port(talk: Talk | None, **deafness: Any) -> Way:
    """Treat connections so: all, or those behind the first one; let them through without ``talk``.

    ``deafness`` is `door`'s.
    """

    @asynccontextmanager
    async def way(scene: Scene) -> AsyncIterator[Faulty]:
        later = {key: value + scene.passes if key.endswith("_after") else value for key, value in deafness.items()}
        async with running(oxidized()) as url:
            right = partial(relay, port=port_of(url))
            async with door(_passing(scene, right, talk or right), **later) as port:
                yield Faulty(url=f"http://{LOOPBACK}:{port}")

    return way


def _passing(scene: Scene, right: Talk, wrong: Talk) -> Talk:
    async def talk(visit: Visit) -> None:
        await (right if visit.number < scene.passes else wrong)(visit)

    return talk


def serving(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """Return what a server of these names shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def in_tls(talk: TalkAbout) -> Way:
    """Treat connections to an Oxidized with TLS so, given its port."""

    @asynccontextmanager
    async def way(scene: Scene) -> AsyncIterator[Faulty]:
        async with running(oxidized(), tls=serving(scene.authority, LOOPBACK)) as url:
            right = partial(relay, port=port_of(url))
            async with door(_passing(scene, right, lambda visit: talk(visit, port_of(url)))) as port:
                yield Faulty(url=f"https://{LOOPBACK}:{port}")

    return way


def shown(certificates: Callable[[Scene], ssl.SSLContext]) -> Way:
    """Let an Oxidized with TLS show these."""

    @asynccontextmanager
    async def way(scene: Scene) -> AsyncIterator[Faulty]:
        async with (
            running(oxidized(), tls=certificates(scene)) as other,
            in_tls(lambda visit, _: relay(visit, port_of(other)))(scene) as faulty,
        ):
            yield faulty

    return way


def of_the_proxy(talk: Talk, **deafness: Any) -> Way:
    """Treat so who asks the proxy for a tunnel to an Oxidized with TLS, once that is read."""

    @asynccontextmanager
    async def way(scene: Scene) -> AsyncIterator[Faulty]:
        async with running(oxidized(), tls=serving(scene.authority, BEHIND_THE_PROXY)) as url:

            async def tunnel(visit: Visit) -> None:
                await visit.reader.readuntil(_HEAD_END)
                visit.writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await relay(visit, port_of(url))

            async def otherwise(visit: Visit) -> None:
                await visit.reader.readuntil(_HEAD_END)
                await talk(visit)

            later = {key: value + scene.passes for key, value in deafness.items()}
            async with door(_passing(scene, tunnel, otherwise), **later) as port:
                connection = {"proxy_url": f"http://{LOOPBACK}:{port}"}
                yield Faulty(url=f"https://{BEHIND_THE_PROXY}:{port}", connection=connection)

    return way


def asked(talk: Talk, *, path: str | None = None, **connection: Any) -> Way:
    """Treat so who asks for what the collector needs, or for another path, once the request is read."""

    @asynccontextmanager
    async def way(scene: Scene) -> AsyncIterator[Faulty]:
        async with running(oxidized()) as url:

            async def listen(visit: Visit) -> None:
                head = await visit.reader.readuntil(_HEAD_END)
                found = head.split(b" ")[1].decode()
                if found.startswith(path or PATHS[scene.collector]):
                    await talk(replace(visit, path=found, right=await _right(head, port_of(url))))
                else:
                    await relay(visit, port_of(url), first=head)

            async with door(listen) as port:
                yield Faulty(url=f"http://{LOOPBACK}:{port}", connection=connection)

    return way


async def _right(head: bytes, port: int) -> bytes:
    """Return the body that a request gets at an Oxidized, which closes the connection behind it."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(head)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.partition(_HEAD_END)[2]


@asynccontextmanager
async def unasked(_: Scene) -> AsyncIterator[Faulty]:
    """Behind the node list comes an answer to what is asked next, on a connection that is kept."""
    async with running(oxidized()) as url:

        async def listen(visit: Visit) -> None:
            while True:
                head = await visit.reader.readuntil(_HEAD_END)
                body = await _right(head, port_of(url))
                visit.writer.write(_kept(body) + (_kept(_UNASKED) if PATHS["nodes"].encode() in head else b""))

        async with door(listen) as port:
            yield Faulty(url=f"http://{LOOPBACK}:{port}")


_UNASKED: Final = b"[]\n"


def _kept(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def simulated(fault: Fault, *, path: str | None = None) -> Way:
    """Let the simulator have this fault, for what the collector needs or for a path."""

    @asynccontextmanager
    async def way(scene: Scene) -> AsyncIterator[Faulty]:
        app = oxidized()
        app[FAULTS].switch_on(fault, seconds=_NEVER_SECONDS, path=path or PATHS[scene.collector])
        async with running(app) as url:
            yield Faulty(url=url)

    return way


def changed(becomes: Change, *, path: str | None = None) -> Way:
    """Let the right answer to what the collector needs, or to a path, become another."""

    @asynccontextmanager
    async def way(scene: Scene) -> AsyncIterator[Faulty]:
        app = oxidized()
        change(app, path or PATHS[scene.collector], becomes)
        async with running(app) as url:
            yield Faulty(url=url)

    return way


def of_devices(*devices: Device) -> Way:
    """Let an Oxidized have these."""

    @asynccontextmanager
    async def way(_: Scene) -> AsyncIterator[Faulty]:
        async with running(oxidized(*devices)) as url:
            yield Faulty(url=url)

    return way
