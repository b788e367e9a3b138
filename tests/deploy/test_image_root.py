"""deploy/image_root.py, as far as it can run outside a build: which libraries it finds, and which it misses."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

import pytest

PROGRAM: Final = runpy.run_path(str(Path(__file__).parent.parent.parent / "deploy" / "image_root.py"))
needed_libraries: Final = PROGRAM["needed_libraries"]

_LOADED: Final = """
import bz2, ctypes, lzma, ssl, zlib
for line in open("/proc/self/maps"):
    if ".so" in line:
        print(line.split()[-1])
"""


@pytest.fixture
def interpreter(tmp_path: Path) -> Path:
    return Path(shutil.copy(Path(sys.executable).resolve(), tmp_path / "python3"))


def test_the_libraries_of_the_system_that_python_and_its_modules_load_are_found(interpreter: Path) -> None:
    """What a process has in its memory in the end is the judge."""
    command = (sys.executable, "-I", "-c", _LOADED)
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - fixed
    loaded = {Path(path) for path in done.stdout.split() if path.startswith(("/lib", "/usr/lib"))}
    modules = Path(sysconfig.get_config_var("DESTSHARED"))
    # Where Python itself is the system's, its modules lie among the libraries.
    loaded = {path for path in loaded if not path.is_relative_to(modules.resolve())}
    found = {Path(library).resolve() for library in needed_libraries([interpreter.parent, modules])}
    assert any("libc." in path.name for path in loaded)
    assert loaded <= found


def test_what_is_no_program_and_what_is_a_link_is_not_looked_at(interpreter: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(interpreter)
    (folder / "text").write_text("libc.so.6")
    assert list(needed_libraries([folder])) == []


def test_a_library_that_is_not_installed_ends_it(interpreter: Path) -> None:
    interpreter.write_bytes(interpreter.read_bytes().replace(b"libc.so.6\0", b"lib?.so.6\0"))
    with pytest.raises(SystemExit) as ended:
        list(needed_libraries([interpreter.parent]))
    assert str(ended.value.code).startswith(f"{interpreter} needs what is not installed:\n")
    assert "lib?.so.6 => not found" in str(ended.value.code)
