"""No target, module or redirect makes the exporter ask for anything but the node list of an allowed host.

What is asked is written down byte for byte and judged as Oxidized reads it: its Rack decodes percent-escapes, turns
backslashes into slashes and resolves dot segments before it routes.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from yarl import URL

from oxidized_exporter.config import Access, Config, Limits
from oxidized_exporter.targets.pattern import parse_access_pattern
from tests.harness import Probing, connecting, running_exporter
from tests.name_server import name_server
from tests.recorder import EMPTY_LIST, TLS, Recorder, recording, redirect

OTHER: Final = "127.0.0.2"  # where nobody may be asked
ROUTE: Final = "/nodes.json"
_CHANGES_STATE: Final = re.compile(r"/reload[^/]*$|/node/next/.")  # below any prefix, which a proxy may take off


def as_rack_reads(path: str) -> str:
    """Return the path that Oxidized routes by."""
    segments: list[str] = []
    for segment in unquote(path.partition("?")[0], encoding="latin-1").replace("\\", "/").split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in {"", "."}:
            segments.append(segment)
    return "/" + "/".join(segments)


@pytest.mark.parametrize(
    "path,read",
    [
        ("/nodes.json", "/nodes.json"),
        ("/oxidized/nodes.json?x=/reload", "/oxidized/nodes.json"),
        ("/node/fetch/g/..%2F..%2F..%2Freload", "/reload"),
        ("/node/fetch/g/..%2F..%2Fnext%2Fsw1", "/node/next/sw1"),
        ("/x/../reload", "/reload"),
        ("/x/%2e%2E/reload", "/reload"),
        ("/x%5c..%5creload", "/reload"),
        ("/x\\..\\reload", "/reload"),
        ("/./%72eload.json", "/reload.json"),
        ("//evil/nodes.json", "/evil/nodes.json"),
        ("/../../nodes.json", "/nodes.json"),
        ("/%252e%252e/nodes.json", "/%2e%2e/nodes.json"),
    ],
)
def test_paths_are_read_as_rack_reads_them(path: str, read: str) -> None:
    assert as_rack_reads(path) == read


def require_only_a_read(line: str, *, prefix: str) -> None:
    """Judge a request line, also as it would be behind a proxy that has decoded it once."""
    method, path, version = line.split(" ")
    assert (method, version) == ("GET", "HTTP/1.1")
    assert path == prefix + ROUTE
    for read in (as_rack_reads(path), as_rack_reads(unquote(path))):
        assert read == unquote(prefix) + ROUTE
        assert not _CHANGES_STATE.search(read)


@pytest.mark.parametrize(
    "line,prefix",
    [
        ("GET /reload HTTP/1.1", ""),
        ("POST /nodes.json HTTP/1.1", ""),
        ("GET /reload.json HTTP/1.1", "/reload.json"),
        ("GET /nodes.json?x=/reload HTTP/1.1", ""),
        ("GET /other/nodes.json HTTP/1.1", "/oxidized"),
        ("GET /nodes.json HTTP/1.1", "/oxidized"),
        ("GET /node/next/nodes.json HTTP/1.1", "/node/next"),
        ("GET /a/node/next/b/nodes.json HTTP/1.1", "/a/node/next/b"),
        ("GET /a/n%6fde/next/nodes.json HTTP/1.1", "/a/n%6fde/next"),
        ("GET /x/../nodes.json HTTP/1.1", "/x/.."),
        ("GET /x/%2e%2e/nodes.json HTTP/1.1", "/x/%2e%2e"),
        ("GET /x/%252e%252e/nodes.json HTTP/1.1", "/x/%252e%252e"),
        ("GET /x%5c/nodes.json HTTP/1.1", "/x%5c"),
        ("GET http://127.0.0.1/nodes.json HTTP/1.1", ""),
        ("GET /nodes.json x HTTP/1.1", ""),
    ],
)
def test_the_judge_finds_what_is_no_read(line: str, prefix: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        require_only_a_read(line, prefix=prefix)


async def ask(exporter: Probing, query: str) -> int:
    """Probe with a query as it is written here."""
    async with exporter.session.get(URL(f"/probe?{query}", encoded=True)) as response:
        await response.read()
        return response.status


# HOST is an instance that may be asked, EVIL one that may not.
HOSTILE: Final = (
    "HOST/reload?x=",
    "HOST/reload?",
    "HOST/reload#",
    "HOST/#/../reload",
    "HOST/nodes.json?",
    "HOST/x/../reload",
    "HOST/..",
    "HOST/../",
    "HOST/./reload",
    "HOST/x/%2e%2e%2freload",
    "HOST/x/%2e%2e/reload",
    "HOST/x/.%2E/reload",
    "HOST/%2e",
    "HOST/x%2f..%2freload",
    "HOST/x%5c..%5creload",
    "HOST/x\\..\\reload",
    "HOST\\reload",
    "HOST\\@EVIL",
    "HOST//EVIL",
    "HOST//",
    "HOST/http://EVIL",
    "HOST@EVIL",
    "HOST:x@EVIL",
    "user@HOST",
    "http://EVIL@HOST",
    "HOST?@EVIL",
    "HOST#@EVIL",
    "HOST;@EVIL",
    "HOST,EVIL",
    "HOST EVIL",
    "HOST/%252e%252e/reload",
    "HOST/%252f..%252freload",
    "HOST/%25252e%25252e/reload",
    "HOST/%c0%ae%c0%ae/reload",
    "HOST/%ef%bc%8e%ef%bc%8e/reload",
    "HOST/．．/reload",  # noqa: RUF001 - full-width dots
    "HOST/x／reload",  # noqa: RUF001 - full-width slash
    "HOST/\t../reload",
    "HOST/.\t./reload",
    "HOST/\n../reload",
    "\tHOST",
    "HOST\n",
    "HOST ",
    "HOST/\r\nGET /reload HTTP/1.1\r\n\r\n",
    "HOST/ HTTP/1.1\r\nX: y",
    "HOST/%0d%0aX:%20y",
    "HOST/%0d%0a%0d%0aGET%20/reload",
    "HOST/%00",
    "HOST/%",
    "HOST/%2",
    "HOST/%u002e%u002e/reload",
    "HOST/node/next",
    "HOST/node/next/",
    "HOST/node/next/sw1",
    "HOST/oxidized/node/next",
    "HOST/node/next/group/of",
    "HOST/n%6fde/%6eext",
    "HOST/" + "a/" * 2000,
    "file://HOST/reload",
    "gopher://HOST/_GET%20/reload",
    "http:HOST",
    "http:/HOST",
    "http:///HOST",
    "//HOST/reload",
    "unix:/HOST",
    "http+unix://HOST",
)


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_hostile_target_is_refused_and_nobody_is_asked(text: str) -> None:
    """Written as a careful caller does; as a careless one does, it may be another target, which is judged."""
    async with (
        recording() as instance,
        recording(host=OTHER, port=instance.port) as evil,
        running_exporter() as exporter,
    ):
        text = text.replace("HOST", f"127.0.0.1:{instance.port}").replace("EVIL", f"{OTHER}:{instance.port}")
        assert await ask(exporter, f"target={quote(text, safe='')}") == 400
        assert instance.heads == []
        assert await ask(exporter, f"target={quote(text, safe=_AS_IT_IS)}") in {200, 400}
        for line in instance.lines:
            require_only_a_read(line, prefix=line.split(" ")[1].removesuffix(ROUTE))
        assert evil.heads == []


_AS_IT_IS: Final = "%:/?@;,=&+\\"

ODD: Final = {
    "HOST": "",
    "HOST/": "",
    "http://HOST/oxidized/": "/oxidized",
    "HOST/reload": "/reload",
    "HOST/reload.json": "/reload.json",
    "HOST/node/fetch/group": "/node/fetch/group",
    "HOST/nodes.json": "/nodes.json",
    "HOST/;": "/;",
    "HOST/..;": "/..;",
    "HOST/...": "/...",
    "HOST/a;/reload": "/a;/reload",
    "HOST/@EVIL": "/@EVIL",
    "HOST/http:/EVIL": "/http:/EVIL",
    "HOST/a%20b": "/a%20b",
    "HOST/%72eload": "/%72eload",
    "HTTP://HOST/A&b=c+d": "/A&b=c+d",
}


@pytest.mark.parametrize("text,prefix", ODD.items())
async def test_an_odd_prefix_is_asked_for_its_node_list_as_it_is(text: str, prefix: str) -> None:
    async with (
        recording() as instance,
        recording(host=OTHER, port=instance.port) as evil,
        running_exporter() as exporter,
    ):
        text, prefix = (
            part.replace("HOST", f"127.0.0.1:{instance.port}").replace("EVIL", f"{OTHER}:{instance.port}")
            for part in (text, prefix)
        )
        assert await ask(exporter, f"target={quote(text, safe='')}") == 200
        [line] = instance.lines
        require_only_a_read(line, prefix=prefix)
        assert evil.heads == []


@pytest.mark.parametrize(
    "module", ["/reload", "../reload", "default/reload", "default%0d%0aX:%20y", "%00", "default%20", "Default", ""]
)
async def test_a_hostile_module_is_refused_and_nobody_is_asked(module: str) -> None:
    async with recording() as instance, running_exporter() as exporter:
        assert await ask(exporter, f"target={instance.url}&module={module}") == 400
        assert await ask(exporter, f"target={instance.url}&collect[]=/reload") == 400
        assert await ask(exporter, f"target={instance.url}&path=/reload&method=POST") == 200
    [line] = instance.lines
    require_only_a_read(line, prefix="")


async def followed(location: str) -> tuple[Recorder, str | None]:
    """Probe an instance that leads there from its node list; return what it was asked, and why the probe failed."""
    config = connecting(follow_redirects=True)

    def lead(line: str) -> bytes:
        text = location.replace("HOST", f"127.0.0.1:{instance.port}").replace("EVIL", f"{OTHER}:{instance.port}")
        return redirect(text) if line == "GET /nodes.json HTTP/1.1" else EMPTY_LIST

    async with (
        recording(answer=lead) as instance,
        recording(host=OTHER, port=instance.port) as evil,
        running_exporter(config=config) as exporter,
    ):
        answer = await exporter.probe(instance.url)
        assert evil.heads == []
    return instance, answer.reason()


@pytest.mark.parametrize(
    "location",
    [
        "/reload",
        "/reload.json",
        "/reload?/nodes.json",
        "/reload#/nodes.json",
        "http://HOST/reload",
        "/node/next/x",
        "/node/next/nodes.json",
        "/a/node/next/b/nodes.json",
        "/%6eode/next/nodes.json",
        "/x/../reload",
        "/x/../nodes.json",
        "/x/%2e%2e/nodes.json",
        "/x/%252e%252e/nodes.json",
        "/x%2f../nodes.json",
        "/x%5c../nodes.json",
        "/x\\../nodes.json",
        "/./nodes.json",
        "\\\\EVIL/nodes.json",
        "/\\EVIL/nodes.json",
        "//EVIL/nodes.json",
        "///EVIL/nodes.json",
        "//HOST/nodes.json",
        "reload",
        "nodes.json",
        "other/nodes.json",
        "../nodes.json",
        "?x=/nodes.json",
        "#/nodes.json",
        "",
        " /other/nodes.json\t/nodes.json",
        "http://EVIL/nodes.json",
        "http://user@HOST/nodes.json",
        "http://HOST@EVIL/nodes.json",
        "http://EVIL\\@HOST/nodes.json",
        "http://localhost:1/nodes.json",
        "http://127.0.0.1:1/nodes.json",
        "http://127.0.0.1/nodes.json",
        "https://HOST/nodes.json",
        "ftp://HOST/nodes.json",
        "file:///nodes.json",
        "javascript://HOST/nodes.json",
        "http:/nodes.json",
        "/other\r\nLocation: /x/nodes.json",
        "/é/nodes.json",
        "/．．/nodes.json",  # noqa: RUF001 - full-width dots
        "/" + "a" * 3000 + "/nodes.json",
    ],
)
async def test_a_hostile_redirect_is_not_followed(location: str) -> None:
    instance, reason = await followed(location)
    assert instance.lines == ["GET /nodes.json HTTP/1.1"]
    assert reason == "redirect"


@pytest.mark.parametrize("host", ["169.254.169.254", "0xa9fea9fe", "[::ffff:a9fe:a9fe]", "[fe80::1]", "0"])
async def test_a_redirect_to_a_forbidden_address_is_denied(host: str) -> None:
    instance, reason = await followed(f"http://{host}/nodes.json")
    assert instance.lines == ["GET /nodes.json HTTP/1.1"]
    assert reason == "target_denied"


@pytest.mark.parametrize(
    "location", ["/other/nodes.json", "http://HOST/other/nodes.json", "HTTP://HOST/other/nodes.json"]
)
async def test_a_redirect_to_the_node_list_of_another_prefix_is_followed(location: str) -> None:
    instance, reason = await followed(location)
    assert reason is None
    for line, prefix in zip(instance.lines, ["", "/other"], strict=True):
        require_only_a_read(line, prefix=prefix)


async def test_redirects_in_a_circle_or_without_end_are_given_up() -> None:
    def circle(_line: str) -> bytes:
        return redirect("/nodes.json")

    def on(line: str) -> bytes:
        return redirect(f"/x{line.split(' ')[1]}")

    for lead in (circle, on):
        async with (
            recording(answer=lead) as instance,
            running_exporter(config=connecting(follow_redirects=True)) as exporter,
        ):
            answer = await exporter.probe(instance.url)
        assert answer.reason() == "redirect"
        assert len(instance.lines) <= 6
        for line in instance.lines:
            require_only_a_read(line, prefix=line.split(" ")[1].removesuffix(ROUTE))


_HOSTS: Final = """
    127.0.0.1:PORT 127.0.0.2:PORT 127.1:PORT 127.2:PORT 2130706434:PORT [::ffff:127.0.0.1]:PORT [::ffff:127.0.0.2]:PORT
    in.test:PORT in.test.:PORT out.test:PORT both.test:PORT denied.test:PORT 127.0.0.1
"""
_PATHS: Final = r"""
    / / / // \ . .. %2e %2E%2e %2f %5c %252e %00 %0d%0a ? # ; @ : & = a oxidized reload node/next nodes.json %6e %
"""
_PIECES: Final = st.sampled_from(
    [*_PATHS.split(), *_HOSTS.split(), "http://", "https://", "user@", "\n", "\t", " ", "．"]  # noqa: RUF001 - full-width dots
)
_URLS: Final = st.builds(
    "{}{}{}".format,
    st.sampled_from(["http://", "http://", "HTTP://", "https://", "", "//", "http:"]),
    st.sampled_from(_HOSTS.split()),
    st.lists(_PIECES, max_size=6).map("".join),
)


@given(_URLS | st.lists(_PIECES, max_size=8).map("".join))
@example("http://127.0.0.1:PORT/oxidized")
@example("in.test:PORT")
@example("http://127.0.0.1:PORT/node/next/sw1")
@example("http://127.0.0.1:PORT@127.0.0.2:PORT")
@example("http://both.test:PORT")
@settings(max_examples=250)
async def test_no_target_reaches_a_host_outside_the_allowed_or_asks_for_another_path(text: str) -> None:
    names = {
        "in.test": ["127.0.0.1"],
        "out.test": [OTHER],
        "both.test": ["127.0.0.1", OTHER],
        "denied.test": ["127.0.0.1"],
    }
    async with recording() as inside, recording(host=OTHER, port=inside.port) as outside:
        text = text.replace("PORT", str(inside.port))
        config = Config(
            access=Access(
                allow=tuple(map(parse_access_pattern, ["127.0.0.1", f"http://127.0.0.1:{inside.port}/oxidized"])),
                deny=(parse_access_pattern("http://denied.test:*"),),
            ),
            limits=Limits(attempts=1),
        )
        async with (
            name_server(names) as (resolver, _),
            running_exporter(config=config, resolver=resolver) as exporter,
        ):
            assert await ask(exporter, f"target={quote(text, safe='')}") in {200, 400, 403}
        assert outside.heads == []
        for head in inside.heads:
            if head != TLS:
                prefix = urlsplit(text if "://" in text else f"http://{text}").path.removesuffix("/")
                require_only_a_read(head.partition("\r\n")[0], prefix=prefix)
                assert "\r\nHost: denied.test" not in head
