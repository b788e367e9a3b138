from __future__ import annotations

from aiohttp import AsyncResolver, DummyCookieJar

from oxidized_exporter.oxidized.journal import Journal
from oxidized_exporter.oxidized.transport import open_session


async def test_a_session_has_so_many_connections_and_keeps_no_cookie() -> None:
    resolver = AsyncResolver()
    async with open_session(resolver=resolver, journal=Journal(), connections=3) as session:
        assert session.connector is not None
        assert session.connector.limit == 3
        assert isinstance(session.cookie_jar, DummyCookieJar)
    assert session.closed
    await resolver.close()
