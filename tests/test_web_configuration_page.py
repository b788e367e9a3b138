"""docs/web-configuration.md: its tables, its commands, and what it shows of their output."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner

from oxidized_exporter.cli import main
from oxidized_exporter.web.web_config_loader import json_schema, load_web_config
from tests.rule_files import promtool
from tests.web_configuration_page import PAGE, page

if TYPE_CHECKING:
    from pathlib import Path

_TEXT: Final = PAGE.read_text()
_EXAMPLE, _PROMETHEUS, _DISCOVERY = re.findall(r"```yaml\n(.*?)```", _TEXT, re.DOTALL)
_CERTIFICATES, _HASH = re.findall(r"```sh\n(.*?)```", _TEXT, re.DOTALL)
[_CHECK] = re.findall(r"```console\n\$ oxidized-exporter (.*?)\n(?s:(.*?))```", _TEXT)


def test_the_tables_are_current() -> None:
    assert page() == _TEXT, "run `make docs`"


def test_every_key_is_described() -> None:
    for definition in (json_schema(), *json_schema()["$defs"].values()):
        for key, value in definition["properties"].items():
            assert value.get("description"), key


def test_the_commands_make_what_the_example_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (openssl := shutil.which("openssl")):
        pytest.skip("needs the command openssl")
    if not shutil.which("promtool"):
        pytest.skip("needs promtool: Debian package prometheus")
    monkeypatch.chdir(tmp_path)
    done = subprocess.run(["/bin/sh", "-e", "-c", _CERTIFICATES], capture_output=True, text=True, check=False)  # noqa: S603 - the page's
    assert done.returncode == 0, done.stderr
    (tmp_path / "web.yml").write_text(_EXAMPLE)
    arguments, output = _CHECK
    result = CliRunner().invoke(main, arguments.split())
    assert (result.exit_code, result.output) == (0, output)
    verified = subprocess.run(  # noqa: S603 - of the system
        [openssl, "verify", "-purpose", "sslclient", "-CAfile", "ca.crt", "client.crt"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.stdout == "client.crt: OK\n"
    for settings in (_PROMETHEUS, _DISCOVERY):
        named = re.findall(r"[\w.]+\.(?:crt|key)", settings)
        assert len(named) == 3
        assert all((tmp_path / name).exists() for name in named)
    (tmp_path / "password").touch()
    (tmp_path / "prometheus.yml").write_text(_DISCOVERY)
    checked = promtool("check", "config", tmp_path / "prometheus.yml")
    assert checked.returncode == 0, checked.stderr


def test_the_command_for_a_hash_makes_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = re.findall(r"^python3 -c '(.*)'$", _HASH.strip())
    printed: list[str] = []
    monkeypatch.setattr("getpass.getpass", lambda: "hunter2")
    exec(code, {"print": printed.append})  # noqa: S102 - what the page says
    path = tmp_path / "web.yml"
    path.write_text(f"basic_auth_users:\n  prometheus: {printed[0]}\n")
    assert load_web_config(str(path)).summary == "no TLS, 1 user"


def test_the_page_is_found() -> None:
    assert "(docs/web-configuration.md)" in (PAGE.parent.parent / "README.md").read_text()
