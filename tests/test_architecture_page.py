"""The drawing in docs/architecture.md: it has every module that a scrape passes, and no other."""

from __future__ import annotations

import asyncio
import re
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

import oxidized_exporter
from oxidized_exporter.config import load_config
from oxidized_exporter.demo import closed_port, daemons
from oxidized_exporter.simulator import create_app
from oxidized_exporter.web.state import Settings
from tests.harness import running, running_exporter, running_raw
from tests.rule_files import ROOT
from tests.web.certificates import HASH, PASSWORD, make_certificates
from tests.web.serving import PAIR, as_user, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType

    from tests.harness import Probing
    from tests.web.certificates import Certificates
    from tests.web.serving import Serving

_TEXT: Final = (ROOT / "docs" / "architecture.md").read_text()
_PACKAGE: Final = Path(oxidized_exporter.__file__).parent
_OXIDIZED: Final = "simulator"  # it stands in for what is asked
_CONFIG: Final = """\
modules:
  all:
    collectors: [nodes, configs, stats]
    include: {{model: [".+"]}}
    configs: {{checks: {{banner: {{must_match: banner}}}}}}
connections:
  - targets: ["{up}"]
    basic_auth: {{username: prometheus, password_file: password}}
    http_headers: {{X-Site: {{values: [eu]}}}}
  - targets: ["{led_away}"]
    follow_redirects: true
targets:
  up: {{url: "{up}", module: all}}
  down: {{url: "http://127.0.0.1:{down}"}}
  led_away: {{url: "{led_away}"}}
"""
_ELSEWHERE: Final = b"HTTP/1.1 301 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def modules_called() -> Iterator[set[str]]:
    """Note the modules of the package of which something is called, in this thread and those that begin meanwhile."""
    called: set[CodeType] = set()
    found: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.add(frame.f_code)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        files = {Path(code.co_filename) for code in called}
        found |= {file.relative_to(_PACKAGE).as_posix() for file in files if file.is_relative_to(_PACKAGE)}


async def scrape(exporter: Probing) -> None:
    """Ask in all the ways that there are: well, again, narrowed, with steps, and what fails."""
    for query in (
        "target=up",
        "target=up&target=down",
        "target=up&collect[]=nodes",
        "target=led_away",
        "target=nobody",
    ):
        for debug in ("", "&debug=true"):
            module = "&module=all" if "up" in query else ""
            async with exporter.session.get(f"/probe?{query}{module}{debug}") as answer:
                await answer.read()


async def scrape_as_user(protected: Serving, **kwargs: Any) -> None:
    status, _, _ = await protected.ask("/probe?target=http://127.0.0.1:1", headers=as_user("a", PASSWORD), **kwargs)
    assert status == 200


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


async def test_every_module_that_a_scrape_passes_is_on_the_drawing_and_no_other(
    certificates: Certificates, tmp_path: Path
) -> None:
    _, troubled = daemons(20)
    (tmp_path / "password").write_text(PASSWORD)
    with closed_port(0) as down:
        async with running(create_app(troubled)) as up, running_raw(_ELSEWHERE) as led_away:
            (tmp_path / "config.yml").write_text(_CONFIG.format(up=up, down=down, led_away=led_away))
            config = await asyncio.to_thread(load_config, str(tmp_path / "config.yml"))
            settings = Settings(enable_debug=True)
            web_config = {
                "tls_server_config": PAIR,
                "basic_auth_users": {"a": HASH},
                "rate_limit": {"interval": "1ms", "burst": 100},
            }
            found: set[str] = set()
            for _ in range(2):  # the first time loads modules, and that calls what no scrape does
                async with (
                    running_exporter(config=config, settings=settings) as exporter,
                    serving(tmp_path / "web.yml", web_config) as protected,
                ):
                    with modules_called() as found:
                        await scrape(exporter)
                        await scrape_as_user(protected, tls=certificates.client())
    [drawing] = re.findall(r"^```text\n(.*?)^```$", _TEXT, re.DOTALL | re.MULTILINE)
    drawn = re.findall(r"[\w/]+\.py\b", drawing)
    assert len(drawn) == len(set(drawn))
    assert sorted(drawn) == sorted(module for module in found if not module.startswith(f"{_OXIDIZED}/"))
