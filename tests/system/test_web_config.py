"""The command with a web configuration: a real Prometheus scrapes it over mutual TLS with a password."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
from signal import SIGCONT, SIGSTOP
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import pytest

from oxidized_exporter.simulator import fleet
from tests.harness import Exposition, let_closing_reset
from tests.system.program import COMMAND, EXPORTER, PATIENCE, eventually, exporting, parse_logfmt
from tests.system.prometheus import prometheus, relabelled
from tests.system.test_healthcheck import foreign
from tests.web.certificates import HASH, PASSWORD, Certificates, make_certificates
from tests.web.serving import MUTUAL, PAIR, as_user, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.conftest import Run, StartExporter, StartOxidized

USERS: Final = {"basic_auth_users": {"prometheus": HASH}}
HEALTHCHECK: Final = (*COMMAND, "healthcheck")


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


def web_config(directory: Path, config: Any) -> str:
    write(directory / "web.yml", config)
    return f"--web.config.file={directory / 'web.yml'}"


async def test_prometheus_scrapes_over_mutual_tls_with_a_password(
    tmp_path: Path, certificates: Certificates, start_oxidized: StartOxidized
) -> None:
    if not shutil.which("prometheus"):
        pytest.skip("needs a Prometheus: Debian package prometheus")
    client = certificates.authority.issue_cert("prometheus.example.net")
    (tmp_path / "client.crt").write_bytes(client.cert_chain_pems[0].bytes())
    client.private_key_pem.write_to_path(tmp_path / "client.key")
    (tmp_path / "password").write_text(PASSWORD)
    flag = web_config(
        tmp_path, {"tls_server_config": {**MUTUAL, "client_allowed_sans": ["prometheus.example.net"]}, **USERS}
    )
    oxidized = await start_oxidized(*fleet(5))
    async with exporting(*EXPORTER, flag, "--timeout-offset=0.1") as exporter:
        tls_config = {
            "ca_file": str(tmp_path / "ca.pem"),
            "cert_file": str(tmp_path / "client.crt"),
            "key_file": str(tmp_path / "client.key"),
        }
        allowed = {
            "scheme": "https",
            "basic_auth": {"username": "prometheus", "password_file": str(tmp_path / "password")},
            "tls_config": tls_config,
        }
        jobs = [{**relabelled([oxidized.url], exporter), **allowed}]
        for name, odd in (
            ("wrong-password", {"basic_auth": {"username": "prometheus", "password": "wrong"}}),
            ("no-user", {"basic_auth": None}),
            ("no-certificate", {"tls_config": {"ca_file": tls_config["ca_file"]}}),
            ("no-tls", {"scheme": "http"}),
        ):
            job = {**allowed, **odd, "job_name": name, "static_configs": [{"targets": [exporter.address]}]}
            jobs.append({key: value for key, value in job.items() if value is not None})
        async with prometheus(tmp_path, *jobs, rules={"groups": []}) as server:

            async def scraped() -> bool:
                return len(await server.query("up")) == len(jobs)

            await eventually(scraped)
            up = await server.by("job", "sum by (job) (up)")
            assert up == {"oxidized": 1, "wrong-password": 0, "no-user": 0, "no-certificate": 0, "no-tls": 0}
            assert await server.by("job", "count by (job) (oxidized_device_status)") == {"oxidized": 5}
            targets = (await server.get("targets", state="active"))["activeTargets"]
            errors = {target["labels"]["job"]: target["lastError"] for target in targets}
        assert errors["oxidized"] == ""
        assert "401" in errors["wrong-password"]
        assert "401" in errors["no-user"]
        assert await exporter.stop() == 0
        assert parse_logfmt(exporter.program.err.seen[0])["tls"] == "true"
        for line in exporter.program.err.seen:
            parse_logfmt(line)
            assert "bug" not in line
            assert PASSWORD not in line
            assert HASH not in line


async def test_no_secret_of_the_web_configuration_is_shown(
    tmp_path: Path, certificates: Certificates, start_exporter: StartExporter
) -> None:
    key = (tmp_path / "server.key").read_text()
    tls = {"cert_file": "server.crt", "key": key}
    exporter = await start_exporter(
        web_config(tmp_path, {"tls_server_config": tls, **USERS}), "--web.enable-lifecycle", "--log.level=debug"
    )
    shown = ""
    async with aiohttp.ClientSession() as session:
        for path in ("/", "/config", "/metrics", "/-/healthy", "/-/ready", "/probe", "/probe?target=http://[", "/x"):
            for headers in ({}, as_user("prometheus", PASSWORD), as_user("prometheus", "wrong-password")):
                url = f"https://{exporter.address}{path}"
                async with session.get(url, headers=headers, ssl=certificates.client()) as answer:
                    shown += await answer.text() + str(answer.headers)
        # each of these faults has a secret beside it
        faulty: tuple[dict[str, Any], ...] = (
            {**USERS, "x": key},
            {"basic_auth_users": {"prometheus": PASSWORD}},
            {"hunter2": {}},
        )
        for broken in faulty:
            write(tmp_path / "web.yml", broken)
            url = f"https://{exporter.address}/metrics"
            async with session.get(url, headers=as_user("prometheus", PASSWORD), ssl=certificates.client()) as answer:
                assert answer.status == 200
                shown += await answer.text()
    assert await exporter.stop() == 0
    shown += "".join(exporter.program.err.seen)
    assert "web configuration not reloaded" in shown
    for secret in (PASSWORD, "wrong-password", HASH, HASH[7:29], key.splitlines()[1], "BEGIN EC", "BEGIN PRIV"):
        assert secret not in shown


@pytest.mark.usefixtures("certificates")
async def test_the_health_check_asks_by_tls(tmp_path: Path, start_exporter: StartExporter, run: Run) -> None:
    """As the image runs it: both read the same variables."""
    config = web_config(tmp_path, {"tls_server_config": PAIR, **USERS})
    exporter = await start_exporter(config)
    environment = {
        "OXIDIZED_EXPORTER_WEB_LISTEN_ADDRESS": exporter.address,
        "OXIDIZED_EXPORTER_WEB_CONFIG_FILE": str(tmp_path / "web.yml"),
    }
    program = await run(*HEALTHCHECK, **environment)
    assert (await program.exit_code(), program.out.seen, program.err.seen) == (0, [], [])
    # a file that is not in force, or not there: it is asked the other way then
    for text in ('{"tls_server_config": {}, "x": 1}', "{}", None):
        (tmp_path / "web.yml").write_text(text) if text is not None else (tmp_path / "web.yml").unlink()
        program = await run(*HEALTHCHECK, **environment)
        assert (await program.exit_code(), program.err.seen) == (0, [])


@pytest.mark.parametrize("newest", ["TLS12", "TLS13"])
@pytest.mark.usefixtures("certificates")
async def test_where_a_client_certificate_is_required_a_tls_answer_is_healthy(
    tmp_path: Path, newest: str, start_exporter: StartExporter, run: Run
) -> None:
    config = web_config(tmp_path, {"tls_server_config": {**MUTUAL, "max_version": newest}})
    exporter = await start_exporter(config)
    program = await run(*HEALTHCHECK, f"--web.listen-address={exporter.address}", config)
    assert (await program.exit_code(), program.err.seen) == (0, [])
    assert await exporter.stop() == 0
    assert not [line for line in exporter.program.err.seen if "no TLS connection" in line]


@pytest.mark.usefixtures("certificates")
async def test_where_a_client_certificate_is_required_a_connection_that_is_gone_is_healthy(
    tmp_path: Path, run: Run
) -> None:
    """The server has ended and the system reset the connection by the time that the request is written."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # the server has the last word of the handshake
    config = web_config(tmp_path, {"tls_server_config": MUTUAL})
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        address = f"--web.listen-address=127.0.0.1:{listener.getsockname()[1]}"
        program = await run(*HEALTHCHECK, address, config, "--timeout=20")
        async with asyncio.timeout(PATIENCE):
            connection, _ = await loop.sock_accept(listener)
            with connection:
                last_word = await _handshake_but_for_its_last_word(connection, context)
                program.send(SIGSTOP)
                await asyncio.to_thread(os.waitid, os.P_PID, program.pid, os.WSTOPPED | os.WNOWAIT)
                await loop.sock_sendall(connection, last_word)
                connection.shutdown(socket.SHUT_WR)
                let_closing_reset(connection)
    program.send(SIGCONT)
    assert (await program.exit_code(), program.err.seen) == (0, [])


async def _handshake_but_for_its_last_word(connection: socket.socket, context: ssl.SSLContext) -> bytes:
    loop, incoming, outgoing = asyncio.get_running_loop(), ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=True)
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            await loop.sock_sendall(connection, outgoing.read())
            incoming.write(await loop.sock_recv(connection, 65536))
        else:
            return outgoing.read()


@pytest.mark.usefixtures("certificates")
async def test_the_health_check_does_not_take_everything_for_healthy(
    tmp_path: Path, start_exporter: StartExporter, run: Run
) -> None:
    exporter = await start_exporter()  # without TLS
    address = f"--web.listen-address={exporter.address}"
    mutual = web_config(tmp_path, {"tls_server_config": MUTUAL})
    program = await run(*HEALTHCHECK, address, mutual)
    assert await program.exit_code() == 0  # asked the other way
    assert await exporter.stop() == 0
    program = await run(*HEALTHCHECK, address, mutual)
    assert await program.exit_code() == 1
    assert program.err.seen == [f"Error: https://{exporter.address}/-/healthy could not be asked: Connection refused"]
    secured = await start_exporter(web_config(tmp_path, {"tls_server_config": PAIR}))
    program = await run(*HEALTHCHECK, f"--web.listen-address={secured.address}")
    assert await program.exit_code() == 1
    asked = f"http://{secured.address}/-/healthy"
    hint = "no answer; does it serve TLS? Then give --web.config.file"
    assert program.err.seen == [f"Error: {asked} could not be asked: {hint}"]
    async with foreign(then_close=False) as stuck:
        program = await run(*HEALTHCHECK, f"--web.listen-address={stuck}", mutual, "--timeout=1")
        assert await program.exit_code() == 1
        assert program.err.seen == [f"Error: https://{stuck}/-/healthy did not answer within 1 s"]


@pytest.mark.parametrize("comment,code", [("", 0), ("# ", 1), ("client_auth_type: NoClientCert # no ", 1)])
async def test_a_comment_requires_no_certificate_of_the_health_check(
    tmp_path: Path, comment: str, code: int, run: Run
) -> None:
    """Whoever ends a handshake would count as an exporter that misses one."""
    path = tmp_path / "web.yml"
    path.write_text(f"tls_server_config:\n  {comment}client_auth_type: RequireAndVerifyClientCert\n")
    async with foreign() as closing:
        program = await run(*HEALTHCHECK, f"--web.listen-address={closing}", f"--web.config.file={path}")
        assert await program.exit_code() == code


async def test_a_bad_web_configuration_is_not_served(tmp_path: Path, run: Run) -> None:
    flag = web_config(tmp_path, {"http_server_config": {"http2": True}, "x": {}})
    program = await run(*EXPORTER, flag)
    assert await program.exit_code() == 1
    path = tmp_path / "web.yml"
    assert program.err.seen == [
        f"{path}:1: […]: unknown key; known are tls_server_config, http_server_config, basic_auth_users, rate_limit",
        (
            f"{path}:1: http_server_config.http2: cannot be honoured: this exporter speaks HTTP/1.1; "
            "leave the key out, or write false"
        ),
    ]


async def test_sigterm_loses_no_probe_over_tls(
    tmp_path: Path, certificates: Certificates, start_oxidized: StartOxidized
) -> None:
    """Connections, each with its handshake, are made without pause until nobody listens any more."""
    oxidized = await start_oxidized(*fleet(5))
    flag = web_config(tmp_path, {"tls_server_config": PAIR, **USERS})
    client = certificates.client()
    async with exporting(*EXPORTER, flag) as exporter:
        answered: list[float] = []
        lost: list[BaseException] = []
        url = f"https://{exporter.address}/probe?target={oxidized.url}"

        async def scrape() -> None:
            async with aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True), headers=as_user("prometheus", PASSWORD)
            ) as session:
                while True:
                    try:
                        async with session.get(url, ssl=client) as answer:
                            text = await answer.text()
                    except aiohttp.ClientConnectorError as error:
                        if not isinstance(error.os_error, ConnectionRefusedError):
                            lost.append(error)
                        return
                    except (aiohttp.ClientError, OSError) as error:
                        lost.append(error)
                        return
                    answered.append(Exposition.parse(text).value("oxidized_status"))

        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(scrape())
            await eventually(lambda: asyncio.sleep(0, len(answered) > 20))
            assert await exporter.stop() == 0
    assert not lost
    assert set(answered) == {1.0}


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.usefixtures("certificates")
async def test_check_config_checks_both_files(tmp_path: Path, *, good: bool, run: Run) -> None:
    write(tmp_path / "config.yml", {"modules": {}} if good else {"modul": {}})
    flag = web_config(tmp_path, {"tls_server_config": MUTUAL if good else {**MUTUAL, "key_file": "no.key"}, **USERS})
    command = (*COMMAND, "check-config", flag, str(tmp_path / "config.yml"))
    program = await run(*command)
    code = await program.exit_code()
    config, web = tmp_path / "config.yml", tmp_path / "web.yml"
    if good:
        assert (code, program.err.seen) == (0, [])
        assert program.out.seen == [
            f"{config}: 1 module, 0 connections, 0 targets",
            f"{web}: TLS with RequireAndVerifyClientCert, 1 user",
        ]
    else:
        assert (code, program.out.seen) == (1, [])
        assert program.err.seen == [
            f"{config}:1: modul: unknown key; did you mean modules?",
            f"{web}:1: tls_server_config.key_file: cannot be read: no such file or directory",
        ]


async def test_check_config_needs_something_to_check(run: Run) -> None:
    program = await run(*COMMAND, "check-config")
    assert await program.exit_code() == 2
    assert "nothing to check" in program.err.seen[-1]
