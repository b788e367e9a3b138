"""Configurations of Prometheus and Alertmanager that users copy."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from oxidized_exporter.config import load_config
from tests.deploy.schemas import schema_fault
from tests.rule_files import ALERTS, PROMETHEUS, ROOT, Document, read

if TYPE_CHECKING:
    from pathlib import Path

_SCRAPES = sorted((PROMETHEUS / "scrape").glob("*.yml"))


def check(*command: str | Path) -> None:
    ran = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)  # noqa: S603 - the tests' own commands
    assert ran.returncode == 0, ran.stdout + ran.stderr


def jobs(file: Path) -> dict[str, Document]:
    return {job["job_name"]: job for job in read(file)["scrape_configs"]}


@pytest.mark.parametrize("file", [*_SCRAPES, PROMETHEUS / "prometheus.yml"], ids=lambda file: file.name)
def test_promtool_accepts_the_configuration(file: Path) -> None:
    check("promtool", "check", "config", file)


def test_the_one_with_scrape_config_files_names_files_that_there_are_and_is_sound_without_them(tmp_path: Path) -> None:
    config = read(PROMETHEUS / "prometheus-3.yml")
    assert {PROMETHEUS / name for name in config.pop("scrape_config_files")} < set(_SCRAPES)
    config["rule_files"] = [str(PROMETHEUS / name) for name in config["rule_files"]]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    check("promtool", "check", "config", tmp_path / "prometheus.yml")


def test_the_one_for_older_versions_has_the_same_jobs() -> None:
    included = read(PROMETHEUS / "prometheus-3.yml").pop("scrape_config_files")
    assert jobs(PROMETHEUS / "prometheus.yml") == {
        name: job for file in included for name, job in jobs(PROMETHEUS / file).items()
    }


def test_the_readme_has_the_job_that_is_shipped_and_targets_that_it_asks_for(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text()
    targets, job = re.findall(r"^```yaml\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    (tmp_path / "config.yml").write_text(targets)
    assert load_config(str(tmp_path / "config.yml")).targets
    (discovery,) = yaml.safe_load(job)["scrape_configs"]
    (shipped,) = jobs(PROMETHEUS / "scrape" / "discovery.yml").values()
    assert discovery == shipped | {"http_sd_configs": [{"url": "http://127.0.0.1:10888/sd"}]}


def test_the_scrape_config_of_the_operator_is_the_same_job() -> None:
    (job,) = jobs(PROMETHEUS / "scrape" / "relabelling.yml").values()
    (address,) = re.findall(r"oxidized-exporter[.\w]+:10888", (PROMETHEUS / "scrapeconfig.yml").read_text())
    job["relabel_configs"][-1]["replacement"] = address  # the name of a Service
    judged = read(PROMETHEUS / "scrapeconfig.yml")
    assert schema_fault(judged, kube_version="1.37") is None
    job["relabelings"] = [camelled(rule) for rule in job.pop("relabel_configs")]
    assert judged["spec"] == camelled(job)


def camelled(settings: Document) -> Document:
    """Return settings with their keys as the operator spells them."""
    return {re.sub(r"_(\w)", lambda part: part[1].upper(), key): value for key, value in settings.items()}


def test_amtool_accepts_the_configuration_of_alertmanager() -> None:
    check("amtool", "check-config", PROMETHEUS / "alertmanager.yml")


def test_inhibitions_and_routes_are_of_alerts_that_there_are() -> None:
    config = read(PROMETHEUS / "alertmanager.yml")
    matchers = [
        matcher for rule in config["inhibit_rules"] for matcher in (*rule["source_matchers"], *rule["target_matchers"])
    ]
    named = {name for matcher in matchers for name in re.findall(r"Oxidized\w+", matcher)}
    assert named <= set(ALERTS)
    assert len(named) >= len(config["inhibit_rules"]), "each rule names alerts"
    quiet = [name for name, rule in ALERTS.items() if rule.fields["labels"]["severity"] == "info"]
    assert quiet == ["OxidizedRestarted"], "it explains others, and is routed to nobody"
