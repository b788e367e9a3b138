"""What docs/debugging.md shows is what ``debug=true`` answers, but for numbers and addresses."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Final

import oxidized_exporter
from oxidized_exporter.demo import closed_port, daemons
from oxidized_exporter.simulator import create_app
from oxidized_exporter.web.state import Settings
from tests.harness import running, running_exporter
from tests.rule_files import ROOT

_TEXT: Final = (ROOT / "docs" / "debugging.md").read_text()
_SHOWN: Final = re.findall(r"^```console\n\$ curl -s .*\n((?:.*\n)*?)```$", _TEXT, re.MULTILINE)


def _without_numbers(text: str) -> str:
    return re.sub(r" *\d[\d.]*", "N", text)


async def test_the_shown_answers_are_real() -> None:
    down, up = map(_without_numbers, _SHOWN)
    _, troubled = daemons(50)
    async with (
        running(create_app(troubled)) as url,
        running_exporter(settings=Settings(enable_debug=True)) as exporter,
    ):
        answer = _without_numbers(await (await exporter.get(f"/probe?target={url}&debug=true")).text())
        assert answer.startswith(up.rstrip())
        with closed_port(0) as port:
            response = await exporter.get(f"/probe?target=http://127.0.0.1:{port}&debug=true")
            assert _without_numbers(await response.text()).startswith(down.rstrip())


def test_every_step_of_the_table_is_one_that_the_code_writes() -> None:
    sources = "".join(path.read_text() for path in Path(oxidized_exporter.__file__).parent.rglob("*.py"))
    sources += os.strerror(errno.ECONNREFUSED)
    [table] = re.findall(r"^\| the last step .*\n\|.*\n((?:\|.*\n)+)", _TEXT, re.MULTILINE)
    phrases = re.findall(r"`([^`]+)`", "\n".join(row.split("|")[1] for row in table.splitlines()))
    parts = [part.strip() for phrase in phrases for part in re.split(r"…|, while |, (?=target_denied)", phrase)]
    assert len(parts) > 12
    assert [part for part in parts if part.removesuffix(",") not in sources] == []


def test_the_readme_leads_to_the_page() -> None:
    assert "(docs/debugging.md)" in (ROOT / "README.md").read_text()
