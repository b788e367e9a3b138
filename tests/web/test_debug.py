"""``debug=true``: the steps of a probe, for whoever wants to know why it fails; and not one secret."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import sys
import threading
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from aiohttp.abc import AbstractResolver, ResolveResult

from oxidized_exporter.config import (
    Access,
    Authorization,
    BasicAuth,
    Config,
    Connection,
    HttpHeader,
    Module,
    Secret,
    TargetEntry,
    TlsConfig,
)
from oxidized_exporter.oxidized.journal import Journal
from oxidized_exporter.oxidized.transport import open_session
from oxidized_exporter.scrape.nodes import collect_nodes
from oxidized_exporter.simulator import FAULTS, HELD, REQUESTS, Daemon, Device, Fault, ManualClock, create_app, fleet
from oxidized_exporter.targets.pattern import NetworkPattern, TargetPattern
from oxidized_exporter.targets.url import parse_target
from oxidized_exporter.web.state import Settings
from tests.harness import Exposition, Probing, asked, connecting, running, running_exporter
from tests.recorder import EMPTY_LIST, recording, redirect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

SETTINGS = Settings(timeout_offset=0, enable_debug=True)
S3CR3T = Secret("s3cr3t")
ALL = {"default": Module(name="default", collectors=("nodes", "configs", "stats"))}


async def debugged(exporter: Probing, *targets: str, seconds: float | None = None, **more: str) -> str:
    headers = {} if seconds is None else {"X-Prometheus-Scrape-Timeout-Seconds": str(seconds)}
    params = [*(("target", target) for target in targets), *more.items(), ("debug", "true")]
    async with exporter.session.get("/probe", params=params, headers=headers) as response:
        text = await response.text()
        assert response.status == 200, text
        assert response.content_type == "text/plain"
    assert text.isascii()
    return text


def steps(text: str) -> list[str]:
    """Return the steps without their times, which must not go back."""
    found = re.findall(r"^ +(\d+\.\d{4})  (.+)$", text, re.MULTILINE)
    times = [float(seconds) for seconds, _ in found]
    assert times == sorted(times)
    return [step for _, step in found]


def in_order(text: str, *wanted: str) -> None:
    """Require steps that match, in this order."""
    rest = iter(steps(text))
    for pattern in wanted:
        assert any(re.fullmatch(pattern, step) for step in rest), f"no {pattern!r} (there) in {text}"


@pytest.fixture
async def exporter() -> AsyncIterator[Probing]:
    async with running_exporter(settings=SETTINGS) as exporter:
        yield exporter


async def test_without_the_flag_it_is_403_and_nobody_is_asked() -> None:
    app = create_app(Daemon(fleet(1)))
    async with running(app) as url, running_exporter() as exporter:
        response = await exporter.get(f"/probe?target={url}&debug=true")
        assert (response.status, await response.text()) == (
            403,
            "debug: off; start the exporter with --web.enable-debug\n",
        )
        own = Exposition.parse(await (await exporter.get("/metrics")).text())
        assert own.value("oxidized_exporter_probes_rejected_total", reason="debug_disabled") == 1
        assert asked(app) == []
        response = await exporter.get(f"/probe?target={url}&debug=false")
        assert Exposition.parse(await response.text()).value("oxidized_status") == 1


@pytest.mark.parametrize(
    "query, said",
    [
        ("debug=1", "debug: must be true or false, not '1'\n"),
        ("debug=", "debug: must be true or false, not ''\n"),
        ("debug=True", "debug: must be true or false, not 'True'\n"),
        ("debug=%1b%0a", "debug: must be true or false, not '\\x1b\\n'\n"),
        ("debug=true&debug=true", "debug: given 2 times\n"),
    ],
)
async def test_another_value_is_400(exporter: Probing, query: str, said: str) -> None:
    response = await exporter.get(f"/probe?target=http://127.0.0.1:1&{query}")
    assert (response.status, await response.text()) == (400, said)


async def test_every_stage_over_tls_with_all_collectors(tmp_path: Path) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    config = replace(connecting("https://localhost:*", tls_config=TlsConfig(ca_file=tmp_path / "ca.pem")), modules=ALL)
    daemon = Daemon(fleet(3), clock=(clock := ManualClock()))
    clock.advance(6000)  # every device has had its jobs
    async with running(create_app(daemon), tls=context) as at:
        url = at.replace("127.0.0.1", "localhost")
        async with running_exporter(config=config, settings=SETTINGS) as exporter:
            text = await debugged(exporter, url)
            again = await debugged(exporter, url)
            normal = await exporter.probe(url)
    in_order(
        text,
        "the settings of the connection are read",
        "#1 GET /nodes.json",
        "#1 a connection is made",
        "#1 resolving the name",
        "#1 localhost resolves to .*127.0.0.1.*",
        r"#1 connected to 127\.0\.0\.1 port \d+",
        "#1 the connection is ready",
        r"#1 TLSv1\.3, TLS_\w+",
        "#1 the request is sent",
        "#1 first bytes of the answer: status 200",
        r"#1 done, the body has \d{3,} bytes",
        "decoding the body",
        "the node list has 3 devices, 3 of them are shown",
        r"#\d GET /node/fetch/.+",
        "configurations: 3 of 3 are had, 0 requests failed",
        "requests in all: fetch, success: 3",
        "requests in all: nodes, success: 1",
        "requests in all: stats, success: 1",
    )
    in_order(text, r"#\d GET /nodes/stats", r"#\d done, the body has \d+ bytes", "the statistics page is read")
    in_order(text, "configurations: 0 are remembered, 3 are to be asked for, 0 are skipped")
    in_order(again, "configurations: 3 are remembered, 0 are to be asked for, 0 are skipped")
    assert f"\nTarget {url}: success\n" in text
    assert "\n    collectors:\n    - nodes\n    - configs\n    - stats\n" in text
    assert (
        f"\nConnection:\n\nconnections:\n- targets:\n  - https://localhost:*\n  tls_config:\n    ca_file: {tmp_path}"
        in text
    )
    metrics = Exposition.parse(text.partition("Metrics that would have been returned:\n\n")[2])
    assert metrics.samples.keys() == normal.samples.keys()


async def test_a_retry_tells_its_reason(exporter: Probing) -> None:
    app = create_app(Daemon(fleet(2)))
    app[FAULTS].switch_on(Fault.UNAVAILABLE, requests=1)
    async with running(app) as url:
        text = await debugged(exporter, url)
    in_order(
        text,
        "#1 first bytes of the answer: status 503",
        "#1 failed, http_status: the answer was 503",
        r"attempt 1 of 3 failed; the next in \d\.\d{3} s",
        "#2 GET /nodes.json",
        "#2 on a connection that was open already",
        "#2 first bytes of the answer: status 200",
        "requests in all: nodes, http_status: 1",
    )


async def test_a_redirect_that_is_followed_and_one_that_is_not(exporter: Probing) -> None:
    def lead(line: str) -> bytes:
        return redirect("/t0ken/nodes.json") if line == "GET /nodes.json HTTP/1.1" else EMPTY_LIST

    async with recording(answer=lead) as instance:
        refused = await debugged(exporter, instance.url)
        async with running_exporter(config=connecting(follow_redirects=True), settings=SETTINGS) as following:
            followed = await debugged(following, instance.url)
    in_order(
        followed,
        "#1 first bytes of the answer: status 302",
        "#1 the redirect is followed: it stays with this origin and this route",
        "#2 GET /nodes.json",
        "#2 first bytes of the answer: status 200",
    )
    in_order(refused, r"#1 failed, redirect: the answer was a redirect \(302\), which is not followed")
    assert "t0ken" not in followed + refused


class Names(AbstractResolver):
    """Resolves every name to the same addresses, or to none for ever."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        assert family == socket.AF_UNSPEC
        if not self._addresses:
            await asyncio.Event().wait()
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
            for address in self._addresses
        ]

    async def close(self) -> None:
        pass


async def test_a_refused_address_is_told_with_all_that_the_name_stands_for() -> None:
    names = Names("10.0.0.1", "169.254.169.254")
    async with running_exporter(settings=SETTINGS, resolver=names) as exporter:
        text = await debugged(exporter, "http://a.test")
    in_order(
        text,
        r"#1 a\.test resolves to 10\.0\.0\.1, 169\.254\.169\.254",
        r"#1 failed, target_denied: a\.test resolves to 169\.254\.169\.254, a link-local address, .*",
        "collector nodes failed, target_denied: .*",
    )
    assert "connected" not in text


async def test_a_port_where_nothing_listens(exporter: Probing) -> None:
    text = await debugged(exporter, "http://127.0.0.1:1")
    in_order(
        text,
        r"#1 127\.0\.0\.1 port 1: Connection refused",
        "#1 failed, connect: no connection: Connection refused",
        "collector nodes failed, connect: no connection: Connection refused",
        "requests in all: nodes, connect: 1",
    )


@pytest.mark.parametrize(
    "configured, said",
    [
        (
            {},
            (
                "neither targets nor access.allow are configured, so every URL is",
                "any, but the ones that are never asked",
            ),
        ),
        ({"access": Access(allow=(TargetPattern.parse("http://*.test"),))}, ("access.allow lists it", "any, but")),
        (
            {
                "access": Access(
                    allow=(NetworkPattern.parse("10.0.0.0/8"),), deny=(NetworkPattern.parse("10.1.0.0/16"),)
                )
            },
            (
                "its name may stand for an address that access.allow lists",
                "those in 10.0.0.0/8, but the ones that are never asked, 10.1.0.0/16",
            ),
        ),
        (
            {"targets": {"eu": TargetEntry(name="eu", target=parse_target("http://a.test"))}},
            ("it is the configured target eu", "any, but"),
        ),
        (
            {
                "connections": (
                    Connection(targets=(TargetPattern.parse("http://a.test"),), proxy_url="http://127.0.0.1:1"),
                )
            },
            ("neither targets", "those of the proxy, all but the ones that are never asked"),
        ),
    ],
    ids=["all", "url", "network", "target", "proxy"],
)
async def test_what_allowed_the_target_is_told(configured: dict[str, Any], said: tuple[str, str]) -> None:
    async with running_exporter(
        config=Config(**configured), settings=SETTINGS, resolver=Names("127.0.0.2")
    ) as exporter:
        text = await debugged(exporter, "http://a.test")
    allowed, addresses = said
    assert f"\nAllowed: {allowed}" in text
    assert f"\nAddresses: {addresses}" in text


@pytest.mark.parametrize(
    "header, limit, offset, said",
    [
        (None, None, 0.5, "10 s (the default, since no X-Prometheus-Scrape-Timeout-Seconds was sent)"),
        (None, 3.0, 0.5, "3 s (the timeout of the module, since no X-Prometheus-Scrape-Timeout-Seconds was sent)"),
        (
            8.0,
            None,
            0.5,
            "7.5 s (X-Prometheus-Scrape-Timeout-Seconds was 8 s, of which --timeout-offset (0.5 s) is taken off)",
        ),
        (
            8.0,
            30.0,
            0.5,
            "7.5 s (X-Prometheus-Scrape-Timeout-Seconds was 8 s, of which --timeout-offset (0.5 s) is taken off)",
        ),
        (
            0.5,
            30.0,
            0.75,
            (
                "0.25 s (X-Prometheus-Scrape-Timeout-Seconds was 0.5 s, of which a half is left, "
                "since --timeout-offset (0.75 s) is no less)"
            ),
        ),
        (8.0, 3.0, 0.5, "3 s (the timeout of the module; X-Prometheus-Scrape-Timeout-Seconds was 8 s)"),
    ],
)
async def test_which_time_there_was(header: float | None, limit: float | None, offset: float, said: str) -> None:
    config = Config(modules={"default": Module(name="default", timeout=limit)})
    async with running_exporter(config=config, settings=replace(SETTINGS, timeout_offset=offset)) as exporter:
        assert (await debugged(exporter, "http://127.0.0.1:1", seconds=header)).startswith(f"Time: {said}")


async def a_hanging_credential(_stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch) -> tuple[Config, str]:
    async def read(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("oxidized_exporter.oxidized.request_settings.SettingsReader.read", read)
    return Config(), "http://127.0.0.1:1"


async def a_hanging_name(_stack: AsyncExitStack, _monkeypatch: pytest.MonkeyPatch) -> tuple[Config, str]:
    return Config(), "http://a.test"


async def a_port_that_drops(stack: AsyncExitStack, _monkeypatch: pytest.MonkeyPatch) -> tuple[Config, str]:
    if sys.platform != "linux":
        pytest.skip("others answer where a queue is full")
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    stack.enter_context(
        socket.create_connection(listener.getsockname())
    )  # nobody accepts it, and there is no more room
    return Config(), f"http://127.0.0.1:{listener.getsockname()[1]}"


async def a_port_without_tls(stack: AsyncExitStack, _monkeypatch: pytest.MonkeyPatch) -> tuple[Config, str]:
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    return Config(), f"https://127.0.0.1:{listener.getsockname()[1]}"


def an_instance(fault: Fault, path: str = "", **modules: Module) -> Callable[..., Any]:
    async def start(stack: AsyncExitStack, _monkeypatch: pytest.MonkeyPatch) -> tuple[Config, str]:
        app = create_app(Daemon(fleet(2)))
        app[FAULTS].switch_on(fault, path=path)
        return Config(modules=modules or {"default": Module(name="default")}), await stack.enter_async_context(
            running(app)
        )

    return start


async def a_slow_decoding(stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch) -> tuple[Config, str]:
    go_on = threading.Event()
    stack.callback(go_on.set)

    def slow(*args: Any, **settings: Any) -> Any:
        go_on.wait(60)
        return collect_nodes(*args, **settings)

    monkeypatch.setattr("oxidized_exporter.scrape.scraping.collect_nodes", slow)
    return Config(), await stack.enter_async_context(running(create_app(Daemon(fleet(2)))))


@pytest.mark.parametrize(
    "start, said",
    [
        (a_hanging_credential, ["the time is over, while reading its credentials"]),
        (a_hanging_name, ["the time is over, while resolving the name", "#1 cut off while resolving the name"]),
        (a_port_that_drops, ["the time is over, while connecting", "#1 cut off while connecting"]),
        (
            a_port_without_tls,
            [
                "#1 connected to .*",
                "the time is over, while .*",
                "#1 cut off while waiting for TLS, or for the proxy, .*",
            ],
        ),
        (an_instance(Fault.HANG_BEFORE_HEADERS), ["the time is over, .*", "#1 cut off while waiting for an answer"]),
        (an_instance(Fault.HANG_IN_BODY), ["the time is over, .*", "#1 cut off while reading the body"]),
        (a_slow_decoding, ["#1 done, .*", "decoding the body", "the time is over, while decoding the body"]),
        (
            an_instance(Fault.HANG_BEFORE_HEADERS, "/node/fetch", **ALL),
            [
                "#2 GET .*",
                "the time is over, .*",
                r"#\d cut off while waiting .*",
                "requests in all: fetch, timeout: 2",
            ],
        ),
    ],
    ids=["prepare", "resolve", "connect", "tls", "answer", "body", "decode", "configs"],
)
async def test_a_time_out_says_where_it_stood(
    start: Callable[..., Any], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncExitStack() as stack:
        config, url = await start(stack, monkeypatch)
        exporter = await stack.enter_async_context(running_exporter(config=config, settings=SETTINGS, resolver=Names()))
        in_order(await debugged(exporter, url, seconds=0.3), *said)


KINDS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "password": lambda _: {"basic_auth": BasicAuth(username="me", password=S3CR3T)},
    "password_file": lambda file: {"basic_auth": BasicAuth(username="me", password_file=file)},
    "username_file": lambda file: {"basic_auth": BasicAuth(username_file=file, password=S3CR3T)},
    "credentials": lambda _: {"authorization": Authorization(credentials=S3CR3T)},
    "credentials_file": lambda file: {"authorization": Authorization(credentials_file=file)},
    "header": lambda _: {"http_headers": {"X-Token": HttpHeader(values=(S3CR3T,))}},
    "secret_header": lambda _: {"http_headers": {"X-Token": HttpHeader(secrets=(S3CR3T,))}},
    "header_file": lambda file: {"http_headers": {"X-Token": HttpHeader(files=(file,))}},
}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_configured_secret_is_sent_and_not_shown(kind: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("s3cr3t")
    async with recording() as instance:
        config = connecting(**KINDS[kind](tmp_path / "file"))
        async with running_exporter(config=config, settings=SETTINGS) as exporter:
            text = await debugged(exporter, instance.url)
    [head] = instance.heads
    values = re.findall(r"^(?:Authorization|X-Token): (?:\w+ )?(\S+)", head, re.MULTILINE)
    assert len(values) == 1  # in base64, with basic_auth
    assert not re.search("s3cr3t|" + re.escape(values[0]), text)
    assert ("<secret>" in text) != (kind in {"password_file", "credentials_file", "header_file"})


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nX-S3cr3t: s3cr3t\r\nSet-Cookie: s3cr3t=s3cr3t\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ns3cr3t",
        b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"s3cr3t":1}',
        b"HTTP/1.1 500 s3cr3t\r\nContent-Length: 6\r\n\r\ns3cr3t",
        b"HTTP/1.1 401 s3cr3t\r\nWWW-Authenticate: s3cr3t\r\nContent-Length: 6\r\n\r\ns3cr3t",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/s3cr3t\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /s3cr3t\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ns3cr3t s3cr3t\r\n\r\n",
        b"s3cr3t\r\n\r\n",
    ],
)
async def test_nothing_of_an_answer_is_shown_but_its_status(answer: bytes) -> None:
    async with (
        recording(answer=lambda _line: answer) as instance,
        running_exporter(config=connecting(follow_redirects=True), settings=SETTINGS) as exporter,
    ):
        text = await debugged(exporter, instance.url)
    assert "s3cr3t" not in text.lower()
    assert "#1 " in text


async def test_variables_of_devices_are_not_shown(exporter: Probing) -> None:
    device = Device(name="sw1", group="g", vars={"enable": "s3cr3t"})
    async with running(create_app(Daemon([device]))) as url:
        text = await debugged(exporter, url)
    assert "oxidized_devices_exposing_secrets 1.0" in text
    assert "s3cr3t" not in text


async def test_user_information_of_a_target_is_refused_and_not_repeated(exporter: Probing) -> None:
    response = await exporter.get("/probe?target=http://me:s3cr3t@127.0.0.1:1&debug=true")
    assert response.status == 400
    assert "s3cr3t" not in await response.text()


async def test_of_thousands_of_requests_the_first_are_told_and_the_rest_counted() -> None:
    app = create_app(Daemon(fleet(2000)))
    async with running(app) as url, running_exporter(config=Config(modules=ALL), settings=SETTINGS) as exporter:
        text = await debugged(exporter, url)
    told = steps(text)
    assert len(told) < 200
    assert max(int(step.partition(" ")[0][1:]) for step in told if step.startswith("#")) == 20
    in_order(text, "#20 GET .*", "requests in all: fetch, success: 2000", r"\d{4,} more steps are not shown")


async def test_of_those_behind_the_first_some_that_fail_are_told() -> None:
    app = create_app(Daemon([Device(name=f"sw{number}", group="g") for number in range(120)]))
    app[FAULTS].switch_on(Fault.SERVER_ERROR, path="/node/fetch")
    async with running(app) as url, running_exporter(config=Config(modules=ALL), settings=SETTINGS) as exporter:
        text = await debugged(exporter, url)
    in_order(
        text,
        "#20 GET .*",
        r"#2\d /node/fetch/g/sw\d+ ended: http_status",
        ".* 2\\d requests failed, nothing more is asked",
    )


async def test_several_targets_have_steps_each(exporter: Probing) -> None:
    async with running(create_app(Daemon(fleet(2)))) as url:
        text = await debugged(exporter, url, "http://127.0.0.1:1")
    assert f"\nTarget {url}: success\n" in text
    assert "\nTarget http://127.0.0.1:1: failed, connect: no connection: Connection refused\n" in text
    assert text.count("#1 GET /nodes.json") == 2
    assert f'oxidized_status{{target="{url}"}} 1.0' in text


async def test_a_connection_of_several_targets_is_shown_once() -> None:
    async with (
        running(create_app(Daemon(fleet(2)))) as url,
        running_exporter(
            config=connecting(basic_auth=BasicAuth(username="me", password=S3CR3T)), settings=SETTINGS
        ) as one,
    ):
        text = await debugged(one, url, "http://127.0.0.1:1")
    assert text.count("\n- targets:\n") == 1
    assert text.count("username: me\n") == 1


async def test_it_is_counted_and_logged_as_any_probe(exporter: Probing, capsys: pytest.CaptureFixture[str]) -> None:
    await debugged(exporter, "http://127.0.0.1:1")
    [line] = capsys.readouterr().out.splitlines()
    assert "probe failed" in line
    assert "reason=connect" in line
    own = Exposition.parse(await (await exporter.get("/metrics")).text())
    assert own.value("oxidized_exporter_probes_total", module="default", result="connect") == 1


async def test_it_asks_for_itself_and_changes_nothing_for_a_probe_under_way(exporter: Probing) -> None:
    app = create_app(Daemon(fleet(2)))
    app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS, requests=1)
    async with running(app) as url:
        waiting = asyncio.create_task(exporter.probe(url, timeout_seconds=60))
        await app[HELD].count_is(1)
        text = await debugged(exporter, url)
        assert f"Target {url}: success" in text
        assert not waiting.done()
        assert len(app[REQUESTS]) == 2
        joining = asyncio.create_task(exporter.probe(url, timeout_seconds=0.2))
        assert (await joining).reason() == "timeout"
        own = Exposition.parse(await (await exporter.get("/metrics")).text())
        assert own.value("oxidized_exporter_probes_coalesced_total") == 1
        assert len(app[REQUESTS]) == 2
        waiting.cancel()
        await app[HELD].count_is(0)


async def test_a_caller_who_leaves_ends_it(exporter: Probing) -> None:
    app = create_app(Daemon(fleet(2)))
    app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS)
    async with running(app) as url:
        leaving = asyncio.create_task(debugged(exporter, url, seconds=60))
        await app[HELD].count_is(1)
        leaving.cancel()
        await app[HELD].count_is(0)


async def test_other_probes_have_nothing_of_it() -> None:
    async with open_session(resolver=Names(), journal=Journal(), connections=1) as session:
        assert session.trace_configs == []
