"""What docs/debugging.md shows is what ``debug=true`` of the demo answers, but for numbers and addresses."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Final

import oxidized_exporter
from oxidized_exporter.demo import SETTINGS, instances
from tests.harness import running_exporter
from tests.rule_files import ROOT

_TEXT: Final = (ROOT / "docs" / "debugging.md").read_text()
_SHOWN: Final = re.findall(r"^```console\n\$ curl -s .*\n((?:.*\n)*?)```$", _TEXT, re.MULTILINE)


def _without_numbers(text: str) -> str:
    return re.sub(r" *\d[\d.]*", "N", text)


async def test_the_shown_answers_are_real() -> None:
    async with (
        instances(50, ports=(0, 0, 0)) as config,
        running_exporter(config=config, settings=SETTINGS) as exporter,
    ):
        _, troubled, down = (entry.target.base for entry in config.targets.values())
        for url, shown in zip((down, troubled), _SHOWN, strict=True):
            response = await exporter.get(f"/probe?target={url}&debug=true")
            assert _without_numbers(await response.text()).startswith(_without_numbers(shown).rstrip())


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
