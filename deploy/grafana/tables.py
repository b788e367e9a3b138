"""Tables: a row for each instance, device, or whatever else the labels of their queries name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.builders import common, dashboard, table
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.grafana.parts import LETTERS, About, Steps, head, mappings, target, thresholds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table: a query's value, or a label of all queries.

    Attributes:
        title: its head.
        expr: whose value it is; None for a label.
        label: which label it is; None for a value.
        unit: as Grafana names it.
        steps: colours of the cell; none where empty.
        words: what is said for a value, and its colour.
        width: in pixels; None for what is left.
        link: where a click leads.
        hidden: the value itself is not shown: the query is there for its labels.
    """

    title: str
    expr: str | None = None
    label: str | None = None
    unit: str | None = None
    steps: Steps = ()
    words: Mapping[str, tuple[str, str]] | None = None
    width: int | None = None
    link: dashboard.DashboardLink | None = None
    hidden: bool = False


def listing(about: About, *columns: Column, sort: str, descending: bool = True) -> table.Panel:
    """Return a panel of a row for each instance, device, or whatever else the labels of its queries name.

    Args:
        about: the panel.
        columns: from left to right; labels that none of them is are not shown.
        sort: title of the column that the rows are sorted by.
        descending: the largest first.
    """
    asked = [column for column in columns if column.expr is not None]
    letters = dict(zip((column.title for column in asked), LETTERS, strict=False))
    panel = table.Panel()
    head(panel, about)
    for column in asked:
        panel.with_target(target(column.expr or "", letters[column.title]).format(PromQueryFormat.TABLE).instant())

    def field(column: Column) -> str:
        if column.label is not None:
            return column.label
        return "Value" if len(asked) == 1 else f"Value #{letters[column.title]}"

    shown = [column for column in columns if not column.hidden]
    if len(asked) > 1:
        panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    # Names the fields that are shown; whatever other labels there are stay out.
    panel.with_transformation(
        DataTransformerConfig(
            id_val="filterFieldsByName", options={"include": {"names": [field(column) for column in shown]}}
        )
    )
    panel.with_transformation(
        DataTransformerConfig(
            id_val="organize",
            options={
                "indexByName": {field(column): place for place, column in enumerate(shown)},
                "renameByName": {field(column): column.title for column in shown},
            },
        )
    )
    for column in shown:
        if properties := list(_properties(column)):
            panel.override_by_name(column.title, properties)
    return panel.sort_by([common.TableSortByFieldState().display_name(sort).desc(descending)]).filterable(True)  # noqa: FBT003 - the SDK's signature


def _properties(column: Column) -> Sequence[DynamicConfigValue]:
    found: dict[str, Any] = {}
    if column.unit is not None:
        found["unit"] = column.unit
    if column.width is not None:
        found["custom.width"] = column.width
    if column.words is not None:
        found["mappings"] = mappings(column.words)
    if column.steps:
        found["thresholds"] = thresholds(column.steps).build()
    if column.words is not None or column.steps:
        found["custom.cellOptions"] = {"type": "color-text"}
    if column.link is not None:
        found["links"] = [column.link.build()]
    return [DynamicConfigValue(id_val=key, value=value) for key, value in found.items()]
