"""Every case of values, by Helm 4 and Helm 3, for the oldest and the newest Kubernetes: linted, rendered, judged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from click.testing import CliRunner

from oxidized_exporter import __version__
from oxidized_exporter.cli import main
from tests.deploy import pods
from tests.deploy.cases import VALUES, faults, given, rendered
from tests.deploy.chart import (
    CHART,
    NEWEST,
    OLDEST,
    RefusedError,
    Rendered,
    lint,
    notes,
    template,
    template_text,
)
from tests.deploy.mounted_files import lay_out
from tests.deploy.schemas import schema_fault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LONG: Final = "a-release-with-the-longest-name-that-helm-can-take-53"

each_case = pytest.mark.parametrize("case", VALUES)


@each_case
def test_lint_has_no_remark(case: str) -> None:
    assert "0 chart(s) failed" in lint(VALUES[case])


@pytest.mark.parametrize("kube_version", [OLDEST, NEWEST])
@each_case
def test_objects_hold_to_their_schemas(case: str, kube_version: str) -> None:
    for found in rendered(case, kube_version).objects:
        assert schema_fault(found, kube_version=kube_version) is None, found


@each_case
def test_objects_fit_together(case: str) -> None:
    assert faults(rendered(case)) == []


@each_case
def test_helm_3_renders_the_same_objects(case: str) -> None:
    assert template(VALUES[case], helm="helm3") == rendered(case).objects


@pytest.mark.parametrize("release", [LONG, "a.b", "true", "oxidized-exporter-of-mine"])
@pytest.mark.parametrize("case", ["probes", "scrape-config", "config-map"])
def test_any_name_of_a_release_gives_names_that_hold(case: str, release: str) -> None:
    judged = Rendered(template(VALUES[case], release=release), given=given(VALUES[case]))
    assert faults(judged) == []
    assert [fault for found in judged.objects if (fault := schema_fault(found, kube_version=NEWEST))] == []
    assert len({(found["kind"], found["metadata"]["name"]) for found in judged.objects}) == len(judged.objects)


def test_a_release_that_begins_with_a_digit_is_refused_as_no_service_may() -> None:
    with pytest.raises(RefusedError, match=r'"1st-oxidized-exporter" begins with a digit.*set fullnameOverride'):
        template({}, release="1st")
    assert template({"fullnameOverride": "first"}, release="1st")[0]["metadata"]["name"] == "first"


def test_every_template_is_rendered_by_a_case() -> None:
    templates = {path.name for path in (CHART / "templates").glob("*.yaml")}
    printed = "".join(template_text(values) for values in VALUES.values())
    assert {name for name in templates if f"/templates/{name}\n" not in printed} == set()


@each_case
def test_the_configuration_passes_check_config(case: str, tmp_path: Path) -> None:
    file = lay_out(rendered(case), tmp_path)
    if file is None:
        assert "config" not in VALUES[case]
        return
    result = CliRunner().invoke(main, ["check-config", str(file)])
    assert result.exit_code == 0, result.output
    if "data" in VALUES[case].get("config", {}):
        assert yaml.safe_load(file.read_text()) == VALUES[case]["config"]["data"]


def test_the_version_is_the_package_s() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == __version__


def test_no_older_kubernetes_than_is_tested_is_taken() -> None:
    with pytest.raises(RefusedError, match=r"chart requires kubeVersion: >=1\.27\.0-0"):
        template({}, kube_version="1.26.15")


def test_a_change_of_the_configuration_rolls_the_pods_unless_it_is_reloaded() -> None:
    def pods_of(**config: object) -> object:
        return Rendered(template({"config": config})).pod

    first, second = {"limits": {"attempts": 1}}, {"limits": {"attempts": 2}}
    assert pods_of(data=first) == pods_of(data=first)
    assert pods_of(data=first) != pods_of(data=second)
    for on_change in ("reload", "none"):
        assert pods_of(data=first, onChange=on_change) == pods_of(data=second, onChange=on_change)


def test_values_never_take_the_place_of_what_selectors_ask_for() -> None:
    """The case `hostile` tries; that its selectors meet its labels shows that it does not succeed."""
    labels = rendered("hostile").pod["metadata"]["labels"]
    assert (labels["app.kubernetes.io/name"], labels["app.kubernetes.io/instance"]) == ("yes", "oxidized-exporter")


def test_text_of_the_values_is_never_a_template() -> None:
    (probe,) = rendered("hostile").of("Probe")
    assert probe["spec"]["targets"]["staticConfig"]["static"] == ["http://oxidized.example.net/{{ $x }}", "1:30"]
    assert probe["spec"]["jobName"] == "{{ .Release.Name }}"
    assert pods.exporter_of(rendered("hostile"))["env"][0]["value"] == "{{ fail `no` }}"


def test_an_image_is_the_chart_s_version_or_what_the_values_say() -> None:
    assert pods.exporter_of(rendered("default"))["image"].endswith(f"/oxidized-exporter:{__version__}")
    assert pods.exporter_of(rendered("scheduling"))["image"] == (
        "registry.example.net/oxidized-exporter:0.1.0-hardened@sha256:" + "a" * 64
    )


@pytest.mark.parametrize("case", ["default", "scheduling"])
def test_the_log_and_debugging_are_as_the_values_say(case: str) -> None:
    given = pods.flags(pods.exporter_of(rendered(case))["args"])
    wanted = ("info", "logfmt", False) if case == "default" else ("debug", "json", True)
    assert (given["log_level"], given["log_format"], given["web_enable_debug"]) == wanted


def curled(values: Mapping[str, object]) -> str:
    """Return the URL of the command in the notes."""
    (url,) = re.findall(r"  curl .*'(\S*)' \| grep ", notes(values))
    return str(url)


def test_the_command_of_the_notes_asks_below_the_prefix() -> None:
    assert urlsplit(curled({"externalUrl": "https://example.net/oxidized"})).path == "/oxidized/probe"
    assert urlsplit(curled({"externalUrl": "https://example.net/oxidized", "routePrefix": "/"})).path == "/probe"


@pytest.mark.parametrize("case", ["default", "config-map", "service-monitor"])
def test_the_notes_forward_a_port_of_the_service(case: str) -> None:
    (service,) = rendered(case).of("Service")
    (port,) = service["spec"]["ports"]
    forward = (
        f"port-forward service/{service['metadata']['name']} {urlsplit(curled(VALUES[case])).port}:{port['port']} &"
    )
    assert forward in notes(VALUES[case])


@pytest.mark.parametrize(
    "target", ["http://oxidized.example.net/a&b", "http://[2001:db8::1]:8888", "http://a.b/it's+1"]
)
def test_the_command_of_the_notes_asks_for_a_target_as_it_stands(target: str) -> None:
    """In quotes of the shell, and without what curl takes for a range."""
    url = curled({"probes": {"targets": [{"name": "eu", "targets": [target]}]}})
    assert parse_qs(urlsplit(url).query) == {"target": [target]}
    assert not set("'[]{} ") & set(url)


@pytest.mark.parametrize(
    "config,open_to_all",
    [
        ({}, True),
        ({"data": {"modules": {"default": {"devices": "failing"}}}}, True),
        ({"data": {"access": {"deny": ["10.0.0.0/8"]}, "targets": {}}}, True),
        ({"data": {"access": {"allow": ["10.0.0.0/8"]}}}, False),
        ({"data": {"targets": {"eu": {"url": "http://oxidized.example.net"}}}}, False),
        ({"existingConfigMap": "mine"}, False),
        ({"existingSecret": "mine"}, False),
    ],
)
def test_the_notes_warn_of_an_exporter_that_is_open_to_all(config: dict[str, object], open_to_all: bool) -> None:  # noqa: FBT001 - a row of the table
    assert ("WARNING: every URL can be probed" in notes({"config": config})) == open_to_all


def test_the_notes_tell_who_can_ask_for_a_reload() -> None:
    reload = VALUES["reload"]
    assert "Who is let in by networkPolicy.ingressFrom can also ask for a reload" in notes(reload)
    assert "Whoever reaches the exporter can also ask for a reload" in notes({"config": reload["config"]})
    assert "reload" not in notes({"config": {"data": reload["config"]["data"]}})


def test_the_notes_tell_that_nothing_is_probed_yet() -> None:
    assert "No Oxidized is probed yet" in notes({})
    assert "No Oxidized is probed yet" not in notes(VALUES["probes"])
    discovery = {"config": {"existingSecret": "a"}, "probes": {"discovery": {"enabled": True}}}
    assert "No Oxidized is probed yet" not in notes(discovery)


def test_the_example_of_the_readme_is_served(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n# my-values.yaml\n(.*?)```", (CHART / "README.md").read_text(), re.DOTALL)
    values = yaml.safe_load(example)
    judged = Rendered(template(values), given=given(values))
    assert faults(judged) == []
    assert {found["kind"] for found in judged.objects} >= {"Probe", "ServiceMonitor", "PrometheusRule"}
    assert CliRunner().invoke(main, ["check-config", str(lay_out(judged, tmp_path))]).exit_code == 0
