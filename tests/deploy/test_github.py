""".github/: what actionlint and zizmor see of the workflows, and what they do not; the forms and Renovate's file."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.deploy import dockerfile
from tests.markdown_pages import anchors
from tests.rule_files import ROOT, read

FOLDER: Final = ROOT / ".github"
WORKFLOWS: Final = {file.stem: read(file) for file in sorted((FOLDER / "workflows").glob("*.yml"))}
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
STEPS: Final = [
    (f"{workflow}.{job}", step)
    for workflow, document in WORKFLOWS.items()
    for job, described in document["jobs"].items()
    for step in described.get("steps", ())
]
_SCHEMAS: Final = {
    "github-workflows": sorted((FOLDER / "workflows").iterdir()),
    "github-issue-forms": sorted({*(FOLDER / "ISSUE_TEMPLATE").iterdir()} - {FOLDER / "ISSUE_TEMPLATE" / "config.yml"}),
    "github-issue-config": [FOLDER / "ISSUE_TEMPLATE" / "config.yml"],
    "renovate": [FOLDER / "renovate.json"],
}


def say(program: str, *arguments: str | Path) -> str:
    """Run a program of the virtual environment in the repository and return all that it says, with its exit code."""
    folder = Path(sys.executable).parent
    command = [str(folder / program), *map(str, arguments)]
    environment = {"PATH": f"{folder}:/usr/bin:/bin"}  # actionlint looks for ShellCheck there
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - a linter
    return f"{done.stdout}{done.stderr}{done.returncode}"


def test_actionlint_finds_nothing() -> None:
    files = [FOLDER / "workflows" / f"{name}.yml" for name in WORKFLOWS]
    assert say("actionlint", "-no-color", "-shellcheck=shellcheck", *files) == "0"


def test_actions_are_given_what_they_take(tmp_path: Path) -> None:
    """actionlint knows the inputs of an action by its tag, and not by a digest."""
    for name in WORKFLOWS:
        text = (FOLDER / "workflows" / f"{name}.yml").read_text()
        (tmp_path / f"{name}.yml").write_text(re.sub(r"@[0-9a-f]{40} # (v\d+)\.\S+", r"@\1", text))
    assert say("actionlint", "-no-color", "-shellcheck=", *tmp_path.iterdir()) == "0"


def test_zizmor_finds_nothing() -> None:
    """Not even what it calls pedantic; that a permission has no comment beside it is part of that."""
    said = say("zizmor", "--offline", "--quiet", "--no-progress", "--persona=pedantic", "--strict-collection", FOLDER)
    assert said.endswith("\n0"), said
    assert "No findings to report" in said


@pytest.mark.parametrize("schema", _SCHEMAS)
def test_files_hold_to_their_schema(schema: str) -> None:
    assert _SCHEMAS[schema]
    said = say("check-jsonschema", f"--builtin-schema=vendor.{schema}", *_SCHEMAS[schema])
    assert said == "ok -- validation done\n0"


def test_renovate_knows_every_setting() -> None:
    """Its schema takes whatever it does not know."""
    schema = files("check_jsonschema") / "builtin_schemas" / "vendor" / "renovate.json"
    settings = json.loads((FOLDER / "renovate.json").read_text())
    assert settings.keys() - {"$schema"} <= json.loads(schema.read_text())["properties"].keys()
    assert {"github-actions", "dockerfile", "pip_requirements"} <= set(settings["enabledManagers"])


def test_actions_are_pinned_by_digest_with_their_version_beside_it() -> None:
    for name in WORKFLOWS:
        for line in (FOLDER / "workflows" / f"{name}.yml").read_text().splitlines():
            if "uses:" in line:
                assert re.fullmatch(r" +(- )?uses: (\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\$/\.github/\S+)", line), line
            if re.search(r"(?<!-)image[:=] ?\S", line):
                assert re.search(r"@sha256:[0-9a-f]{64}$", line), line


def test_an_action_has_one_digest() -> None:
    uses = {step["uses"] for _, step in STEPS if "uses" in step}
    names = [use.partition("@")[0] for use in uses]
    assert len(names) == len(set(names)), sorted(uses)


def test_rights_are_given_to_jobs_and_every_job_has_an_end() -> None:
    for name, document in WORKFLOWS.items():
        assert document["permissions"] == {}, name
        assert "concurrency" in document, name
        for job, described in document["jobs"].items():
            assert "permissions" in described, f"{name}.{job}"
            assert "uses" in described or described["timeout-minutes"] <= 60, f"{name}.{job}"


def test_only_what_publishes_may_write() -> None:
    writing = {
        f"{name}.{job}": {right for right, level in described["permissions"].items() if level == "write"}
        for name, document in WORKFLOWS.items()
        for job, described in document["jobs"].items()
    }
    assert {job: rights for job, rights in writing.items() if rights} == {
        "locks.propose": {"contents", "pull-requests", "actions"},
        "release.image": {"packages"},
        "release.chart": {"packages"},
        "release.pypi": {"id-token"},
        "release.attest": {"attestations", "id-token"},
        "release.release": {"contents"},
    }


def test_checkouts_keep_no_credentials_and_no_script_is_put_together_from_expressions() -> None:
    for place, step in STEPS:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, place
        assert "${{" not in step.get("run", ""), place


def test_the_suite_runs_on_every_python_that_is_said_to_work() -> None:
    said = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)]
    assert WORKFLOWS["tests"]["jobs"]["suite"]["strategy"]["matrix"]["python"] == said


def make_targets(workflow: str) -> set[str]:
    runs = "\n".join(step["run"] for place, step in STEPS if place.startswith(f"{workflow}.") and "run" in step)
    found = re.findall(r"^(?:sudo make|make|\.ci/run) (.+)$", runs, re.MULTILINE)
    return {word for line in found for word in line.split()}


def test_what_runs_are_a_developer_s_targets_and_none_of_ci_s_is_left_out() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for workflow in WORKFLOWS:
        assert make_targets(workflow) - {".venv/installed-deploy"} <= targets, workflow
    [default] = re.findall(r"set -- (.+)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    built = {"tools", "test-wheel", "sbom", "chart"}
    assert {*default.split(), *built} == make_targets("tests")
    assert built <= make_targets("release")


def test_nothing_is_published_before_all_is_tested_and_built() -> None:
    jobs: dict[str, dict[str, Any]] = WORKFLOWS["release"]["jobs"]

    def before(job: str) -> set[str]:
        needs = jobs[job].get("needs", [])
        direct = {needs} if isinstance(needs, str) else set(needs)
        return direct.union(*map(before, direct))

    for job in set(jobs) - {"tests", "build"}:
        assert {"tests", "build"} <= before(job), job
    assert before("release") == set(jobs) - {"release"}


def test_a_release_is_what_contributing_says() -> None:
    jobs = WORKFLOWS["release"]["jobs"]
    steps = {job: described.get("steps", ()) for job, described in jobs.items()}
    [pushed] = [step["with"] for step in steps["image"] if step.get("id") == "push"]
    assert pushed["platforms"].split(",") == ["linux/amd64", "linux/arm64"]
    assert (pushed["provenance"], pushed["sbom"]) == ("mode=max", True)
    assert jobs["pypi"]["environment"] == "pypi"
    assert any('-m tests.deploy.release "$GITHUB_REF_NAME"' in step.get("run", "") for step in steps["build"])
    published = re.findall(r"dist/\*\S+", steps["release"][-1]["run"])
    assert set(published) == set(steps["attest"][1]["with"]["subject-path"].split())


def test_tests_run_by_themselves_and_within_a_release() -> None:
    document = WORKFLOWS["tests"]
    assert "github.workflow" not in document["concurrency"]["group"], "the release would wait for itself"
    conditions = {name: job["if"] for name, job in document["jobs"].items() if "if" in job}
    assert conditions == {"wheel": "github.ref_type != 'tag'"}


def test_lock_files_are_made_and_tested_with_the_python_of_the_image() -> None:
    before, *_ = dockerfile.read(ROOT / "deploy" / "Dockerfile")
    [python] = re.findall(r"BASE=python:(3\.\d+)\.", " ".join(each.argument for each in before))
    for workflow, job in ("locks", "write"), ("tests", "deploy"):
        given = [
            step["with"].get("python-version") for step in WORKFLOWS[workflow]["jobs"][job]["steps"] if "with" in step
        ]
        assert python in given


def test_images_and_charts_are_pushed_where_the_chart_and_its_page_look_for_them() -> None:
    jobs = WORKFLOWS["release"]["jobs"]
    values = yaml.safe_load((ROOT / "deploy" / "helm" / "oxidized-exporter" / "values.yaml").read_text())
    assert jobs["image"]["env"]["IMAGE"] == values["image"]["repository"]
    assert jobs["attest"]["steps"][2]["with"]["subject-name"] == values["image"]["repository"]
    [registry] = re.findall(r"push dist/\*\.tgz (\S+)", jobs["chart"]["steps"][-1]["run"])
    assert f"{registry}/oxidized-exporter" in (ROOT / "deploy" / "helm" / "oxidized-exporter" / "README.md").read_text()


def test_a_report_of_a_fault_asks_for_what_tells_where_it_is() -> None:
    form = read(FOLDER / "ISSUE_TEMPLATE" / "bug.yml")
    required = " ".join(
        field["attributes"]["label"] for field in form["body"] if field.get("validations", {}).get("required")
    )
    for asked in ("--version", "oxidized-exporter probe", "debug=true", "Oxidized and oxidized-web"):
        assert asked in required


def test_links_lead_to_files_that_there_are() -> None:
    base = f"{PROJECT['urls']['Repository']}/blob/main/"
    texts = [file.read_text() for file in FOLDER.rglob("*") if file.is_file()]
    linked = {link for text in texts for link in re.findall(re.escape(base) + r"([\w./-]+)(?:#([\w-]+))?", text)}
    assert linked
    for link, anchor in linked:
        assert (ROOT / link).is_file(), link
        assert not anchor or anchor in anchors(ROOT / link), f"{link}#{anchor}"
