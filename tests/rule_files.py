"""The rule files under deploy/prometheus as data, and promtool to judge them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from oxidized_exporter.metrics.catalogue import CATALOGUE
from oxidized_exporter.metrics.exporter import EXPORTER_CATALOGUE

ROOT: Final = Path(__file__).parents[1]
PROMETHEUS: Final = ROOT / "deploy" / "prometheus"
RULES: Final = PROMETHEUS / "rules"
RULE_FILES: Final = tuple(sorted(RULES.glob("*.yml")))

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert or a recording rule, and the file that it stands in."""

    file: Path
    fields: Document

    @property
    def expression(self) -> str:
        return str(self.fields["expr"])


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run promtool and return what it says, whatever it thinks."""
    return subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, check=False)  # noqa: S603, S607 - the tests' own arguments, the PATH's promtool


def read(file: Path) -> Document:
    document: Document = yaml.safe_load(file.read_text())
    return document


def _rules(kind: str) -> dict[str, Rule]:
    rules = [
        Rule(file, rule)
        for file in RULE_FILES
        for group in read(file)["groups"]
        for rule in group["rules"]
        if kind in rule
    ]
    named = {rule.fields[kind]: rule for rule in rules}
    assert len(named) == len(rules), f"a name of {kind} rules stands twice"
    return named


ALERTS: Final = _rules("alert")
RECORDS: Final = _rules("record")
METRICS: Final = {metric.name for metric in (*CATALOGUE, *EXPORTER_CATALOGUE)} | set(RECORDS)
"""Every name that a query may ask for: what is scraped, and what is recorded."""
