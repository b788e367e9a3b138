"""What cannot be done: told before anything is asked, by an exit code that means nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from oxidized_exporter.cli import main

if TYPE_CHECKING:
    from pathlib import Path


def ended(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, arguments, prog_name="oxidized-exporter")
    return done.exit_code, done.stdout.rstrip(), done.stderr.rstrip()


MISTAKES = [
    ([], "TARGET"),
    (["nobody"], "no target 'nobody' is configured"),
    (["http://a:1?x"], "may not hold a query"),
    (["http://169.254.169.254"], "link-local"),
    (["http://a:1", "--module=none"], "no module 'none'"),
    (["http://a:1", "--timeout=0"], "--timeout"),
    (["http://a:1", "--timeout=nan"], "--timeout"),
    (["http://a:1", "--loud"], "--loud"),
    (["http://a:1", "--config.file=/nowhere.yml"], "/nowhere.yml"),
]


@pytest.mark.parametrize("command", ["probe", "check", "status"])
def test_every_flag_has_a_variable_of_its_own_but_the_configuration(command: str) -> None:
    for flag in main.commands[command].params:
        if isinstance(flag, click.Option):
            name = flag.opts[0].removeprefix("--").replace(".", "_").replace("-", "_")
            of_its_own = "" if name == "config_file" else f"{command}_"
            assert flag.envvar == f"OXIDIZED_EXPORTER_{of_its_own}{name}".upper()


@pytest.mark.parametrize("arguments, named", MISTAKES)
@pytest.mark.parametrize("command", ["probe", "status"])
def test_what_cannot_be_done_ends_with_2_and_no_output(command: str, arguments: list[str], named: str) -> None:
    code, out, err = ended(command, *arguments)
    assert (code, out) == (2, "")
    assert named in err.splitlines()[-1]


def test_probe_refuses_a_collector_that_the_module_lacks() -> None:
    code, _, err = ended("probe", "http://a:1", "--collect=stats")
    assert code == 2
    assert err.endswith("--collect: the module default has no 'stats'; it has: nodes")


@pytest.mark.parametrize(
    "arguments, named",
    [
        *((["check", *arguments], named) for arguments, named in MISTAKES),
        (["check", "http://a:1", "http://b:1"], "unexpected extra argument"),
        (["check", "http://a:1", "-w", "a"], "no range"),
        (["check", "http://a:1", "-c", "5:1"], "no range"),
        (["check", "http://a:1", "--max-age=2"], "must be a duration"),
        (["check", "http://a:1", "--max-age=0s"], "longer than 0"),
        (["--loud", "check", "http://a:1"], "--loud"),
        (["--log.level=loud", "check", "http://a:1"], "--log.level"),
        (["--config.file=x", "check", "http://a:1"], "--config.file is for serving"),
    ],
)
def test_whatever_is_wrong_with_the_call_of_check_is_unknown(arguments: list[str], named: str) -> None:
    code, out, err = ended(*arguments)
    assert (code, err) == (3, "")
    assert out.startswith("OXIDIZED UNKNOWN - ")
    assert out.count("\n") == out.count("|") == 0
    assert named in out


def test_every_fault_of_the_file_is_counted_by_check(tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text("a: 1\nb: 2\nc: 3\n")
    code, out, _ = ended("check", "http://a:1", f"--config.file={config}")
    assert code == 3
    assert re.fullmatch(rf"OXIDIZED UNKNOWN - {config}:1: a: unknown key.* and 2 more", out)


def test_the_help_of_check_is_no_success() -> None:
    """As the guidelines want it: a check that asks for help by mistake must not be OK."""
    code, out, _ = ended("check", "--help")
    assert code == 3
    assert out.startswith("Usage: oxidized-exporter check ")
