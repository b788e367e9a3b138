"""release.yml: what no linter sees, and a first release would find out: what it publishes, hands on, and names."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest

from tests.deploy.test_github import WORKFLOWS
from tests.rule_files import ROOT

RELEASE: Final[dict[Any, Any]] = WORKFLOWS["release"]
JOBS: Final[dict[str, dict[str, Any]]] = RELEASE["jobs"]
KINDS: Final = {"dist/*.whl", "dist/*.tar.gz", "dist/*.tgz", "dist/*.cdx.json"}
ALL_JOBS: Final = [
    (f"{name}.{job}", described) for name, document in WORKFLOWS.items() for job, described in document["jobs"].items()
]


def before(job: str, jobs: dict[str, Any]) -> set[str]:
    """Return the jobs that have ended when a job begins."""
    needs = jobs[job].get("needs", [])
    direct = {needs} if isinstance(needs, str) else set(needs)
    return direct.union(*(before(each, jobs) for each in direct))


def used(job: dict[str, Any], action: str) -> list[dict[str, Any]]:
    """Return what a job gives an action, each time that it is used."""
    return [step.get("with", {}) for step in job.get("steps", ()) if step.get("uses", "").startswith(f"{action}@")]


def artifacts(wanted: dict[str, Any]) -> set[str]:
    """Return the names that a download means: one, or those between the braces of a pattern."""
    if "name" in wanted:
        return {wanted["name"]}
    assert re.fullmatch(r"\{\w+(,\w+)*\}", wanted["pattern"]), wanted
    return set(wanted["pattern"].strip("{}").split(","))


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_what_a_job_downloads_has_been_uploaded_before(workflow: str) -> None:
    jobs = WORKFLOWS[workflow]["jobs"]
    for name, job in jobs.items():
        there = {each["name"] for other in before(name, jobs) for each in used(jobs[other], "actions/upload-artifact")}
        for wanted in used(job, "actions/download-artifact"):
            assert artifacts(wanted) <= there, f"{workflow}.{name}"


@pytest.mark.parametrize("place, job", ALL_JOBS, ids=[place for place, _ in ALL_JOBS])
def test_files_and_modules_that_a_job_names_are_there(place: str, job: dict[str, Any]) -> None:
    steps = job.get("steps", ())
    texts = [text for step in steps for text in (step.get("run", ""), str(step.get("with", {}).get("file", "")))]
    said = "\n".join(texts)
    modules = [f"{module.replace('.', '/')}.py" for module in re.findall(r"-m (tests\.[\w.]+)", said)]
    dockerfiles = re.findall(r"--file (\S+)", said) + [given["file"] for given in used(job, "docker/build-push-action")]
    for name in {*modules, *dockerfiles, *re.findall(r"(?<![\w./-])(?:deploy|tests|\.ci)/[\w./-]*[\w]", said)}:
        assert (ROOT / name).exists(), f"{place}: {name}"


def test_it_begins_with_a_tag_of_a_version_and_nothing_else() -> None:
    assert RELEASE[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads `on` as true


def test_what_is_tried_is_what_is_pushed() -> None:
    """Other arguments would be another image, built anew."""
    tried = "\n".join(step.get("run", "") for step in JOBS["image"]["steps"])
    (pushed,) = used(JOBS["image"], "docker/build-push-action")
    given = {line.partition("=")[0] for line in pushed["build-args"].splitlines()}
    assert set(re.findall(r"--build-arg (\w+)=", tried)) == given
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    assert given <= set(re.findall(r"^ARG (\w+)", dockerfile, re.MULTILINE))


def test_all_that_is_built_is_attested_and_attached() -> None:
    uploaded = {line for given in used(JOBS["build"], "actions/upload-artifact") for line in given["path"].split()}
    assert uploaded == KINDS | {"dist/notes.md"}
    files, image = used(JOBS["attest"], "actions/attest-build-provenance")
    assert set(files["subject-path"].split()) == KINDS
    assert image["subject-digest"] == "${{ needs.image.outputs.digest }}"
    (command,) = [step["run"] for step in JOBS["release"]["steps"] if "run" in step]
    assert set(re.findall(r"dist/\*\S+", command)) == KINDS
    assert "--notes-file dist/notes.md" in command
