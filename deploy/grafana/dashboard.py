"""The dashboard as a whole: variables, rows, links, and its JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as models

from deploy.grafana import device, exporter, fleet, instance
from deploy.grafana.links import RUNBOOKS, UID, external
from deploy.grafana.parts import DATASOURCE
from deploy.grafana.queries import OF_DEVICES, OF_TARGETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grafana_foundation_sdk.cog.builder import Builder

FILE: Final = Path(__file__).parent / "oxidized.json"

_ALL: Final = models.VariableOption(selected=True, text="All", value="$__all")


def build() -> models.Dashboard:
    """Return the dashboard."""
    built = (
        builders.Dashboard("Oxidized")
        .uid(UID)
        .description("Backups of network devices by Oxidized, as oxidized_exporter tells of them.")
        .tags(["oxidized", "network", "backup"])
        .time("now-24h", "now")
        .refresh("1m")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .annotations([])  # an empty list, where Grafana would not find any
        .link(external("Runbooks", f"{RUNBOOKS}/README.md"))
    )
    for variable in _variables():
        built.with_variable(variable)
    numbers = iter(range(1, 1000))
    for title, panels, collapsed in (
        ("Fleet", fleet.panels(), False),
        ("Instance: $instance", instance.panels(), False),
        ("Device: $device", device.panels(), False),
        ("Exporter", exporter.panels(), True),
    ):
        row = builders.Row(title).id(next(numbers)).collapsed(collapsed)
        for panel in panels:
            panel.id(next(numbers))  # type: ignore[attr-defined] # every builder of a panel has it, their common type does not
            if collapsed:
                row.with_panel(panel)
        built.with_row(row)
        if not collapsed:
            for panel in panels:
                built.with_panel(panel)
    return built.build()


def encode(dashboard: models.Dashboard) -> str:
    """Return the JSON that Grafana imports."""
    return JSONEncoder(indent=2, sort_keys=True, ensure_ascii=False).encode(dashboard) + "\n"


def decode(text: str) -> models.Dashboard:
    """Return the dashboard that JSON says, read by the SDK's types."""
    register_default_plugins()
    return models.Dashboard.from_json(json.loads(text))


def _variables() -> Sequence[Builder[models.VariableModel]]:
    return (
        builders.DatasourceVariable("datasource").label("Data source").type("prometheus"),
        _choice("job", "Job", "oxidized_status"),
        _choice("instance", "Instance", 'oxidized_status{job=~"$job"}'),
        # Only of jobs that scrape several instances at once; there, `instance` is the exporter.
        _choice("target", "Target", 'oxidized_status{job=~"$job", instance=~"$instance"}'),
        _choice("group", "Group", f"oxidized_device_status{{{OF_TARGETS}}}"),
        _choice("model", "Model", f"oxidized_device_status{{{OF_TARGETS}}}"),
        _query("device", "Device", f"oxidized_device_status{{{OF_DEVICES}}}", label_name="full_name"),
    )


def _choice(name: str, label: str, series: str) -> builders.QueryVariable:
    """Return a variable with the values of the label of its name: several, or all, series without it included."""
    several = _query(name, label, series, label_name=name).multi(True).include_all(True)  # noqa: FBT003 - the SDK's
    return several.all_value(".*").current(_ALL)


def _query(name: str, label: str, series: str, *, label_name: str) -> builders.QueryVariable:
    query = f"label_values({series}, {label_name})"
    return (
        builders.QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query(query)
        .definition(query)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.NATURAL_ASC)
    )
