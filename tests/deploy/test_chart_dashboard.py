"""The dashboard in a ConfigMap: as it is checked in, under the label that Grafana's sidecar looks for."""

from __future__ import annotations

import json
from typing import Any, Final

from deploy.grafana.dashboard import FILE, decode, encode
from deploy.grafana.links import RUNBOOKS
from tests.deploy.chart import template

# kubectl notes an object in an annotation of it, and this is as much as annotations may hold.
_ANNOTATIONS: Final = 256 * 1024


def config_map(**values: object) -> dict[str, Any]:
    (found,) = [
        found
        for found in template({"grafanaDashboard": {"enabled": True, **values}})
        if found["metadata"]["name"].endswith("-dashboard")
    ]
    return found


def test_the_dashboard_is_the_one_that_is_checked_in() -> None:
    found = config_map()
    assert (found["kind"], found["data"].keys()) == ("ConfigMap", {"oxidized.json"})
    assert encode(decode(found["data"]["oxidized.json"])) == FILE.read_text()
    assert len(json.dumps(json.dumps(found))) < _ANNOTATIONS


def test_the_sidecar_finds_it_by_its_label_and_puts_it_where_it_likes() -> None:
    by_default = config_map()["metadata"]
    assert by_default["labels"]["grafana_dashboard"] == "1"
    assert "annotations" not in by_default
    of_mine = config_map(labels={"grafana_dashboard": "yes", "team": "network"}, folder='Network: "backup"')["metadata"]
    assert (of_mine["labels"]["grafana_dashboard"], of_mine["labels"]["team"]) == ("yes", "network")
    assert of_mine["annotations"] == {"grafana_folder": 'Network: "backup"'}


def test_its_links_lead_to_the_runbooks_that_the_alerts_name() -> None:
    values = {
        "grafanaDashboard": {"enabled": True},
        "prometheusRule": {"runbookBaseUrl": "https://runbooks.example.net/a/"},
    }
    (found,) = [found for found in template(values) if "oxidized.json" in found.get("data", {})]
    text = found["data"]["oxidized.json"]
    assert RUNBOOKS not in text
    assert text.replace("https://runbooks.example.net/a", RUNBOOKS) == config_map()["data"]["oxidized.json"]


def test_without_the_value_there_is_none() -> None:
    assert [found for found in template({}) if "oxidized.json" in found.get("data", {})] == []
