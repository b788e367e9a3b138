"""tests/install_tools.sh, which `make tools` runs, on machines that have this or that."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import pytest

if TYPE_CHECKING:
    from subprocess import CompletedProcess

_SCRIPT: Final = Path(__file__).parent / "install_tools.sh"
_TOOLS: Final = ("prometheus", "promtool", "prometheus-alertmanager", "amtool", "curl", "openssl", "systemd-analyze")
_ROOT, _SOMEBODY = "0", "1000"
_TOLD: Final = "Put them on the PATH; on Debian, `make tools` as root installs them.\n"


class Run(Protocol):
    def __call__(self, *programs: str, user: str) -> CompletedProcess[str]: ...


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run it where there are these programs and no others; apt-get prints its arguments."""
    shell = shutil.which("sh")
    assert shell is not None

    def run(*programs: str, user: str) -> CompletedProcess[str]:
        for name, lines in {"id": f"echo {user}", **dict.fromkeys(programs, 'echo "$@"')}.items():
            program = tmp_path / name
            program.write_text(f"#!{shell}\n{lines}\n")
            program.chmod(0o755)
        environment = {"PATH": str(tmp_path)}
        command = [shell, str(_SCRIPT)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - fixed

    return run


def test_where_all_is_there_nothing_is_done(run: Run) -> None:
    done = run(*_TOOLS, "apt-get", user=_ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("user, programs", [(_SOMEBODY, ("apt-get",)), (_ROOT, ()), (_SOMEBODY, ())])
def test_who_cannot_install_is_told_what_is_missing(user: str, programs: tuple[str, ...], run: Run) -> None:
    done = run("promtool", "curl", *programs, user=user)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"missing: prometheus prometheus-alertmanager amtool openssl systemd-analyze\n{_TOLD}"


def test_root_on_debian_has_them_installed(run: Run) -> None:
    done = run("apt-get", user=_ROOT)
    assert done.returncode == 0
    assert done.stderr == f"missing: {' '.join(_TOOLS)}\n"
    update, install = done.stdout.splitlines()
    assert update.startswith("update")
    assert install.endswith(" prometheus prometheus-alertmanager curl openssl systemd")
