from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

import pytest
from click.testing import CliRunner

from oxidized_exporter import cli, compose
from oxidized_exporter.errors import ListenError

if TYPE_CHECKING:
    from pathlib import Path

    from oxidized_exporter.config import Config


def run(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the command under test
        [sys.executable, "-m", "oxidized_exporter", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=30,
    )


def test_check_config_says_what_a_good_file_configures(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("modules: {x: {}}\nconnections: [{targets: ['http://a']}]\n")
    done = run("check-config", str(path))
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"{path}: 2 modules, 1 connection, 0 targets\n",
        "",
    )


def test_check_config_prints_every_fault_and_fails(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("modul: {}\ntargets: {a: {url: a}}\n")
    done = run("check-config", str(path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{path}:1: modul: unknown key; did you mean modules?\n"
        f"{path}:2: targets.a.url: must be absolute: http[s]://host[:port][/prefix]\n"
    )


@pytest.mark.parametrize("by_flag", [True, False])
def test_a_bad_file_is_not_served(tmp_path: Path, *, by_flag: bool) -> None:
    path = tmp_path / "config.yml"
    path.write_text("modul: {}\n")
    done = (
        run(f"--config.file={path}", "--web.listen-address=127.0.0.1:0")
        if by_flag
        else run(
            "--web.listen-address=127.0.0.1:0", environment=os.environ | {"OXIDIZED_EXPORTER_CONFIG_FILE": str(path)}
        )
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{path}:1: modul: unknown key; did you mean modules?\n"


def test_a_good_file_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.yml"
    path.write_text("modules: {mine: {}}\n")
    served: list[Config] = []

    def open_exporter(*, config: Config, **_: object) -> NoReturn:
        served.append(config)
        raise ListenError("far enough")

    monkeypatch.setattr(compose, "open_exporter", open_exporter)
    done = CliRunner().invoke(cli.main, [f"--config.file={path}"])
    assert (done.exit_code, done.output) == (1, "Error: far enough\n")
    assert list(served[0].modules) == ["default", "mine"]


def test_sigterm_before_it_serves_ends_it_with_0() -> None:
    """Unhandled, it would end any process but the first of a container, which would go on."""
    code = """if True:
        import os, signal
        from oxidized_exporter import cli, compose
        compose.open_exporter = lambda **_: os.kill(os.getpid(), signal.SIGTERM)
        cli.main(["--web.listen-address=127.0.0.1:0"])
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)  # noqa: S603 - the code above
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
