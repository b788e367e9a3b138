"""What docs/collectors.md names is all that there is, and what it has users copy works."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import yaml

from oxidized_exporter.config import COLLECTORS, load_config
from oxidized_exporter.oxidized.configuration import Skip
from tests.rule_files import ROOT, promtool

if TYPE_CHECKING:
    from pathlib import Path

_TEXT: Final = (ROOT / "docs" / "collectors.md").read_text()
_YAML: Final = re.findall(r"^```yaml\n(.*?)^```$", _TEXT, re.DOTALL | re.MULTILINE)


def _first_cells(head: str) -> list[str]:
    [table] = re.findall(rf"^\| {head} \|.*\n\|.*\n((?:\|.*\n)+)", _TEXT, re.MULTILINE)
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_every_collector_is_on_the_page() -> None:
    assert tuple(_first_cells("collector \\| use it for")) == tuple(COLLECTORS)
    assert tuple(_first_cells("collector \\| Oxidized")) == tuple(COLLECTORS)


def test_every_reason_to_skip_a_configuration_is_on_the_page() -> None:
    assert _first_cells("reason") == [*Skip]


def test_the_checks_are_those_of_the_example(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text(_YAML[0])
    there = load_config(str(tmp_path / "config.yml"), check_files=False).modules["audit"]
    example = load_config(str(ROOT / "config.example.yml"), check_files=False).modules["audit"]
    assert there.collectors == example.collectors
    assert there.configs.checks.keys() == example.configs.checks.keys()
    for name, check in there.configs.checks.items():
        assert check.must_match == example.configs.checks[name].must_match
        assert check.must_not_match == example.configs.checks[name].must_not_match


def test_promtool_accepts_the_jobs_and_they_ask_for_collectors_of_the_module(tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yml"
    file.write_text(_YAML[1])
    ran = promtool("check", "config", file)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    jobs = yaml.safe_load(_YAML[1])["scrape_configs"]
    modules = yaml.safe_load(_YAML[0])["modules"]
    asked = [collector for job in jobs for collector in job["params"]["collect[]"]]
    assert sorted(asked) == sorted(COLLECTORS)
    assert all(set(asked) <= set(modules[name]["collectors"]) for job in jobs for name in job["params"]["module"])
