"""The site that `make docs` builds: whole, without faults, as GitHub shows its pages, nothing in it from elsewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import pytest
from selectolax.lexbor import LexborHTMLParser

from tests.markdown_pages import PAGES, anchors, named, rendered
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selectolax.lexbor import LexborNode

_CONFIG: Final = "docs/site/mkdocs.yml"
# What a browser loads by itself, or sends to: everything but a link that somebody follows.
_LOADED: Final = ("src", "srcset", "poster", "data", "action", "formaction", "background", "xlink:href")
_POLICY: Final = "default-src 'self'; "
_BLOCKS: Final = ("h1", "h2", "h3", "h4", "table", "tr", "td", "ul", "ol", "li", "pre", "a", "img", "strong", "em")


def built(tree: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of a tree as `make docs` does, into another folder. With --quiet nothing would be a fault."""
    command = (sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(tree / _CONFIG))
    return subprocess.run(  # noqa: S603 - fixed
        [*command, "--site-dir", str(site)],
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = built(ROOT, folder)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The repository as far as the site is made of it."""
    for name in ("docs", "deploy", ".github"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for path in (*ROOT.glob("*.md"), ROOT / "config.example.yml", ROOT / "LICENSE"):
        shutil.copy(path, tmp_path)
    return tmp_path


def pages(site: Path) -> Iterator[tuple[Path, LexborHTMLParser]]:
    for path in sorted(site.rglob("*.html")):
        yield path, LexborHTMLParser(path.read_text())


def page_of(site: Path, source: Path) -> Path:
    """Return where the page of a file of the repository is."""
    name = named(source).removeprefix("docs/").removesuffix(".md")
    return site / name.removesuffix("README") / "index.html"


def in_site(site: Path, page: Path, link: str) -> Path:
    """Return the file that a relative link, or an absolute one of this site, leads to."""
    path = unquote(urlsplit(link).path)
    found = site / path[1:] if path.startswith("/") else (page.parent / path).resolve() if path else page
    return found / "index.html" if found.is_dir() else found


def loaded(page: LexborHTMLParser) -> Iterator[str]:
    """Yield what a page has a browser load."""
    for node in page.css("*"):
        yield from (value for name in _LOADED if (value := node.attributes.get(name)))
        if node.tag in {"link", "use", "base"} and (link := node.attributes.get("href")):
            yield link
        yield from resources(node.attributes.get("style") or "")
        if node.tag == "style":
            yield from resources(node.text())


def resources(css: str) -> list[str]:
    """Return what a style sheet loads."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    found = re.findall(r"""url\(\s*["']?(.*?)["']?\s*\)|@import\s*["'](.*?)["']""", css)
    return [one or other for one, other in found]


def test_every_page_of_the_repository_is_on_it_and_can_be_searched_for(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text())["docs"]
    found = {entry["location"].partition("#")[0] for entry in index if entry["text"] or entry["title"]}
    for source in PAGES:
        page = page_of(site, source)
        assert page.is_file(), named(source)
        location = page.relative_to(site).as_posix().removesuffix("index.html")
        assert location in found, named(source)
    [script] = LexborHTMLParser((site / "index.html").read_text()).css("script#__config")
    settings = json.loads(script.text())
    assert (site / settings["base"] / settings["search"]).is_file(), "the program that searches is the site's own"


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for path, page in pages(site):
        wanted = list(loaded(page))
        assert len(wanted) >= 4
        for link in wanted:
            if not link.startswith(("data:", "#")):
                assert not urlsplit(link).netloc, f"{path}: {link}"
                assert in_site(site, path, link).is_file(), f"{path}: {link}"
        [policy] = page.css('meta[http-equiv="Content-Security-Policy"]')  # for what the theme's scripts might ask for
        said = policy.attributes["content"] or ""
        assert said.startswith(_POLICY)
        assert ":" not in said.replace("data:", ""), "a policy that lets something of elsewhere in"
    for path in site.rglob("*.css"):
        assert all(
            link.startswith(("data:", "#")) or in_site(site, path, link).is_file()
            for link in resources(path.read_text())
        )


def test_what_would_be_loaded_from_elsewhere_is_seen() -> None:
    page = LexborHTMLParser(
        '<link href="//a/1"><img src="https://a/2"><p style="background: url(https://a/3)"></p>'
        "<style>@import 'https://a/4'; b {src: url( \"//a/5\" )} /* url(x) */</style><a href='https://a/6'>a link</a>"
    )
    assert sorted(loaded(page)) == ["//a/1", "//a/5", "https://a/2", "https://a/3", "https://a/4"]


def test_links_and_anchors_lead_somewhere(site: Path) -> None:
    """As a reader meets them: those of the theme too, and those that lead from the site to the repository."""
    known = {path: {node.attributes["id"] for node in page.css("[id]")} for path, page in pages(site)}
    repository = "https://github.com/oxidized-exporter/oxidized_exporter"
    for path, page in pages(site):
        for node in page.css("a[href]"):
            link = node.attributes["href"] or ""
            if link.startswith((f"{repository}/blob/main/", f"{repository}/tree/main/")):
                led_to = ROOT / urlsplit(link).path.partition("/main/")[2]
                assert led_to.exists(), f"{path}: {link}"
                assert led_to.is_dir() == ("/tree/main/" in link), f"{path}: {link}"
            if urlsplit(link).scheme:
                continue
            target = in_site(site, path, link)
            assert target.is_file(), f"{path}: {link}"
            anchor = urlsplit(link).fragment
            assert not anchor or target.suffix != ".html" or anchor in known[target], f"{path}: {link}"


@pytest.mark.parametrize("source", PAGES, ids=named)
def test_a_page_has_the_parts_that_it_has_on_github(site: Path, source: Path) -> None:
    """Two readers of Markdown differ most in lists, tables and blocks: each would be lost in a paragraph."""
    page = LexborHTMLParser(page_of(site, source).read_text())
    [article] = page.css("article")
    for added in article.css("a.headerlink"):
        added.decompose()
    expected = LexborHTMLParser(rendered(source))
    assert parts(article) == parts(expected.body), named(source)
    assert {heading.attributes.get("id") for heading in article.css("h1, h2, h3, h4")} == anchors(source)


def parts(node: LexborNode | None) -> Counter[str]:
    assert node is not None
    return Counter({block: len(node.css(block)) for block in _BLOCKS})


def test_headings_of_one_name_have_the_anchors_that_github_gives_them(tree: Path, tmp_path: Path) -> None:
    changelog = tree / "CHANGELOG.md"
    headings = "".join(f"\n## 0.0.{number}\n\n### Added\n\n[above](#added-1)\n" for number in (2, 1))
    changelog.write_text(changelog.read_text() + headings)
    site = tmp_path.parent / f"{tmp_path.name}-site"
    done = built(tree, site)
    assert done.returncode == 0, done.stderr
    [article] = LexborHTMLParser((site / "CHANGELOG" / "index.html").read_text()).css("article")
    shown = {heading.attributes.get("id") for heading in article.css("h1, h2, h3, h4")}
    assert shown == anchors(changelog)
    assert {"added", "added-1", "added-2"} <= shown


def test_a_page_outside_of_the_navigation_and_links_to_nowhere_fail_the_build(tree: Path, tmp_path: Path) -> None:
    (tree / "docs" / "new.md").write_text(
        "# New / page\n\n[this](#new--page) [a](nowhere.md) [b](metrics.md#nothing) [c](../nothing.yml) [d](/x)\n"
    )
    done = built(tree, tmp_path.parent / f"{tmp_path.name}-site")
    assert done.returncode == 1
    for told in (
        'not included in the "nav" configuration:\n  - docs/new.md',
        "contains a link 'nowhere.md', but",
        "contains a link 'metrics.md#nothing', but",
        "contains a link '../nothing.yml', but",
        "contains an absolute link '/x'",
    ):
        assert told in done.stderr
    assert "Aborted with 5 warnings in strict mode!" in done.stdout
