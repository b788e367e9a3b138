"""Asks a Prometheus what the dashboard asks it, and puts the answers together as the panels do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.deploy import grafana
from tests.deploy.grafana import ALL, Asked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grafana_foundation_sdk.models.dashboard import Panel, VariableModel

    from tests.deploy.watched_fleet import Watched

_STEPS: Final = 480  # of a time range, at most one in a second


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer: its labels, and values with their times, oldest first; of the present one."""

    labels: dict[str, str]
    values: list[float]
    times: list[float]


class Asking:
    """The dashboard, with a choice for each variable, before a fleet that is watched.

    Args:
        fleet: it.
        values: of variables; `ALL` of those that are not named.
    """

    def __init__(self, fleet: Watched, **values: str | Sequence[str]) -> None:
        self.fleet = fleet
        self.dashboard = grafana.dashboard()
        names = (variable.name for variable in grafana.variables(self.dashboard))
        self.values: dict[str, str | Sequence[str]] = dict.fromkeys(names, ALL) | values

    async def ask(self, asked: Asked) -> list[Series]:
        """Return the answer to a query, for the moment to look at, or since the fleet is watched until then."""
        return await self._send(grafana.substituted(asked.expr, self.values), instant=asked.instant)

    async def at_once(self, asked: Asked) -> tuple[list[Series], list[Series]]:
        """Return the answers for the moment, and for the same as two Prometheus servers would have it."""
        expr = grafana.substituted(asked.expr, self.values)
        moment = {"time": str(self.fleet.moment)}
        once, twice = [await self._get("query", query, moment) for query in (expr, grafana.doubled(expr))]
        return sorted(once, key=str), sorted(twice, key=str)

    async def offered(self, variable: VariableModel) -> set[str]:
        """Return the values that a variable offers."""
        series, label = grafana.label_values(variable)
        match = grafana.substituted(series, self.values)
        return set(await self.fleet.prometheus.get(f"label/{label}/values", **{"match[]": match}))

    def titles(self, row: str, kind: str) -> list[str]:
        """Return the titles of a row's panels of one kind."""
        return [
            panel.title or ""
            for each in grafana.rows(self.dashboard)
            if each.title == row
            for panel in each.panels
            if panel.type_val == kind
        ]

    async def panel(self, title: str) -> list[list[Series]]:
        """Return the answers to the queries of the panel of this title."""
        return [await self.ask(asked) for asked in grafana.queries(self._panel(title))]

    async def number(self, title: str) -> float:
        """Return the one number of a panel."""
        ((series,),) = await self.panel(title)
        return series.values[-1]

    async def bars(self, title: str) -> dict[str, float]:
        """Return the bars of a panel by name."""
        return {
            grafana.called(series.labels, asked.legend): series.values[-1]
            for asked in grafana.queries(self._panel(title))
            for series in await self.ask(asked)
        }

    async def table(self, title: str) -> list[dict[str, Any]]:
        """Return the rows of a table, as Grafana merges them: labels by their names, values by their columns' heads."""
        panel = self._panel(title)
        last: Any = (panel.transformations or [])[-1]  # which the SDK's decoder leaves as it finds them
        heads: dict[str, str] = last["options"]["renameByName"]
        asked = list(grafana.queries(panel))
        rows: list[dict[str, Any]] = []
        for each in asked:
            head = heads.get("Value" if len(asked) == 1 else f"Value #{each.letter}")
            for series in await self.ask(each):
                labels = {name: value for name, value in series.labels.items() if name in heads}
                value = {} if head is None else {head: series.values[-1]}
                row = next((row for row in rows if _fits(row, series.labels, value)), None)
                if row is None:
                    rows.append(row := {})
                row |= labels | value
        return rows

    def _panel(self, title: str) -> Panel:
        (found,) = [panel for panel in grafana.panels(self.dashboard) if panel.title == title]
        return found

    async def _send(self, expr: str, *, instant: bool) -> list[Series]:
        end = self.fleet.moment
        if instant:
            return await self._get("query", expr, {"time": str(end)})
        step = max(1, int((end - self.fleet.began) / _STEPS))
        start = end - (end - self.fleet.began) // step * step  # whole steps, so that the last is at the end
        span = {"start": str(start), "end": str(end), "step": str(step)}
        return await self._get("query_range", expr, span)

    async def _get(self, what: str, expr: str, when: dict[str, str]) -> list[Series]:
        result = (await self.fleet.prometheus.get(what, query=expr, **when))["result"]
        found = [(each["metric"], each.get("values") or [each["value"]]) for each in result]
        return [
            Series(labels, [float(value) for _, value in values], [float(time) for time, _ in values])
            for labels, values in found
        ]


def _fits(row: dict[str, Any], labels: dict[str, str], value: dict[str, float]) -> bool:
    """Tell whether Grafana puts a value into this row: nothing that both have is different."""
    shared = row.keys() & labels.keys()
    return bool(shared) and all(row[name] == labels[name] for name in shared) and not row.keys() & value.keys()


__all__ = ["ALL", "Asking", "Series"]
