"""deploy/Dockerfile: what hadolint sees of it, and what it does not."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from oxidized_exporter import __version__
from oxidized_exporter.cli import main
from oxidized_exporter.web.listen_address import DEFAULT_PORT
from tests.deploy.dockerfile import Instruction, read
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCKERFILE: Final = ROOT / "deploy" / "Dockerfile"
BEFORE, BUILD, FINAL = read(DOCKERFILE)
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def only(keyword: str) -> Instruction:
    """Return the one instruction of that name in the final stage."""
    (instruction,) = (instruction for instruction in FINAL if instruction.keyword == keyword)
    return instruction


def arguments(stage: list[Instruction]) -> dict[str, str]:
    return dict(argument.argument.split("=", 1) for argument in stage if argument.keyword == "ARG")


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    command = [str(hadolint), "--no-fail", "--disable-ignore-pragma", "--format=json", str(DOCKERFILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - the linter
    assert json.loads(done.stdout) == []


def test_the_base_is_pinned_and_of_a_python_that_is_supported() -> None:
    base = arguments(BEFORE)["BASE"]
    matched = re.fullmatch(r"python:((3\.\d+)\.\d+)-slim-[a-z]+(@sha256:[0-9a-f]{64})?", base)
    assert matched
    assert SpecifierSet(PROJECT["requires-python"]).contains(matched[1])
    assert f"Programming Language :: Python :: {matched[2]}" in PROJECT["classifiers"]
    assert BUILD[0] == Instruction("FROM", "${BASE} AS build")
    assert FINAL[0] == Instruction("FROM", "scratch")


def test_nothing_is_installed_but_wheels_with_hashes_or_what_was_built_here() -> None:
    runs = " && ".join(instruction.argument for instruction in BUILD if instruction.keyword == "RUN")
    installing = [
        command for command in runs.split("&&") if re.search(r"\bpip\b.* (install|wheel|download)\b", command)
    ]
    assert len(installing) == 4
    for command in installing:
        assert "--only-binary :all: --require-hashes -r " in command or "--no-index" in command, command


def test_what_is_laid_out_and_looked_at_is_what_is_copied() -> None:
    (root, venv), *others = [
        words[words.index("image_root.py") + 1 :]
        for words in (instruction.words for instruction in BUILD if instruction.keyword == "RUN")
        if "image_root.py" in words
    ]
    assert not others
    copies = [instruction.words for instruction in FINAL if instruction.keyword == "COPY"]
    assert copies == [["--from=build", root, "/"], ["--from=build", venv, venv]]


def test_the_user_is_a_number_and_not_root() -> None:
    """Kubernetes's runAsNonRoot cannot judge a name."""
    matched = re.fullmatch(r"(\d+):(\d+)", only("USER").argument)
    assert matched
    assert int(matched[1]) > 0
    assert int(matched[2]) > 0


@pytest.mark.parametrize("keyword", ["RUN", "HEALTHCHECK", "ENTRYPOINT"])
def test_no_shell_is_needed(keyword: str) -> None:
    command = only(keyword).exec_form()
    assert command[0] in {*PROJECT["scripts"], "python3"}
    assert not {instruction.keyword for instruction in FINAL} & {"CMD", "SHELL"}


def imported_when_it_runs(node: ast.AST) -> Iterator[str]:
    """Yield the modules that are imported below ``node``, in its functions too; not those for type checkers alone."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield str(node.module)
    for below in ast.iter_child_nodes(node):
        yield from imported_when_it_runs(below)


def test_the_build_loads_all_that_the_exporter_may_load() -> None:
    files = sorted((ROOT / "oxidized_exporter").rglob("*.py"))
    needed = {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files}
    for file in files:
        modules = imported_when_it_runs(ast.parse(file.read_text()))
        needed |= {module for module in modules if module.split(".")[0] not in sys.stdlib_module_names}
    assert needed >= {"nagiosplugin", "re2", "rich.table", "oxidized_exporter.cli"}
    # The image has no extra.
    needed -= {Requirement(text).name for text in PROJECT["optional-dependencies"]["systemd"]}

    python, *options, program = only("RUN").exec_form()
    assert [python, *options] == ["python3", "-c"]
    command = [sys.executable, *options, f"{program}; import json, sys; print(json.dumps(list(sys.modules)))"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - this Python
    assert sorted(needed - set(json.loads(done.stdout))) == []


def test_the_health_check_is_a_command_that_gives_up_before_it_is_given_up() -> None:
    healthcheck = only("HEALTHCHECK")
    script, name = healthcheck.exec_form()
    assert PROJECT["scripts"][script] == "oxidized_exporter.cli:main"
    command = main.commands[name]
    (own,) = (parameter.default for parameter in command.params if parameter.name == "timeout")
    matched = re.search(r"--timeout=(\d+)s ", healthcheck.argument)
    assert matched
    assert isinstance(own, int)
    assert own < int(matched[1])


def test_port_and_signal() -> None:
    assert only("EXPOSE").argument == str(DEFAULT_PORT)
    assert only("STOPSIGNAL").argument == "SIGTERM"


def test_the_labels_say_what_the_project_says() -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', only("LABEL").argument))
    assert labels == {
        "title": "oxidized_exporter",
        "description": PROJECT["description"],
        "source": PROJECT["urls"]["Repository"],
        "licenses": PROJECT["license"],
        "version": "${VERSION}",
        "revision": "${REVISION}",
        "created": "${CREATED}",
    }
    assert arguments(FINAL) == {"VERSION": __version__, "REVISION": "unknown", "CREATED": "unknown"}


def test_the_environment_names_what_is_copied() -> None:
    environment = dict(word.split("=", 1) for word in only("ENV").words)
    (venv,) = (words[-1] for words in (i.words for i in FINAL if i.keyword == "COPY") if words[-1] != "/")
    assert environment["PATH"] == f"{venv}/bin"
    assert environment["SSL_CERT_FILE"] in (ROOT / "deploy" / "image_root.py").read_text()
    assert environment["PYTHONDONTWRITEBYTECODE"] == environment["PYTHONUNBUFFERED"] == "1"
