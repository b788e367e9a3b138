"""Which targets ``/probe`` reaches, over real sockets: a name server, and instances that write down who asks what."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import pytest

from oxidized_exporter.config import Access, BasicAuth, Config, Connection, Secret, TargetEntry
from oxidized_exporter.targets.pattern import TargetPattern, parse_access_pattern
from oxidized_exporter.targets.url import parse_target
from tests.harness import Exposition, Probing, running_exporter
from tests.name_server import NameServer, name_server
from tests.recorder import EMPTY_LIST, UNAVAILABLE, Recorder, recording, redirect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

LOOPBACK: Final = "127.0.0.1"
OTHER: Final = "127.0.0.2"  # as near, but outside of what the tests allow
LONG: Final = 20  # seconds of scrape time-out where nothing should take long


def configured(
    *connections: Connection,
    targets: Mapping[str, str] | None = None,
    allow: Iterable[str] = (),
    deny: Iterable[str] = (),
) -> Config:
    return Config(
        connections=connections,
        targets={name: TargetEntry(name=name, target=parse_target(url)) for name, url in (targets or {}).items()},
        access=Access(allow=tuple(map(parse_access_pattern, allow)), deny=tuple(map(parse_access_pattern, deny))),
    )


def connection(*patterns: str, proxy_url: str | None = None, follow_redirects: bool = False) -> Connection:
    return Connection(
        targets=tuple(map(TargetPattern.parse, patterns)),
        basic_auth=BasicAuth(username="prometheus", password=Secret("s3cr3t")),
        proxy_url=proxy_url,
        follow_redirects=follow_redirects,
    )


@asynccontextmanager
async def exporter_at(names: Mapping[str, Sequence[str]], config: Config) -> AsyncIterator[tuple[Probing, NameServer]]:
    """Run an exporter that resolves at a name server of these names."""
    async with name_server(names) as (resolver, server), running_exporter(config=config, resolver=resolver) as probing:
        yield probing, server


async def status_of(exporter: Probing, *targets: str) -> tuple[int, str]:
    async with exporter.session.get("/probe", params=[("target", target) for target in targets]) as response:
        return response.status, (await response.text()).strip()


@pytest.mark.parametrize(
    "target",
    [
        "http://other.test:8888",
        "http://named.test:8889",
        "https://named.test:8888",
        "http://named.test:8888/below",
        "http://a.b.listed.test:8888",
        "http://a.listed.test",
        "http://127.0.0.1:8888",
        "http://2130706433:8888",
        "http://[::ffff:127.0.0.1]:8888",
        "http://denied.listed.test:8888",
    ],
)
async def test_what_is_not_allowed_is_403_and_no_name_server_hears_of_it(target: str) -> None:
    config = configured(
        targets={"named": "http://named.test:8888"},
        allow=["http://*.listed.test:8888"],
        deny=["http://denied.listed.test:*"],
    )
    async with exporter_at({}, config) as (exporter, server):
        status, text = await status_of(exporter, target)
        assert status == 403
        assert text.startswith(("target: is refused by access.deny", "target: is neither a configured target"))
        assert target not in text
        assert server.asked == []


async def test_one_target_that_is_not_allowed_refuses_all_before_any_is_asked() -> None:
    async with recording() as instance:
        config = configured(targets={"eu-west": instance.url})
        async with exporter_at({}, config) as (exporter, server):
            status, text = await status_of(exporter, "eu-west", "http://other.test")
            assert (status, text[:14]) == (403, "target 2 of 2:")
            assert server.asked == instance.lines == []


async def test_a_configured_target_goes_by_its_name_and_by_its_url() -> None:
    """Whatever the lists say: the file itself is refused where access.deny names one of its targets."""
    async with recording() as instance:
        config = configured(targets={"eu-west": f"{instance.url}/eu"}, allow=["http://other.test"])
        async with exporter_at({}, config) as (exporter, _):
            for target in ("eu-west", f"{instance.url}/eu", f"127.1:{instance.port}/eu/"):
                answer = await exporter.probe(target, timeout_seconds=LONG)
                assert answer.value("oxidized_status") == 1
            assert (await status_of(exporter, instance.url))[0] == 403
    assert instance.lines == ["GET /eu/nodes.json HTTP/1.1"] * 3


@pytest.mark.parametrize("allow", ["http://*.listed.test:*", "127.0.0.0/8", "127.0.0.1"])
@pytest.mark.parametrize("addresses", [[LOOPBACK], ["::ffff:7f00:1"]])
async def test_a_name_is_allowed_by_a_url_or_by_the_network_of_its_addresses(
    allow: str, addresses: Sequence[str]
) -> None:
    async with (
        recording() as instance,
        exporter_at({"a.listed.test": addresses}, configured(allow=[allow])) as (exporter, _),
    ):
        answer = await exporter.probe(f"http://a.listed.test:{instance.port}", timeout_seconds=LONG)
    assert answer.value("oxidized_status") == 1
    assert instance.lines == ["GET /nodes.json HTTP/1.1"]


@pytest.mark.parametrize(
    "allow,deny,addresses",
    [
        (["127.0.0.1"], [], [OTHER]),
        (["127.0.0.1"], [], [LOOPBACK, OTHER]),
        (["127.0.0.1"], [], [OTHER, LOOPBACK]),
        (["127.0.0.1"], [], [LOOPBACK, "::1"]),
        (["127.0.0.1"], [], ["::ffff:7f00:2"]),
        (["127.0.0.1"], [], ["64:ff9b::7f00:2"]),
        (["::1"], [], ["::ffff:7f00:1"]),
        (["http://a.test:*"], [OTHER], [OTHER]),
        (["http://a.test:*"], [OTHER], [LOOPBACK, OTHER]),
        (["http://a.test:*"], [OTHER], ["::ffff:7f00:2"]),
        (["http://a.test:*"], [OTHER], ["64:ff9b::7f00:2"]),
        ([], [OTHER], [OTHER]),
        (["http://a.test:*"], [], [LOOPBACK, "169.254.169.254"]),
        (["0.0.0.0/0", "::/0"], [], ["::ffff:a9fe:a9fe"]),
        (["0.0.0.0/0", "::/0"], [], ["64:ff9b::a9fe:a9fe"]),
    ],
)
async def test_a_name_of_which_one_address_is_refused_is_denied_and_nobody_is_asked(
    allow: Sequence[str], deny: Sequence[str], addresses: Sequence[str]
) -> None:
    async with (
        recording() as allowed,
        recording(host=OTHER, port=allowed.port) as other,
        exporter_at({"a.test": addresses}, configured(allow=allow, deny=deny)) as (exporter, _),
    ):
        answer = await exporter.probe(f"http://a.test:{allowed.port}", timeout_seconds=LONG)
        own = Exposition.parse(await (await exporter.get("/metrics")).text())
    assert answer.reason() == "target_denied"
    assert answer.value("oxidized_status") == 0
    assert allowed.heads == other.heads == []
    assert own.value("oxidized_exporter_probes_total", module="default", result="target_denied") == 1


class Rebinding(dict[str, list[str]]):
    """Gives one answer to the first resolution (two queries: A and AAAA), another one to all later ones."""

    def __init__(self, name: str, *, first: str, later: str) -> None:
        super().__init__({name: [first]})
        self._later = later
        self._queries = 0

    def get(self, name: str, _default: object = None) -> list[str]:
        self._queries += 1
        return self[name] if self._queries <= 2 else [self._later]


@pytest.mark.parametrize("later", [OTHER, "169.254.169.254"])
async def test_an_answer_that_changes_after_it_was_judged_leads_nowhere_else(later: str) -> None:
    async with (
        recording() as allowed,
        recording(host=OTHER, port=allowed.port) as other,
        exporter_at(Rebinding("a.test", first=LOOPBACK, later=later), configured(allow=[LOOPBACK])) as (
            exporter,
            server,
        ),
    ):
        target = f"http://a.test:{allowed.port}"
        answer = await exporter.probe(target, timeout_seconds=LONG)
        assert server.asked == ["a.test", "a.test"]  # A and AAAA, once: nothing resolves a second time
        assert answer.value("oxidized_status") == 1
        assert (await exporter.probe(target, timeout_seconds=LONG)).reason() == "target_denied"
    assert len(allowed.heads) == 1
    assert other.heads == []


async def test_a_name_that_was_refused_is_judged_anew_in_the_next_probe() -> None:
    names = Rebinding("a.test", first="169.254.169.254", later=LOOPBACK)
    async with recording() as allowed, exporter_at(names, configured(allow=[LOOPBACK])) as (exporter, _):
        target = f"http://a.test:{allowed.port}"
        assert (await exporter.probe(target, timeout_seconds=LONG)).reason() == "target_denied"
        assert allowed.heads == []
        assert (await exporter.probe(target, timeout_seconds=LONG)).value("oxidized_status") == 1


@pytest.mark.parametrize("answer", [UNAVAILABLE, redirect("/nodes.json")])
async def test_each_further_connection_of_a_probe_is_judged_anew(answer: bytes) -> None:
    """Of a second attempt as of a redirect: the name has turned to another address by then."""
    names = Rebinding("a.test", first=LOOPBACK, later=OTHER)
    async with (
        recording(answer=lambda _line: answer) as allowed,
        recording(host=OTHER, port=allowed.port) as other,
        exporter_at(names, configured(connection("http://a.test:*", follow_redirects=True), allow=[LOOPBACK])) as (
            exporter,
            _,
        ),
    ):
        probed = await exporter.probe(f"http://a.test:{allowed.port}", timeout_seconds=LONG)
    assert probed.reason() == "target_denied"
    assert len(allowed.heads) == 1
    assert other.heads == []


async def test_with_a_proxy_only_the_text_counts() -> None:
    async with recording() as proxy:
        config = configured(
            connection("http://a.test:*", "http://b.test:*", proxy_url=f"http://proxy.test:{proxy.port}"),
            allow=["http://a.test:8888", "10.0.0.0/8"],
            deny=[LOOPBACK],
        )
        async with exporter_at({"proxy.test": [LOOPBACK], "a.test": [OTHER]}, config) as (exporter, server):
            answer = await exporter.probe("http://a.test:8888", timeout_seconds=LONG)
            assert answer.value("oxidized_status") == 1
            assert set(server.asked) == {"proxy.test"}
            status, text = await status_of(exporter, "http://b.test:8888")
            assert (status, "list its URL" in text) == (403, True)
    assert proxy.lines == ["GET http://a.test:8888/nodes.json HTTP/1.1"]


async def test_a_proxy_gets_no_credentials_of_what_it_only_passes_on() -> None:
    async with recording() as proxy:
        config = configured(connection("https://a.test", proxy_url=proxy.url))
        async with exporter_at({}, config) as (exporter, _):
            await exporter.probe("https://a.test", timeout_seconds=LONG)
    assert set(proxy.lines) == {"CONNECT a.test:443 HTTP/1.1"}
    assert not any(authorizations(proxy))


async def test_a_proxy_is_never_sought_at_a_forbidden_address() -> None:
    config = configured(connection("http://a.test", proxy_url="http://proxy.test"))
    async with exporter_at({"proxy.test": ["169.254.169.254"]}, config) as (exporter, _):
        assert (await exporter.probe("http://a.test", timeout_seconds=LONG)).reason() == "target_denied"


async def test_refusals_are_counted_and_logged_without_what_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    async with exporter_at({}, configured(allow=["http://a.test"])) as (exporter, _):
        for target in ("http://b.test/s3cr3t-token", "http://169.254.169.254/s3cr3t-token"):
            status, text = await status_of(exporter, target)
            assert (status, "s3cr3t" in text) == (403, False)
        status, text = await status_of(exporter, "http://user:s3cr3t@a.test")
        assert (status, "s3cr3t" in text) == (400, False)
        own = Exposition.parse(await (await exporter.get("/metrics")).text())
    assert own.value("oxidized_exporter_probes_rejected_total", reason="forbidden_target") == 2
    assert own.value("oxidized_exporter_probes_rejected_total", reason="bad_parameter") == 1
    assert "s3cr3t" not in own.text
    logged = capsys.readouterr().out
    assert logged.count("target refused") == 2
    assert "s3cr3t" not in logged


def authorizations(instance: Recorder) -> list[bool]:
    return ["\r\nauthorization:" in head.lower() for head in instance.heads]


@pytest.mark.parametrize(
    "pattern,prefix,sent",
    [
        ("http://127.0.0.1:{port}", "", True),
        ("http://127.0.0.1:{port}/oxidized", "/oxidized/eu", True),
        ("http://127.0.0.1:{port}/oxidized", "/oxidized2", False),
        ("http://127.0.0.1:{port}/oxidized", "", False),
        ("http://127.0.0.1", "", False),
        ("https://127.0.0.1:{port}", "", False),
        ("http://127.0.0.2:{port}", "", False),
        ("http://*.test:{port}", "", False),
    ],
)
async def test_credentials_go_only_to_what_their_connection_matches(pattern: str, prefix: str, *, sent: bool) -> None:
    async with recording() as instance:
        config = configured(connection(pattern.format(port=instance.port)))
        async with exporter_at({}, config) as (exporter, _):
            answer = await exporter.probe(f"{instance.url}{prefix}", timeout_seconds=LONG)
    assert answer.value("oxidized_status") == 1
    assert authorizations(instance) == [sent]


async def test_of_several_targets_only_the_one_that_matches_gets_the_credentials() -> None:
    async with recording() as mine, recording(host=OTHER) as strange:
        config = configured(connection(mine.url))
        async with exporter_at({}, config) as (exporter, _):
            await exporter.probe(mine.url, strange.url, timeout_seconds=LONG)
    assert (authorizations(mine), authorizations(strange)) == ([True], [False])


@pytest.mark.parametrize(
    "location", ["http://127.0.0.2:{port}/nodes.json", "//127.0.0.2:{port}/nodes.json", "/elsewhere/nodes.json"]
)
async def test_a_redirect_takes_no_credentials_elsewhere(location: str) -> None:
    def lead(line: str) -> bytes:
        return redirect(location.format(port=mine.port)) if "/mine/" in line else EMPTY_LIST

    async with recording(answer=lead) as mine, recording(host=OTHER, port=mine.port) as strange:
        config = configured(connection(f"{mine.url}/mine", f"{strange.url}/", follow_redirects=True))
        async with exporter_at({}, config) as (exporter, _):
            answer = await exporter.probe(f"{mine.url}/mine", timeout_seconds=LONG)
    assert answer.reason() == "redirect"
    assert mine.lines == ["GET /mine/nodes.json HTTP/1.1"]
    assert strange.heads == []
