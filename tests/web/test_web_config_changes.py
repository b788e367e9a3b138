"""A changed web configuration, certificate or key is taken up without a restart, or not at all."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import pytest
import trustme

from oxidized_exporter.config import reading
from oxidized_exporter.simulator import ManualClock
from oxidized_exporter.web import web_config_in_force, web_config_loader
from oxidized_exporter.web.web_config_in_force import WebConfigInForce
from oxidized_exporter.web.web_config_loader import load_web_config
from tests.web.certificates import HASH, PASSWORD
from tests.web.serving import MUTUAL, PAIR, as_user, serving, write

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

    from tests.web.certificates import Certificates
    from tests.web.serving import Serving

ALICE: Final = as_user("alice", PASSWORD)
RESTRICTED: Final = {**MUTUAL, "client_allowed_sans": ["prometheus.example.net"]}
USERS: Final = {"basic_auth_users": {"alice": HASH}}
_SUCCESSFUL: Final = "oxidized_exporter_web_config_last_reload_successful"


async def shown(running: Serving, client: ssl.SSLContext) -> int:
    """Return the serial number of the server's certificate."""
    _, writer = await asyncio.open_connection("localhost", running.port, ssl=client)
    number = int(writer.get_extra_info("peercert")["serialNumber"], 16)
    writer.close()
    await writer.wait_closed()
    return number


async def test_a_new_certificate_is_shown_on_the_next_connection(
    certificates: Certificates, web_config_path: Path
) -> None:
    client = certificates.client()
    async with serving(web_config_path, {"tls_server_config": PAIR}) as running:
        first = await shown(running, client)
        assert await shown(running, client) == first
        certificates.write_server()
        second = await shown(running, client)
        assert second != first
        assert await shown(running, client) == second


async def test_a_certificate_behind_a_link_is_noticed_too(certificates: Certificates, web_config_path: Path) -> None:
    """As Kubernetes changes mounted secrets: a link to a directory is replaced."""
    client = certificates.client()
    directory = certificates.directory
    (directory / "a").mkdir()
    (directory / "b").mkdir()
    certificates.copied(directory / "a")
    (directory / "data").symlink_to("a")
    tls = {"cert_file": "data/server.crt", "key_file": "data/server.key"}
    async with serving(web_config_path, {"tls_server_config": tls}) as running:
        first = await shown(running, client)
        certificates.copied(directory / "b").write_server()
        assert await shown(running, client) == first
        (directory / "new").symlink_to("b")
        (directory / "new").replace(directory / "data")
        assert await shown(running, client) != first


async def test_a_certificate_without_its_key_changes_nothing_until_the_key_has_come(
    certificates: Certificates, web_config_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = certificates.client()
    async with serving(web_config_path, {"tls_server_config": PAIR}) as running:
        first = await shown(running, client)
        key = certificates.directory / "server.key"
        old_key = key.read_bytes()
        certificates.write_server()
        new_key = key.read_bytes()
        key.write_bytes(old_key)
        assert await shown(running, client) == first
        assert await running.metric(_SUCCESSFUL, tls=client) == 0
        assert capsys.readouterr().out.count("must be the key of the certificate; this is another one") == 1
        key.write_bytes(new_key)
        assert await shown(running, client) != first
        assert await running.metric(_SUCCESSFUL, tls=client) == 1


async def test_an_authority_that_is_replaced_lets_nobody_in_any_more(
    certificates: Certificates, web_config_path: Path
) -> None:
    known = certificates.client("prometheus.example.net")
    async with serving(web_config_path, {"tls_server_config": MUTUAL}) as running:
        assert (await running.ask(tls=known))[0] == 200
        other = trustme.CA()
        other.cert_pem.write_to_path(certificates.directory / "ca.pem")
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            await running.ask(tls=known)
        assert (await running.ask(tls=certificates.client("x.example", authority=other)))[0] == 200


async def test_tls_and_users_come_without_a_restart(certificates: Certificates, web_config_path: Path) -> None:
    client = certificates.client()
    async with serving(web_config_path, {}) as running:
        assert (await running.ask())[0] == 200
        write(web_config_path, {"tls_server_config": PAIR})
        assert (await running.ask(tls=client))[0] == 200
        write(web_config_path, {"tls_server_config": PAIR, **USERS})
        assert (await running.ask(tls=client))[0] == 401
        assert (await running.ask(tls=client, headers=ALICE))[0] == 200
        write(web_config_path, {"tls_server_config": PAIR, "basic_auth_users": {"bob": HASH}})
        assert (await running.ask(tls=client, headers=ALICE))[0] == 401
        assert (await running.ask(tls=client, headers=as_user("bob", PASSWORD)))[0] == 200


_TLS_STAYS: Final = "tls_server_config: needs a restart: a port with TLS does not go to plain"
_USERS_STAY: Final = "basic_auth_users: needs a restart: a port with users does not go on without"


@pytest.mark.parametrize(
    "text,faults",
    [
        ("", [_TLS_STAYS, _USERS_STAY]),
        ("# being written\n", [_TLS_STAYS, _USERS_STAY]),
        ("null", [_TLS_STAYS, _USERS_STAY]),
        ("{}", [_TLS_STAYS, _USERS_STAY]),
        ("basic_auth_users:", [_TLS_STAYS, _USERS_STAY]),
        (json.dumps({"tls_server_config": RESTRICTED}), [_USERS_STAY]),
        (f"tls_server_config: {json.dumps(RESTRICTED)}\nbasic_auth_users:\n", [_USERS_STAY]),
        (json.dumps(USERS), [_TLS_STAYS]),
        (json.dumps({**USERS, "tls_server_config": {}}), [_TLS_STAYS]),
        (
            json.dumps({**USERS, "tls_server_config": PAIR}),
            ["tls_server_config.client_auth_type: needs a restart: a port that requires certificates of its clients"],
        ),
        (
            json.dumps({**USERS, "tls_server_config": {**MUTUAL, "client_auth_type": "VerifyClientCertIfGiven"}}),
            ["tls_server_config.client_auth_type: needs a restart: a port that requires certificates of its clients"],
        ),
        (
            json.dumps({**USERS, "tls_server_config": MUTUAL}),
            ["tls_server_config.client_allowed_sans: needs a restart: a port for certain clients does not open"],
        ),
    ],
)
async def test_no_protection_is_taken_off_by_a_change(
    certificates: Certificates,
    web_config_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    faults: list[str],
) -> None:
    """An emptied file, one that is being written and one that was cut say the same as one that opens the port."""
    known, other = certificates.client("prometheus.example.net"), certificates.client("x.example")
    async with serving(web_config_path, {"tls_server_config": RESTRICTED, **USERS}) as running:
        assert (await running.ask(tls=known, headers=ALICE))[0] == 200
        web_config_path.write_text(text)
        for _ in range(2):
            with pytest.raises((aiohttp.ClientError, ConnectionError)):
                await running.ask()
            for client in (certificates.client(), other):
                with pytest.raises((aiohttp.ClientError, ConnectionError)):
                    await running.ask(tls=client, headers=ALICE)
            assert (await running.ask(tls=known))[0] == 401
        assert await running.metric(_SUCCESSFUL, tls=known, headers=ALICE) == 0
        told = capsys.readouterr().out
        assert told.count("needs a restart") == len(faults)
        for fault in faults:
            assert f"{web_config_path}: {fault}" in told
        write(web_config_path, {"tls_server_config": RESTRICTED, **USERS})
        assert await running.metric(_SUCCESSFUL, tls=known, headers=ALICE) == 1
    assert "web configuration reloaded" in capsys.readouterr().out


def test_a_file_that_says_nothing_at_the_start_is_an_open_port(web_config_path: Path) -> None:
    """As in the exporter-toolkit; what it means is said."""
    web_config_path.write_text("# nothing yet\n")
    assert web_config_loader.load_web_config(str(web_config_path)).summary == "no TLS, 0 users"


async def test_a_user_who_is_taken_out_is_refused_on_a_connection_that_was_kept(web_config_path: Path) -> None:
    async with serving(web_config_path, USERS) as running, aiohttp.ClientSession(headers=ALICE) as session:
        url = f"http://localhost:{running.port}/metrics"
        for config, status in ((USERS, 200), ({"basic_auth_users": {"bob": HASH}}, 401), (USERS, 200)):
            write(web_config_path, config)
            async with session.get(url) as answer:
                await answer.read()
                assert answer.status == status


async def test_a_file_with_faults_changes_nothing_and_is_told_once(
    web_config_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(web_config_path, USERS) as running:
        assert (await running.ask(headers=ALICE))[0] == 200
        for text in ('{"basic_auth_users": {}, "hunter2": 1, "http_server_config": {"http2": true}}', "{", None):
            web_config_path.unlink() if text is None else web_config_path.write_text(text)
            assert (await running.ask())[0] == 401
            for _ in range(3):
                assert await running.metric(_SUCCESSFUL, headers=ALICE) == 0
            told = capsys.readouterr().out
            assert told.count("web configuration not reloaded") == {None: 1, "{": 1}.get(text, 2)
            assert "hunter2" not in told
        write(web_config_path, USERS)
        assert await running.metric(_SUCCESSFUL, headers=ALICE) == 1
        assert capsys.readouterr().out.count("web configuration reloaded") == 1


async def test_a_file_that_does_not_change_is_read_once(web_config_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    genuine = reading.read_text

    def read(path: str) -> str:
        reads.append(path)
        return genuine(path)

    monkeypatch.setattr(web_config_loader, "read_text", read)
    async with serving(web_config_path, USERS) as running:
        for _ in range(5):
            assert (await running.ask(headers=ALICE))[0] == 200
        assert len(reads) == 1
        write(web_config_path, {"basic_auth_users": {"bob": HASH}})
        for _ in range(5):
            assert (await running.ask(headers=ALICE))[0] == 401
        assert len(reads) == 2


async def test_a_file_that_is_put_back_with_its_size_and_time_is_noticed(web_config_path: Path) -> None:
    """As `cp -p` and `rsync -t` leave it."""
    async with serving(web_config_path, USERS) as running:
        assert (await running.ask(headers=ALICE))[0] == 200
        before = web_config_path.stat()
        write(web_config_path, {"basic_auth_users": {"carol": HASH}})
        os.utime(web_config_path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert web_config_path.stat().st_size == before.st_size
        assert (await running.ask(headers=ALICE))[0] == 401
        assert (await running.ask(headers=as_user("carol", PASSWORD)))[0] == 200


async def test_a_file_that_changes_while_it_is_read_is_read_again(
    web_config_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = reading.read_text
    later: list[Any] = [{"basic_auth_users": {"bob": HASH}}]

    def read(path: str) -> str:
        text = genuine(path)
        if later:
            write(web_config_path, later.pop())
        return text

    async with serving(web_config_path, {}) as running:
        monkeypatch.setattr(web_config_loader, "read_text", read)
        write(web_config_path, USERS)
        await running.ask(headers=ALICE)
        assert not later
        assert (await running.ask(headers=ALICE))[0] == 401
        assert (await running.ask(headers=as_user("bob", PASSWORD)))[0] == 200


async def test_a_limit_goes_on_where_it_left_off(web_config_path: Path) -> None:
    """A change of something else fills no bucket."""
    limit = {"rate_limit": {"interval": "1h", "burst": 2}}
    async with serving(web_config_path, limit) as running:
        assert [(await running.ask())[0] for _ in range(3)] == [200, 200, 429]
        write(web_config_path, {**limit, **USERS})
        assert (await running.ask(headers=ALICE))[0] == 429
        write(web_config_path, {"rate_limit": {"interval": "1h", "burst": 1}, **USERS})
        assert [(await running.ask(headers=ALICE))[0] for _ in range(2)] == [200, 429]


async def test_a_file_system_that_hangs_delays_who_comes_first_and_stops_nobody(
    web_config_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    genuine = web_config_loader.stamps_of

    def hang(*given: object) -> object:
        gate.wait(30)
        return genuine(*given)  # type: ignore[arg-type] # passed on

    monkeypatch.setattr(web_config_in_force, "_PATIENCE_SECONDS", 0.2)
    async with serving(web_config_path, USERS) as running:
        monkeypatch.setattr(web_config_in_force, "stamps_of", hang)
        async with asyncio.timeout(10):
            for _ in range(20):
                assert (await running.ask(headers=ALICE))[0] == 200
                assert (await running.ask())[0] == 401
        gate.set()


async def test_who_comes_a_second_after_a_look_was_begun_waits_no_more(
    web_config_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, clock = threading.Event(), ManualClock()
    write(web_config_path, USERS)
    began_with = await asyncio.to_thread(load_web_config, str(web_config_path))
    monkeypatch.setattr(web_config_in_force, "stamps_of", lambda stamps: gate.wait(30) and stamps)
    with ThreadPoolExecutor(max_workers=1) as thread:
        in_force = WebConfigInForce(
            began_with,
            hashing=thread,
            files=thread,
            reloaded=lambda *, successful: None,  # noqa: ARG005 - nobody looks
            clock=clock,
        )
        first = asyncio.create_task(in_force.current())
        await asyncio.sleep(0)
        clock.advance(1)
        try:
            async with asyncio.timeout(0.5):
                assert await in_force.current() is in_force.present
        finally:
            gate.set()
        assert await first is in_force.present


async def test_what_nobody_thought_of_changes_nothing_and_is_told(
    web_config_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("hunter2")

    async with serving(web_config_path, USERS) as running:
        with monkeypatch.context() as patch:
            patch.setattr(web_config_in_force, "stamps_of", fail)
            assert await running.metric(_SUCCESSFUL, headers=ALICE) == 0
        assert (await running.ask())[0] == 401
    told = capsys.readouterr().out
    assert "bug: unexpected exception" in told
    assert "hunter2" not in told
