"""What Grafana makes of the dashboard before it asks Prometheus: each query, with values in place of the variables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import promql_parser as promql
from grafana_foundation_sdk.models.dashboard import Panel, RowPanel, VariableType

from deploy.grafana.dashboard import FILE, decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from grafana_foundation_sdk.models.dashboard import Dashboard, VariableModel

ALL: Final = ".*"
"""The value that stands for all of a variable: each of this dashboard's says so."""

_RATE_INTERVAL: Final = "1m"  # four scrapes at Grafana's default of 15 s, which is the least that it takes
_LABEL_VALUES: Final = re.compile(r"label_values\((?P<series>.*), (?P<label>\w+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A query of a panel."""

    panel: str
    letter: str
    expr: str
    legend: str
    instant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the dashboard, and the panels under it."""

    title: str
    panels: Sequence[Panel] = field(default_factory=list)


def dashboard() -> Dashboard:
    """Return the dashboard that is checked in."""
    return decode(FILE.read_text())


def rows(of: Dashboard) -> list[Row]:
    found: list[tuple[RowPanel, list[Panel]]] = []
    for panel in of.panels or []:
        if isinstance(panel, RowPanel):
            found.append((panel, list(panel.panels)))
        else:
            found[-1][1].append(panel)
    return [Row(title=row.title or "", panels=panels) for row, panels in found]


def panels(of: Dashboard) -> list[Panel]:
    return [panel for row in rows(of) for panel in row.panels]


def queries(of: Panel) -> Iterator[Asked]:
    for target in of.targets or []:
        asked = target.to_json()  # type: ignore[attr-defined] # of Prometheus, all of them
        yield Asked(
            panel=of.title or "",
            letter=asked["refId"],
            expr=asked["expr"],
            legend=asked.get("legendFormat", ""),
            instant=asked.get("instant", False),
        )


def variables(of: Dashboard) -> list[VariableModel]:
    assert of.templating is not None
    return [found for found in of.templating.list_val or [] if found.type_val == VariableType.QUERY]


def label_values(of: VariableModel) -> tuple[str, str]:
    """Return the series and the label that a variable asks for."""
    matched = _LABEL_VALUES.fullmatch(str(of.query))
    assert matched, of.query
    return matched["series"], matched["label"]


def substituted(text: str, values: Mapping[str, str | Sequence[str]]) -> str:
    """Return a query as it is sent.

    Args:
        text: with variables.
        values: one chosen value, several as a list, or `ALL`, which is put in as it stands.
    """

    def put(name: re.Match[str]) -> str:
        if name[1] == "__rate_interval":
            return _RATE_INTERVAL
        value = values[name[1]]
        if value == ALL:
            return ALL
        if isinstance(value, str):  # a variable with one value: for `=`
            return value.replace("\\", "\\\\").replace('"', '\\"')
        escaped = [_escaped(each) for each in value]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"

    return re.sub(r"\$(\w+)", put, text)


def _escaped(value: str) -> str:
    """Return a value as Grafana's data source of Prometheus puts it into an expression, which stands in quotes."""
    return re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", value.replace("\\", "\\\\\\\\"))


@dataclass(slots=True)
class Names:
    """The names that a query knows."""

    metrics: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, expr: str) -> Names:
        """Read a query in which no variable stands any more.

        Raises:
            ValueError: it is not PromQL.
        """
        found = cls()

        def visit(node: object) -> None:
            match node:
                case promql.VectorSelector():
                    found.metrics.add(node.name or "")
                    found.labels |= {matcher.name for matcher in node.matchers.matchers}
                case promql.AggregateExpr() if node.modifier is not None:
                    found.labels |= set(node.modifier.labels)
                case promql.BinaryExpr() if node.modifier is not None and node.modifier.matching is not None:
                    found.labels |= set(node.modifier.matching.labels)

        promql.walk(promql.parse(expr), visit)
        return found


def doubled(expr: str) -> str:
    """Return a query as it is of series that two Prometheus servers have, told apart by a label of theirs."""
    metrics = "|".join(sorted(map(re.escape, Names.of(expr).metrics), key=len, reverse=True))
    selector = rf"(?<![\w:])(?:{metrics})(?![\w:])(?:\{{[^{{}}]*\}})?"
    present = rf"{selector}(?: @ end\(\))?(?!\[)"
    ranged = rf"\w+\({selector}\[\w+\]\)"
    return re.sub(
        rf"{ranged}|{present}", lambda one: f'({one[0]} or label_replace({one[0]}, "replica", "b", "", ""))', expr
    )


def called(labels: Mapping[str, str], legend: str) -> str:
    """Return what a series is called."""
    return re.sub(r"\{\{(\w+)\}\}", lambda name: labels.get(name[1], ""), legend).strip()
