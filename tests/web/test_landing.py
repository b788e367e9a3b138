"""The landing page: what it shows, that nothing in it is more than text, and that its policy lets it be as it is."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode
from yarl import URL

from oxidized_exporter import __version__
from oxidized_exporter.config import Access, Config, Module, SingleInstance, TargetEntry, load_config
from oxidized_exporter.targets.pattern import parse_access_pattern
from oxidized_exporter.targets.url import parse_target
from oxidized_exporter.web.landing import POLICY, landing_page
from oxidized_exporter.web.state import Settings
from tests.harness import Probing, running_exporter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HOSTILE: Final = (
    "</span><script>alert(1)</script>",
    "' onmouseover='alert(1)",
    '" style="color: red',
    "<style>*{}</style><base href=//evil.example.net>",
    "&lt;b&gt; &amp; <!-- ]]> \n\t",
    "</body></html><form action=//evil.example.net>",
)


def configured(*names: str, modules: Iterable[str] = ()) -> Config:
    return Config(
        modules={name: Module(name=name) for name in modules},
        targets={
            name: TargetEntry(name=name, target=parse_target(f"http://{name.strip('-_')}.example.net"))
            for name in names
        },
    )


def page(config: Config, **settings: Any) -> LexborHTMLParser:
    return LexborHTMLParser(landing_page(config, settings=Settings(**settings)))


def first(parsed: LexborHTMLParser, selector: str) -> LexborNode:
    found = parsed.css_first(selector)
    assert found is not None
    return found


def links(parsed: LexborHTMLParser) -> list[str]:
    return [str(link.attributes["href"]) for link in parsed.css("a")]


async def parsed_page(exporter: Probing, path: str = "/") -> LexborHTMLParser:
    return LexborHTMLParser(await (await exporter.get(path)).text())


SINGLE: Final = SingleInstance(target=parse_target("http://127.0.0.1:1/oxidized"))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"enable_debug": True, "enable_lifecycle": True},
        {"single": SINGLE},
        {"single": SINGLE, "metrics_path": "/oxi/dized", "enable_debug": True},
    ],
    ids=["plain", "debug", "single", "path"],
)
async def test_it_names_the_version_and_leads_to_every_route(more: dict[str, Any]) -> None:
    config = Config()
    if "single" in more:
        config = SINGLE.added_to(config, file=None)
    settings = Settings(route_prefix="/a/b", timeout_offset=0, **more)
    async with running_exporter(config=config, settings=settings) as exporter:
        response = await exporter.get("/a/b/")
        assert response.content_type == "text/html"
        parsed = LexborHTMLParser(await response.text())
        routes = {
            route.resource.canonical.removeprefix("/a/b/")
            for route in exporter.app.router.routes()
            if route.resource is not None and route.resource.canonical.startswith("/a/b/")
        } - {""}
        linked = [str(link.attributes["href"]) for link in parsed.css(".routes a")]
        assert sorted(linked) == sorted(routes - {"probe", "-/reload"})
        assert [link.text() for link in parsed.css(".routes a")] == [f"/{path}" for path in linked]
        for path in (link for link in links(parsed) if "://" not in link):
            assert (await exporter.session.get(response.url.join(URL(path, encoded=True)))).status == 200
        assert first(parsed, "form").attributes == {"action": "probe"}  # a GET
        assert {"/probe", "/-/reload"} <= {code.text() for code in parsed.css("code")}
        assert __version__ in first(parsed, "h1").text()


async def test_a_link_of_each_target_and_module_probes_it() -> None:
    config = Config(
        modules={"audit": Module(name="audit")},
        targets={
            "eu": TargetEntry(name="eu", target=parse_target("http://127.0.0.1:1/x"), module="audit", labels={"a": "b"})
        },
    )
    async with running_exporter(config=config) as exporter:
        parsed = LexborHTMLParser(await (await exporter.get("/")).text())
        (item,) = parsed.css(".targets li")
        assert " ".join(item.text(separator=" ").split()) == "eu http://127.0.0.1:1/x a=b probe: audit default"
        asked = [str(link.attributes["href"]) for link in item.css("a")]
        assert [parse_qsl(urlsplit(link).query) for link in asked] == [
            [("target", "eu"), ("module", "audit")],
            [("target", "eu"), ("module", "default")],
        ]
        for link in asked:
            response = await exporter.get(f"/{link}")
            assert "oxidized_status 0.0" in await response.text()
        assert [option.text() for option in parsed.css("select option")] == ["default", "audit"]
        assert [option.attributes["value"] for option in parsed.css("datalist option")] == ["eu"]


def test_one_module_needs_no_name_and_many_are_folded() -> None:
    assert [link.text() for link in page(configured("eu")).css(".targets a")] == ["probe"]
    few = page(configured("eu", modules="abc"))
    assert few.css_first("details") is None
    many = page(configured("eu", modules="abcd"))
    assert [link.text() for link in many.css(".targets a")] == ["probe: default", "a", "b", "c", "d"]
    assert [link.text() for link in many.css(".targets details a")] == ["a", "b", "c", "d"]


def test_hundreds_of_targets_are_found_by_an_index() -> None:
    names = [f"{initial}-{number}" for initial in ("Zurich", "asia", "Asia", "7", "_x") for number in range(100)]
    parsed = page(configured(*names))
    index = {str(link.attributes["href"]): link.text() for link in parsed.css(".index a")}
    assert index == {"#0-9": "0-9", "#A": "A", "#Z": "Z", "#_": "_"}
    assert {f"#{heading.attributes['id']}" for heading in parsed.css("h3")} == set(index)
    assert len(parsed.css(".targets li")) == len(names)
    shown = [name.text() for name in parsed.css(".targets strong")]
    assert sorted(shown) == sorted(names)
    assert {name[0].upper() for name in shown[100:300]} == {"A"}
    assert page(configured(*names[:40])).css_first(".index") is None


@pytest.mark.parametrize(
    "access, said",
    [((), "any URL may be probed"), (("10.0.0.0/8",), "Only what access.allow names may be probed")],
)
def test_without_targets_it_says_who_may_be_probed(access: tuple[str, ...], said: str) -> None:
    config = Config(access=Access(allow=tuple(map(parse_access_pattern, access))))
    assert said in first(page(config), "main").text()


@pytest.mark.parametrize("allowed", [True, False])
async def test_it_says_whether_a_reload_may_be_asked_for(*, allowed: bool) -> None:
    async with running_exporter(settings=Settings(enable_lifecycle=allowed)) as exporter:
        said = first(await parsed_page(exporter), "main").text()
    assert ("POST or PUT reloads" in said) == allowed
    assert ("needs --web.enable-lifecycle" in said) != allowed


async def test_where_steps_may_be_asked_for_the_form_and_each_target_offer_them() -> None:
    target = TargetEntry(name="eu", target=parse_target("http://127.0.0.1:1"))
    config = Config(modules={"a": Module(name="a")}, targets={"eu": target})
    async with running_exporter(config=config, settings=Settings(enable_debug=True)) as exporter:
        parsed = await parsed_page(exporter)
        box = first(parsed, "form input[type=checkbox]")
        steps = str(parsed.css(".targets a")[-1].attributes["href"])
        assert parse_qsl(urlsplit(steps).query) == [("target", "eu"), ("module", "default"), ("debug", "true")]
        by_form = urlencode({"target": "eu", str(box.attributes["name"]): str(box.attributes["value"])})
        for asked in (steps, f"probe?{by_form}"):
            response = await exporter.get(f"/{asked}")
            assert "Steps, with the seconds since the beginning:" in await response.text()
    without = page(config)
    assert without.css_first("form input[type=checkbox]") is None
    assert [link.text() for link in without.css(".targets a")] == ["probe: default", "a"]


def test_it_says_whose_metrics_there_are() -> None:
    def said(**settings: Any) -> list[str]:
        return [" ".join(item.text(separator=" ").split()) for item in page(Config(), **settings).css(".routes li")]

    assert "/metrics of the exporter itself" in said()
    alone = said(single=SINGLE, metrics_path="/oxi")
    assert "/metrics of http://127.0.0.1:1/oxidized, and of the exporter itself" in alone
    assert "/oxi the same as /metrics" in alone


def test_targets_are_in_the_order_of_their_names_whatever_their_case() -> None:
    shown = [name.text() for name in page(configured("Brno", "bonn", "Basel", "2", "aarau")).css(".targets strong")]
    assert shown == ["2", "aarau", "Basel", "bonn", "Brno"]


def hostile(tmp_path: Path) -> Config:
    """Return what a configuration file may hold at its worst."""
    (tmp_path / "config.yml").write_text(
        json.dumps(  # which is YAML
            {
                "modules": {"-": {}, "_" * 64: {}},
                "targets": {
                    f"-{number}": {"url": f"http://{number}.example.net/'&amp;{number}", "labels": {"a": text}}
                    for number, text in enumerate(HOSTILE)
                },
            }
        )
    )
    return load_config(str(tmp_path / "config.yml"))


def test_what_a_configuration_holds_is_text_and_nothing_else(tmp_path: Path) -> None:
    harmless = page(configured(*(f"-{number}" for number in range(len(HOSTILE))), modules=["-", "_" * 64]))
    parsed = page(hostile(tmp_path))
    assert [label.text() for label in parsed.css(".label")] == [f"a={text}" for text in HOSTILE]
    assert [name.text() for name in parsed.css(".targets .muted")] == [
        f"http://{number}.example.net/'&amp;{number}" for number in range(len(HOSTILE))
    ]

    def elements(of: LexborHTMLParser) -> list[tuple[str, list[str]]]:
        return [
            (str(node.tag), sorted(node.attributes)) for node in of.css("*") if node.attributes.get("class") != "label"
        ]

    assert elements(parsed) == elements(harmless)


async def test_the_policy_is_strict_and_lets_the_page_be_as_it_is(tmp_path: Path) -> None:
    async with running_exporter(config=hostile(tmp_path)) as exporter:
        response = await exporter.get("/")
        policy = dict(part.split(" ", 1) for part in response.headers["Content-Security-Policy"].split("; "))
        parsed = LexborHTMLParser(await response.text())
    (style,) = parsed.css("style")
    digest = base64.b64encode(hashlib.sha256(style.text().encode()).digest()).decode()
    assert policy == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    assert "url(" not in style.text()
    assert "@import" not in style.text()
    for node in parsed.css("*"):
        assert node.tag not in {"script", "link", "img", "iframe", "object", "embed", "base", "svg", "video", "audio"}
        assert not [name for name in node.attributes if name.startswith("on") or name in {"style", "src", "srcset"}]
    assert [form.attributes["action"] for form in parsed.css("form")] == ["probe"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"


def test_it_suits_phones_and_the_dark() -> None:
    parsed = page(Config())
    metas = {meta.attributes.get("name"): meta.attributes.get("content") for meta in parsed.css("meta")}
    assert metas["viewport"] == "width=device-width, initial-scale=1"
    assert metas["color-scheme"] == "light dark"
    assert "@media (prefers-color-scheme: dark)" in first(parsed, "style").text()


def test_no_secret_is_shown(tmp_path: Path) -> None:
    """The page is read by whoever reaches the port."""
    (tmp_path / "config.yml").write_text(
        "connections: [{targets: ['https://a.example.net'], basic_auth: {username: hunter, password: hunter2}}]\n"
        "targets: {a: {url: 'https://a.example.net'}}\n"
    )
    text = landing_page(load_config(str(tmp_path / "config.yml")), settings=Settings())
    assert "https://a.example.net" in text
    assert "hunter" not in text
    assert "hunter" not in POLICY
