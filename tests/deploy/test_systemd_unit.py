"""deploy/systemd/: systemd's own judgement of the unit, and that it fits the program and its documentation."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import click
import pytest

from oxidized_exporter.cli import main
from oxidized_exporter.config import load_config
from oxidized_exporter.web import server
from tests.rule_files import ROOT

FOLDER: Final = ROOT / "deploy" / "systemd"
UNIT: Final = FOLDER / "oxidized-exporter.service"
README: Final = (FOLDER / "README.md").read_text()
INSTALLED: Final = "/opt/oxidized_exporter/bin/oxidized-exporter"
HERE: Final = Path(sys.executable).with_name("oxidized-exporter")
MOST_EXPOSURE: Final = 15
"""In tenths, of at most 100."""


def settings(name: str) -> list[str]:
    """Return the values of a setting of the unit, in order."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603 - fixed


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with the program of this checkout: systemd looks whether it is there."""
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace(INSTALLED, str(HERE)))
    return copy


def verified(unit: Path) -> str:
    """Return what systemd has to say about a unit; of most faults it says something and exits with 0."""
    done = analyze("verify", unit)
    return done.stdout + done.stderr + (f"exit code {done.returncode}" if done.returncode else "")


def test_systemd_has_nothing_to_say(unit: Path) -> None:
    assert verified(unit) == ""


@pytest.mark.parametrize(
    "right, wrong, told",
    [
        ("ProtectHome=yes", "ProtectHome=perhaps", "Failed to parse protect home value"),
        ("LockPersonality=yes", "LockPersonalty=yes", "LockPersonalty"),
        (str(HERE), "/nowhere/oxidized-exporter", "/nowhere/oxidized-exporter"),
        ("@system-service", "@sytem-service", "@sytem-service"),
        ("ExecReload=/bin/kill", "ExecReload=kil", "kil"),
    ],
)
def test_it_would_say_something_about_a_fault(right: str, wrong: str, told: str, unit: Path) -> None:
    assert right in unit.read_text()
    unit.write_text(unit.read_text().replace(right, wrong))
    assert told in verified(unit)


def exposure(unit: Path) -> tuple[int, str]:
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSURE}", "--no-pager", unit)
    return done.returncode, done.stdout + done.stderr


def test_it_is_hardly_exposed() -> None:
    code, told = exposure(UNIT)
    assert code == 0, told


def test_the_readme_tells_the_exposure_that_it_shows() -> None:
    (told,) = re.findall(r"calls its exposure ([\d.]+) of\s+10", README)
    assert f"for oxidized-exporter.service: {told} OK" in README
    assert float(told) * 10 <= MOST_EXPOSURE


@pytest.mark.parametrize("settings", ["Protect", "Private", "Restrict", "SystemCall"])
def test_it_would_be_exposed_without_a_part_of_its_sandbox(settings: str, unit: Path) -> None:
    less, count = re.subn(rf"^{settings}\w+=.*\n", "", unit.read_text(), flags=re.MULTILINE)
    assert count > 2
    unit.write_text(less)
    code, told = exposure(unit)
    assert code == 1, told


def test_it_has_the_type_that_the_program_speaks() -> None:
    assert settings("Type") == ["notify"]
    assert settings("ExecReload") == ["/bin/kill -HUP $MAINPID"]
    assert settings("NotifyAccess") == [], "the first process alone, which is the exporter"


def test_units_that_it_names_are_systemd_s_own() -> None:
    """systemd takes every name: of a unit that there is not, nothing is wanted, and nothing wants this one."""
    named = {name: settings(name) for name in ("Wants", "After", "WantedBy")}
    assert named["WantedBy"] == ["multi-user.target"]
    assert named["Wants"] == named["After"]
    folders = [Path(root, "lib", "systemd", "system") for root in ("/usr", "/")]
    for unit in {unit for units in named.values() for unit in units}:
        assert any((folder / unit).is_file() for folder in folders), unit


def test_it_is_started_again_unless_it_would_fail_in_the_same_way() -> None:
    assert settings("Restart") == ["on-failure"]
    assert settings("RestartPreventExitStatus") == [str(click.UsageError.exit_code)]


def test_it_does_without_what_the_readme_does_not_have_one_make() -> None:
    (variables,) = settings("EnvironmentFile")
    assert variables.startswith("-"), "a missing file would be a failed start"


def test_the_time_of_its_start_can_be_read() -> None:
    assert settings("ProcSubset") == [], "it comes from /proc/stat"


def test_its_user_is_its_own_which_systemd_counts_little() -> None:
    assert settings("DynamicUser") == ["yes"]
    assert settings("User") == []


def test_a_stop_has_the_time_that_the_program_takes() -> None:
    (limit,) = map(float, settings("TimeoutStopSec"))
    assert limit > server._DRAIN_SECONDS + 2 * server._LINGER_SECONDS  # noqa: SLF001 - what is compared


def test_its_families_of_addresses_are_those_of_listening_probing_and_notifying() -> None:
    assert settings("RestrictAddressFamilies") == ["AF_INET AF_INET6 AF_UNIX"]


@pytest.mark.parametrize("text", [UNIT.read_text(), README], ids=["unit", "README"])
def test_every_variable_is_of_a_flag(text: str) -> None:
    variables = {str(parameter.envvar) for parameter in main.params}
    named = set(re.findall(r"OXIDIZED_EXPORTER_[A-Z_]+", text))
    assert named
    assert named <= variables


def test_the_readme_is_of_this_unit() -> None:
    (secrets,) = settings("LoadCredential")
    name, _, folder = secrets.partition(":")
    assert settings("AssertPathIsDirectory") == [folder]
    assert f"install -d -m 700 {folder}" in README
    (variables,) = settings("EnvironmentFile")
    assert variables.removeprefix("-") in README
    assert INSTALLED in README
    assert f"`/run/credentials/{UNIT.name}/{name}_NAME`" in README
    assert f"`{folder}/eu` is `{name}_eu`" in README
    assert {f"/run/credentials/{UNIT.name}/{name}_"} == set(
        re.findall(r"/run/credentials/[^`\s]+?_(?=eu|NAME)", README)
    )


def test_the_configuration_in_the_readme_is_sound(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (tmp_path / "config.yml").write_text(example)
    config = load_config(str(tmp_path / "config.yml"), check_files=False)
    assert [str(connection.basic_auth.password_file) for connection in config.connections if connection.basic_auth] == [
        f"/run/credentials/{UNIT.name}/secrets_eu"
    ]
