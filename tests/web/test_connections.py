"""Credentials, TLS, headers, proxies and redirects of connections, on real sockets."""

from __future__ import annotations

import asyncio
import base64
import io
import ssl
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from aiohttp import web

from oxidized_exporter.config import Access, Authorization, BasicAuth, Config, HttpHeader, Secret, TlsConfig
from oxidized_exporter.log import configure_logging
from oxidized_exporter.targets.pattern import TargetPattern
from tests.harness import Exposition, Probing, connecting, running, running_exporter
from tests.web.test_failures import demanding_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

S3CR3T = Secret("s3cr3t")


@dataclass
class Recorder:
    """An Oxidized without devices that notes what it is sent."""

    headers: list[Mapping[str, str]] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    redirects: dict[str, str] = field(default_factory=dict)
    redirect_status: int = 302

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        self.headers.append(request.headers.copy())
        self.lines.append((request.method, request.raw_path))
        if request.raw_path in self.redirects:
            return web.Response(status=self.redirect_status, headers={"Location": self.redirects[request.raw_path]})
        return web.json_response([])


async def sent(**settings: Any) -> Mapping[str, str]:
    """Return the headers of the one request that a probe with these settings makes."""
    recorder = Recorder()
    async with running(recorder.app()) as url, running_exporter(config=connecting(**settings)) as exporter:
        answer = await exporter.probe(url)
    assert answer.value("oxidized_status") == 1
    [headers] = recorder.headers
    return headers


async def refused(**settings: Any) -> tuple[str | None, int]:
    """Return the reason of a probe that fails with these settings, and how many requests were made."""
    recorder = Recorder()
    async with running(recorder.app()) as url, running_exporter(config=connecting(**settings)) as exporter:
        answer = await exporter.probe(url)
    return answer.reason(), len(recorder.headers)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / f"secret{len(list(tmp_path.iterdir()))}"
        path.write_text(text)
        return path

    return write


async def test_basic_authentication(file: Callable[[str], Path]) -> None:
    headers = await sent(basic_auth=BasicAuth(username="me", password=S3CR3T))
    assert headers["Authorization"] == basic("me:s3cr3t")
    headers = await sent(basic_auth=BasicAuth(username_file=file("mé\n"), password_file=file(" s3:cr3t \n")))
    assert headers["Authorization"] == basic("mé:s3:cr3t")
    headers = await sent(basic_auth=BasicAuth(username="me"))
    assert headers["Authorization"] == basic("me:")


async def test_bearer_and_other_schemes(file: Callable[[str], Path]) -> None:
    headers = await sent(authorization=Authorization(credentials=S3CR3T))
    assert headers["Authorization"] == "Bearer s3cr3t"
    headers = await sent(authorization=Authorization(type="Token", credentials_file=file("t0ken\n")))
    assert headers["Authorization"] == "Token t0ken"


async def test_headers_and_the_host(file: Callable[[str], Path]) -> None:
    header = HttpHeader(values=(Secret("eu"), Secret("us")), secrets=(S3CR3T,), files=(file("from-file\n"),))
    recorder = Recorder()
    config = connecting(http_headers={"X-Scope": header}, host_header="oxidized.internal")
    async with running(recorder.app()) as url, running_exporter(config=config) as exporter:
        await exporter.probe(url)
    [headers] = recorder.headers
    assert headers.getall("X-Scope") == ["eu", "us", "s3cr3t", "from-file"]  # type: ignore[attr-defined]
    assert headers.getall("Host") == ["oxidized.internal"]  # type: ignore[attr-defined]


async def test_a_rotated_secret_needs_no_reload(file: Callable[[str], Path]) -> None:
    path = file("old")
    recorder = Recorder()
    config = connecting(authorization=Authorization(credentials_file=path))
    async with running(recorder.app()) as url, running_exporter(config=config) as exporter:
        await exporter.probe(url)
        path.write_text("new")
        await exporter.probe(url)
    assert [headers["Authorization"] for headers in recorder.headers] == ["Bearer old", "Bearer new"]


@pytest.mark.parametrize("content", ["a\r\nX-Evil: 1", "", "a\x00b", "schlüssel"])
async def test_what_cannot_be_sent_is_not(file: Callable[[str], Path], content: str) -> None:
    assert await refused(authorization=Authorization(credentials_file=file(content))) == ("auth", 0)


async def test_a_secret_that_is_gone_is_auth_and_names_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await refused(basic_auth=BasicAuth(username="me", password_file=tmp_path / "gone")) == ("auth", 0)
    assert f"{tmp_path / 'gone'} cannot be read: no such file or directory" in capsys.readouterr().out


async def test_a_target_that_no_entry_matches_gets_nothing() -> None:
    recorder = Recorder()
    config = connecting("http://127.0.0.1:1", authorization=Authorization(credentials=S3CR3T))
    async with running(recorder.app()) as url, running_exporter(config=config) as exporter:
        await exporter.probe(url)
        await exporter.probe(f"{url}/other")
    assert not any("Authorization" in headers for headers in recorder.headers)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


class Files:
    """Certificates as files."""

    def __init__(self, directory: Path, authority: trustme.CA) -> None:
        self.directory = directory
        self.authority = authority
        self.ca = directory / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca))

    def client(self, name: str = "exporter") -> tuple[Path, Path]:
        certificate, key = self.directory / "client.pem", self.directory / "client-key.pem"
        issued = self.authority.issue_cert(name)
        certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(key))
        return certificate, key


@pytest.fixture
def files(tmp_path: Path, authority: trustme.CA) -> Files:
    return Files(tmp_path, authority)


@asynccontextmanager
async def probing_tls(
    authority: trustme.CA,
    config: TlsConfig,
    *,
    name: str = "127.0.0.1",
    prepare: Callable[[ssl.SSLContext], object] = lambda _context: None,
    **certificate: Any,
) -> AsyncIterator[tuple[Probing, str]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **certificate).configure_cert(context)
    prepare(context)
    async with (
        running(Recorder().app(), tls=context) as url,
        running_exporter(config=connecting(tls_config=config)) as exporter,
    ):
        yield exporter, url


async def test_an_authority_of_ones_own(authority: trustme.CA, files: Files) -> None:
    async with probing_tls(authority, TlsConfig(ca_file=files.ca)) as (exporter, url):
        assert (await exporter.probe(url)).value("oxidized_status") == 1


async def test_a_wrong_authority_is_tls(files: Files) -> None:
    async with probing_tls(trustme.CA(), TlsConfig(ca_file=files.ca)) as (exporter, url):
        assert (await exporter.probe(url)).reason() == "tls"


async def test_an_expired_certificate_is_tls_and_says_so(
    authority: trustme.CA, files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    expired = datetime.now(UTC) - timedelta(days=1)
    async with probing_tls(authority, TlsConfig(ca_file=files.ca), not_after=expired) as (exporter, url):
        assert (await exporter.probe(url)).reason() == "tls"
    assert "certificate has expired" in capsys.readouterr().out


async def test_a_wrong_name_is_tls_unless_it_is_the_configured_one(authority: trustme.CA, files: Files) -> None:
    async with probing_tls(authority, TlsConfig(ca_file=files.ca), name="oxidized.internal") as (exporter, url):
        assert (await exporter.probe(url)).reason() == "tls"
    named = TlsConfig(ca_file=files.ca, server_name="oxidized.internal")
    async with probing_tls(authority, named, name="oxidized.internal") as (exporter, url):
        assert (await exporter.probe(url)).value("oxidized_status") == 1


async def test_verification_can_be_switched_off_and_the_expiry_is_still_told() -> None:
    async with probing_tls(trustme.CA(), TlsConfig(insecure_skip_verify=True), name="any") as (exporter, url):
        answer = await exporter.probe(url)
    assert answer.value("oxidized_status") == 1
    assert answer.value("probe_ssl_earliest_cert_expiry") > 0


def demanding(authority: trustme.CA) -> Callable[[ssl.SSLContext], None]:
    def prepare(context: ssl.SSLContext) -> None:
        context.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(context)

    return prepare


async def test_a_client_certificate_is_shown(authority: trustme.CA, files: Files) -> None:
    certificate, key = files.client()
    config = TlsConfig(ca_file=files.ca, cert_file=certificate, key_file=key)
    async with probing_tls(authority, config, prepare=demanding(authority)) as (exporter, url):
        assert (await exporter.probe(url)).value("oxidized_status") == 1


async def test_rotated_certificates_need_no_reload(authority: trustme.CA, files: Files) -> None:
    stranger = Files(files.directory, trustme.CA())
    certificate, key = stranger.client()
    config = TlsConfig(ca_file=files.ca, cert_file=certificate, key_file=key)
    async with probing_tls(authority, config, prepare=demanding(authority)) as (exporter, url):
        assert (await exporter.probe(url)).value("oxidized_status") == 0
        Files(files.directory, authority).client()
        assert (await exporter.probe(url)).value("oxidized_status") == 1
        good = key.read_bytes()
        key.write_bytes(trustme.CA().private_key_pem.bytes())  # of another certificate
        assert (await exporter.probe(url)).reason() == "tls"
        key.write_bytes(good)
        assert (await exporter.probe(url)).value("oxidized_status") == 1
        files.ca.write_text("no certificate")
        assert (await exporter.probe(url)).reason() == "tls"


async def test_an_old_version_of_tls_is_refused(authority: trustme.CA, files: Files) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    config = connecting(tls_config=TlsConfig(ca_file=files.ca, min_version="TLS13"))
    with demanding_port(context) as port:
        async with running_exporter(config=config) as exporter:
            assert (await exporter.probe(f"https://127.0.0.1:{port}")).reason() == "tls"


async def test_a_certificate_file_that_is_gone_is_tls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await refused(tls_config=TlsConfig(ca_file=tmp_path / "gone.pem")) == ("tls", 0)
    assert "gone.pem cannot be read: no such file or directory" in capsys.readouterr().out


@dataclass
class Proxy:
    """A forward proxy that hands on what it is asked for, whatever the name, to one address."""

    address: tuple[str, int]
    refuses: bytes | None = None
    asked: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.split(b"\r\n")[0].decode())
        if self.refuses is not None:
            writer.write(self.refuses)
        else:
            onward, back = await asyncio.open_connection(*self.address)
            if self.asked[-1].startswith("CONNECT "):
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                method, target, _version = self.asked[-1].split(" ")
                path = "/" + target.split("/", 3)[3]
                back.write(head.replace(f"{method} {target}".encode(), f"{method} {path}".encode(), 1))
            await asyncio.wait(
                [asyncio.ensure_future(self._copy(reader, back)), asyncio.ensure_future(self._copy(onward, writer))]
            )
        writer.close()

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while chunk := await source.read(65536):
            sink.write(chunk)
        sink.close()


@asynccontextmanager
async def proxying(proxy: Proxy) -> AsyncIterator[str]:
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def address(url: str) -> tuple[str, int]:
    host, _, port = url.rpartition("/")[2].rpartition(":")
    return host, int(port)


async def test_a_proxy_is_asked_for_the_target_and_resolves_its_name() -> None:
    recorder = Recorder()
    async with running(recorder.app()) as url:
        proxy = Proxy(address(url))
        async with proxying(proxy) as proxy_url:
            config = connecting("http://oxidized.nowhere.example", proxy_url=proxy_url)
            async with running_exporter(config=config) as exporter:
                answer = await exporter.probe("http://oxidized.nowhere.example/eu")
    assert answer.value("oxidized_status") == 1
    assert proxy.asked == ["GET http://oxidized.nowhere.example/eu/nodes.json HTTP/1.1"]
    assert recorder.lines == [("GET", "/eu/nodes.json")]


async def test_tls_goes_through_the_proxy_and_credentials_only_inside(authority: trustme.CA, files: Files) -> None:
    recorder = Recorder()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("oxidized.nowhere.example").configure_cert(context)
    async with running(recorder.app(), tls=context) as url:
        proxy = Proxy(address(url))
        async with proxying(proxy) as proxy_url:
            config = connecting(
                "https://oxidized.nowhere.example",
                proxy_url=proxy_url,
                tls_config=TlsConfig(ca_file=files.ca),
                authorization=Authorization(credentials=S3CR3T),
            )
            async with running_exporter(config=config) as exporter:
                answer = await exporter.probe("https://oxidized.nowhere.example")
    assert answer.value("oxidized_status") == 1
    assert proxy.asked == ["CONNECT oxidized.nowhere.example:443 HTTP/1.1"]
    assert recorder.headers[0]["Authorization"] == "Bearer s3cr3t"


@pytest.mark.parametrize("target", ["http://a.example", "https://a.example"])
@pytest.mark.parametrize("refusal", [b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n", None])
async def test_a_proxy_that_refuses_is_proxy(target: str, refusal: bytes | None) -> None:
    proxy = Proxy(("127.0.0.1", 1), refuses=refusal)
    async with proxying(proxy) as proxy_url:
        used = proxy_url if refusal else "http://127.0.0.1:1"
        async with running_exporter(config=connecting(target, proxy_url=used)) as exporter:
            assert (await exporter.probe(target)).reason() == "proxy"


async def test_redirects_are_refused_by_default() -> None:
    recorder = Recorder(redirects={"/nodes.json": "/new/nodes.json"})
    async with running(recorder.app()) as url, running_exporter() as exporter:
        assert (await exporter.probe(url)).reason() == "redirect"
    assert recorder.lines == [("GET", "/nodes.json")]


async def test_redirects_to_the_same_route_are_followed_where_they_may_be() -> None:
    recorder = Recorder(redirects={"/nodes.json": "/a/nodes.json", "/a/nodes.json": "/b/c/nodes.json"})
    config = connecting(follow_redirects=True, authorization=Authorization(credentials=S3CR3T))
    async with running(recorder.app()) as url, running_exporter(config=config) as exporter:
        assert (await exporter.probe(url)).value("oxidized_status") == 1
    assert [path for _, path in recorder.lines] == ["/nodes.json", "/a/nodes.json", "/b/c/nodes.json"]
    assert {headers["Authorization"] for headers in recorder.headers} == {"Bearer s3cr3t"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_every_kind_of_redirect_is_followed_by_a_get(status: int) -> None:
    recorder = Recorder(redirects={"/nodes.json": "/a/nodes.json"}, redirect_status=status)
    async with running(recorder.app()) as url, running_exporter(config=connecting(follow_redirects=True)) as exporter:
        assert (await exporter.probe(url)).value("oxidized_status") == 1
    assert recorder.lines == [("GET", "/nodes.json"), ("GET", "/a/nodes.json")]


async def test_a_redirect_out_of_the_connections_prefix_is_not_followed() -> None:
    recorder = Recorder(redirects={"/eu/nodes.json": "/us/nodes.json"})
    async with running(recorder.app()) as url:
        config = connecting(f"{url}/eu", follow_redirects=True, authorization=Authorization(credentials=S3CR3T))
        async with running_exporter(config=config) as exporter:
            assert (await exporter.probe(f"{url}/eu")).reason() == "redirect"
    assert recorder.lines == [("GET", "/eu/nodes.json")]


async def test_a_loop_of_redirects_ends() -> None:
    recorder = Recorder(redirects={"/nodes.json": "/nodes.json"})
    async with running(recorder.app()) as url, running_exporter(config=connecting(follow_redirects=True)) as exporter:
        assert (await exporter.probe(url)).reason() == "redirect"
    assert len(recorder.lines) == 6


@pytest.fixture
def secretive(file: Callable[[str], Path]) -> Config:
    """A configuration with every kind of secret; all of them are the same."""
    return connecting(
        basic_auth=BasicAuth(username="me", password=S3CR3T),
        http_headers={"X-Token": HttpHeader(values=(S3CR3T,), secrets=(S3CR3T,), files=(file("s3cr3t"),))},
        follow_redirects=True,
    )


async def test_a_secret_is_sent_and_shown_in_no_answer(secretive: Config) -> None:
    recorder = Recorder(redirects={"/moved/nodes.json": "/moved/nodes.json?s3cr3t"})
    said = []
    async with running(recorder.app()) as url, running_exporter(config=secretive) as exporter:
        for path in (f"/probe?target={url}", f"/probe?target={url}/moved", "/probe?target=s3", "/metrics", "/"):
            response = await exporter.get(path)
            said.append(await response.text())
    assert recorder.headers[0]["Authorization"] == basic("me:s3cr3t")
    assert recorder.headers[0]["X-Token"] == "s3cr3t"
    assert "s3cr3t" not in "".join(said)


async def test_a_secret_is_hidden_in_the_shown_configuration(secretive: Config) -> None:
    async with running_exporter(config=secretive) as exporter:
        response = await exporter.get("/config")
        shown = await response.text()
    assert "password: <secret>" in shown
    assert "X-Token" in shown
    assert "s3cr3t" not in shown


async def test_a_secret_is_in_no_log_at_any_level(secretive: Config) -> None:
    stream = io.StringIO()
    configure_logging("debug", stream=stream)
    recorder = Recorder(redirects={"/moved/nodes.json": "/moved/nodes.json?s3cr3t"})
    async with running(recorder.app()) as url, running_exporter(config=secretive) as exporter:
        await exporter.probe(url)
        await exporter.probe(f"{url}/moved")
        await exporter.probe("http://127.0.0.1:1")
    assert stream.getvalue().count("probe failed") == 2
    assert "s3cr3t" not in stream.getvalue()


def test_a_secret_is_in_no_representation(secretive: Config) -> None:
    shown = f"{secretive!r} {secretive} {secretive.connections[0]!r} {asdict(secretive.connections[0].basic_auth)}"  # type: ignore[arg-type]
    assert "<secret>" in shown
    assert "s3cr3t" not in shown


async def test_every_hop_of_a_redirect_is_counted() -> None:
    recorder = Recorder(redirects={"/nodes.json": "/a/nodes.json"})
    async with running(recorder.app()) as url, running_exporter(config=connecting(follow_redirects=True)) as exporter:
        await exporter.probe(url)
        own = Exposition.parse(await (await exporter.get("/metrics")).text())
    assert own.value("oxidized_exporter_upstream_requests_total", route="nodes", result="success") == 2


async def test_a_redirect_to_what_access_refuses_is_denied() -> None:
    recorder = Recorder(redirects={"/a/nodes.json": "/b/nodes.json"})
    async with running(recorder.app()) as url:
        config = replace(connecting(follow_redirects=True), access=Access(deny=(TargetPattern.parse(f"{url}/b"),)))
        async with running_exporter(config=config) as exporter:
            assert (await exporter.probe(f"{url}/a")).reason() == "target_denied"
    assert recorder.lines == [("GET", "/a/nodes.json")]


async def test_a_refusal_is_logged_with_the_origin(capsys: pytest.CaptureFixture[str]) -> None:
    config = replace(connecting(), access=Access(deny=(TargetPattern.parse("http://127.0.0.1:1"),)))
    async with running_exporter(config=config) as exporter:
        assert (await exporter.get("/probe?target=http://127.0.0.1:1/x")).status == 403
    said = capsys.readouterr().out
    assert "target refused" in said
    assert "origin=http://127.0.0.1:1" in said


async def test_targets_of_one_request_are_bounded() -> None:
    async with running_exporter() as exporter:
        query = "&".join(f"target=http://127.0.0.1:{port}" for port in range(1, 102))
        response = await exporter.get(f"/probe?{query}")
        assert (response.status, await response.text()) == (400, "target: given 101 times, more than 100\n")
