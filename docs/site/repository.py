"""Hooks of mkdocs: the site's pages are Markdown files all over the repository, and their links are those of GitHub.

A page is known by its path in the repository, so that a relative link from one page to the next means here what it
means there, and mkdocs judges it. A link to a file that is no page leads to the repository.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from mkdocs.structure.files import File, Files
from pymdownx.slugs import slugify  # type: ignore[import-untyped] # which has none

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from markdown import Markdown
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).parent.parent.parent
# Whatever a page may show or hand out lies in docs/, so that nothing that lies about elsewhere comes to a site.
_SHOWN: Final = ("*.md", "docs/**/*.md", "docs/**/*.png", "docs/**/*.svg", "docs/*.json", "deploy/**/*.md")
_LINKS: Final = {"a": "href", "img": "src"}
_BEFORE_MKDOCS: Final = 1  # which judges links at priority 0


class _Links(Treeprocessor):
    """Lets links to files of the repository that are no pages lead to the repository."""

    def __init__(self, repository: str) -> None:
        super().__init__()
        self._repository = repository
        self._page = ""
        self._files = Files([])

    def turn_to(self, page: str, files: Files) -> None:
        """Take what comes next for the page of this path."""
        self._page, self._files = page, files

    def run(self, root: Element) -> None:
        """Rewrite the links of a page."""
        for element in root.iter():
            if (key := _LINKS.get(element.tag)) and (link := element.get(key)):
                element.set(key, self._led(link))

    def _led(self, link: str) -> str:
        pages = f"{self._repository}/blob/main/"  # as pages name others that are read outside of the repository, too
        if link.startswith(pages) and self._files.get_file_from_path(
            urlsplit(link).path.removeprefix(urlsplit(pages).path)
        ):
            return posixpath.relpath(link.removeprefix(pages), posixpath.dirname(self._page))
        parts = urlsplit(link)
        if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
            return link
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self._page), unquote(parts.path)))
        if path.startswith("../") or self._files.get_file_from_path(path) or not (ROOT / path).exists():
            return link  # mkdocs finds the page, or says that there is none
        kind = "tree" if (ROOT / path).is_dir() else "blob"
        return parts._replace(path=f"{self._repository}/{kind}/main/{path}").geturl()


class _LinksExtension(Extension):
    def __init__(self, links: _Links) -> None:
        super().__init__()
        self._links = links

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Markdown's name
        md.treeprocessors.register(self._links, "repository", _BEFORE_MKDOCS)


class _Anchors:
    """Names headings as GitHub does, so that a link holds in both places: of namesakes, the second ends in ``-1``."""

    def __init__(self) -> None:
        self._slug = slugify(case="lower")
        self._seen: Counter[str] = Counter()

    def begin(self) -> None:
        """Forget the headings of the page before."""
        self._seen.clear()

    def __call__(self, heading: str, separator: str) -> str:
        """Return the anchor of the next heading of the page."""
        slug = str(self._slug(heading, separator))
        namesakes = self._seen[slug]
        self._seen[slug] += 1
        return f"{slug}{separator}{namesakes}" if namesakes else slug


class _Site:
    """What the hooks share: mkdocs renders one page after the other."""

    links: _Links
    anchors: _Anchors


def on_config(config: MkDocsConfig) -> None:
    """Have links rewritten, and headings named."""
    _Site.links = _Links(config.extra["repository"])
    extensions: list[str | Extension] = config.markdown_extensions  # type: ignore[assignment] # so Markdown takes them
    extensions.append(_LinksExtension(_Site.links))
    _Site.anchors = _Anchors()
    config.mdx_configs["toc"]["slugify"] = _Site.anchors


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Put the repository's pages in the place of what mkdocs has found in docs/; the theme's own files stay."""
    kept = [file for file in files if file.src_dir != config.docs_dir]
    return Files([*kept, *_pages(config)])


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - mkdocs hands it over
    """Tell whose links and headings come next."""
    _Site.links.turn_to(page.file.src_uri, files)
    _Site.anchors.begin()
    return markdown


def _pages(config: MkDocsConfig) -> Iterator[File]:
    for path in sorted({found for pattern in _SHOWN for found in ROOT.glob(pattern)}):
        name = path.relative_to(ROOT).as_posix()
        file = File(name, str(ROOT), config.site_dir, config.use_directory_urls)
        file.dest_uri = file.dest_uri.removeprefix("docs/")  # of docs/ addresses need not say so
        yield file
