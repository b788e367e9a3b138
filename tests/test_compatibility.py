"""What docs/compatibility.md says of this exporter is what this exporter has."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from oxidized_exporter import cli
from oxidized_exporter.config import Config, SingleInstance
from oxidized_exporter.config.schema import json_schema
from oxidized_exporter.flags import Flag
from oxidized_exporter.metrics.catalogue import CATALOGUE
from oxidized_exporter.metrics.definition import DEVICE_LABELS
from oxidized_exporter.targets.url import parse_target
from tests.rule_files import ALERTS, ROOT, promtool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PAGE: Final = ROOT / "docs" / "compatibility.md"
_TEXT: Final = _PAGE.read_text()
_TABLE: Final = re.compile(r"(?:^\|.*\|\n)+", re.MULTILINE)
_METRIC: Final = re.compile(r"\b(?:oxidized|probe)_\w+")
_OF_THIS_EXPORTER: Final = ("there and here", "here", "corrected, and why", "with this one")
_LABELS: Final = {metric.name: metric.labels for metric in CATALOGUE}


def _rows() -> Iterator[dict[str, str]]:
    """Yield the rows of all tables, each by the heads of its columns."""
    for table in _TABLE.findall(_TEXT):
        head, _, *rows = ([cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines())
        for row in rows:
            yield dict(zip((cell.strip() for cell in head), row, strict=True))


_ROWS: Final = tuple(_rows())
_SHARED: Final = tuple(row for row in _ROWS if "there and here" in row)
_HERE: Final = " ".join(row[head] for row in _ROWS for head in _OF_THIS_EXPORTER if head in row)


def _blocks(language: str) -> list[str]:
    return [
        re.sub(r"^    ", "", block, flags=re.MULTILINE)
        for block in re.findall(rf"^ *```{language}\n(.*?)^ *```$", _TEXT, re.DOTALL | re.MULTILINE)
    ]


def _job() -> dict[str, Any]:
    [job] = yaml.safe_load(_blocks("yaml")[1])["scrape_configs"]
    assert isinstance(job, dict)
    return job


def test_metrics_that_are_said_to_be_here_are() -> None:
    named = set(_METRIC.findall(_HERE))
    assert len(named) > len(_SHARED), "those of the first table, and others"
    assert named - set(_LABELS) == set()


@pytest.mark.parametrize("row", _SHARED, ids=lambda row: row["there and here"].strip("`"))
def test_labels_are_as_the_page_says(row: dict[str, str]) -> None:
    expected = {"": (), "*device*": DEVICE_LABELS}[row["labels"]]
    assert _LABELS[row["there and here"].strip("`")] == expected


def test_no_metric_of_the_go_exporter_is_left_out() -> None:
    # Those that its collector declares.
    assert {row["there and here"].strip("`") for row in _SHARED} == {
        "oxidized_status",
        "oxidized_exporter_collect_duration",
        *(f"oxidized_device_{name}" for name in ("status", "config_size", "config_lines")),
        *(f"oxidized_device_last_backup_{name}" for name in ("status", "start", "end", "time")),
    }


def test_flags_that_are_said_to_be_here_are() -> None:
    named = set(re.findall(r"`(--[\w.-]+)`", _HERE))
    assert named
    assert named <= {flag for parameter in cli.main.params for flag in parameter.opts}


def test_flags_of_the_go_exporter_are_taken_and_its_variables_read() -> None:
    flags = [flag for flag in cli.main.params if isinstance(flag, Flag)]
    rows = [row["there"] for row in _ROWS if "OXIDIZED_EXPORTER_" in row.get("there", "")]
    assert len(rows) == 7
    for row in rows:
        spellings = set(re.findall(r"`(--?\w+)`", row))
        [variable] = re.findall(r"`(OXIDIZED_EXPORTER_\w+)`", row)
        [flag] = [flag for flag in flags if variable in flag.variables]
        assert spellings
        assert spellings <= set(flag.opts)


def test_the_module_of_the_single_instance_is_as_the_page_says() -> None:
    [(name, collectors)] = re.findall(r"says the module `(\w+)`: (.*?)\.", _TEXT)
    [target] = re.findall(r"Oxidized is the target `(\w+)`", _TEXT)
    single = SingleInstance(target=parse_target("http://oxidized.example.net:8888"))
    config = single.added_to(Config(), file=None)
    assert list(config.targets) == [target]
    assert config.targets[target].module == name
    assert list(config.modules[name].collectors) == re.findall(r"`(\w+)`", collectors)


def test_settings_that_are_said_to_be_here_are() -> None:
    schema = json_schema()
    reference = schema["properties"]["connections"]["items"]["$ref"].rpartition("/")[2]
    named = set(re.findall(r"`connections\[\]\.(\w+)`", _HERE))
    assert named
    assert named <= set(schema["$defs"][reference]["properties"])


def test_the_six_published_alerts_have_their_names_here() -> None:
    named = {row["alert"].strip("`") for row in _ROWS if "alert" in row}
    assert len(named) == 6
    assert named <= set(ALERTS)


def test_the_service_is_configured_by_variables_that_there_are_and_scraped_on_its_port() -> None:
    [service] = yaml.safe_load(_blocks("yaml")[0])["services"].values()
    variables = {variable for flag in cli.main.params if isinstance(flag, Flag) for variable in flag.variables}
    assert service["environment"].keys() <= variables
    [static] = _job()["static_configs"]
    [target] = static["targets"]
    assert target.endswith(f":{service['environment']['OXIDIZED_EXPORTER_PORT']}")


def test_prometheus_understands_the_job_and_the_query(tmp_path: Path) -> None:
    if not shutil.which("promtool"):
        pytest.skip("needs promtool: Debian package prometheus")
    [query] = _blocks("promql")
    asked = [row[side] for row in _ROWS if "question" in row for side in ("there", "here") if side in row]
    queries = [query, *(expression for cell in asked for expression in re.findall(r"`([^`]+)`", cell))]
    assert len(queries) > 1
    rules = [{"record": f"query:{number}", "expr": expression} for number, expression in enumerate(queries)]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    (tmp_path / "prometheus.yml").write_text(
        yaml.safe_dump({"scrape_configs": [_job()], "rule_files": [str(tmp_path / "rules.yml")]})
    )
    checked = promtool("check", "config", tmp_path / "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_page_is_found() -> None:
    assert "(docs/compatibility.md)" in (ROOT / "README.md").read_text()
