"""Lays out the root of the image: this Python, the libraries that it and the exporter load, and nothing else.

deploy/Dockerfile runs it in its build stage, whose shell may be any: ``python3 image_root.py ROOT VENV``.
"""

from __future__ import annotations

import compileall
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What a service never loads: installers, tests, windows, terminals, databases.
_LEFT_OUT: Final = shutil.ignore_patterns(
    "__pycache__",
    *("config-*", "distutils", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "site-packages", "test", "tests"),
    *("curses", "dbm", "sqlite3", "tkinter", "turtle.py", "turtledemo"),
    *("_ctypes_test.*", "_curses*.so", "_dbm.*", "_gdbm.*", "_sqlite3.*", "_test*.so", "_tkinter.*", "_xx*.so"),
    *("nis.*.so", "readline.*.so", "xx*.so"),
)
_FILES: Final = ("/etc/nsswitch.conf", "/etc/os-release", "/etc/ssl/certs/ca-certificates.crt")
_PACKAGES_OF_FILES: Final = {"base-files", "ca-certificates"}
# "libz.so.1 => /lib/….so.1 (0x…)", and the loader's own line without an arrow
_LIBRARY: Final = re.compile(r"^\t(?:\S+ => )?(/(?:usr/)?lib\S*) \(", re.MULTILINE)


def main(root: Path, venv: Path) -> None:
    """Fill ``root``.

    Args:
        root: of the image; a folder that is not there yet.
        venv: the exporter's, which is looked at and not copied.

    Raises:
        SystemExit: a library that is needed is not installed.
        subprocess.CalledProcessError: a library belongs to no package.
    """
    copy_python(root)
    libraries = set(needed_libraries([root, venv]))
    for file in (*libraries, *_FILES):
        copy(file, root)
    for package in _PACKAGES_OF_FILES | set(packages_of(libraries)):
        # Where scanners look for the packages of an image without a package manager; and their licences.
        status = root / "var/lib/dpkg/status.d" / package
        status.parent.mkdir(parents=True, exist_ok=True)
        status.write_text(_output("dpkg-query", "--status", package))
        copy(f"/usr/share/doc/{package}/copyright", root)


def copy_python(root: Path) -> None:
    """Copy interpreter and standard library, compiled: the image cannot be written to when it runs."""
    library = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(library, root / library.relative_to("/"), ignore=_LEFT_OUT, symlinks=True)
    compileall.compile_dir(
        root / library.relative_to("/"),
        stripdir=str(root),
        quiet=1,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    copy(sys.executable, root)
    copy(str(library.parent / sysconfig.get_config_var("INSTSONAME")), root)


def needed_libraries(folders: Iterable[Path]) -> Iterator[str]:
    """Yield the shared libraries of the system that programs and modules in ``folders`` are linked with."""
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_symlink() or not file.is_file():
                continue
            with file.open("rb") as opened:
                if opened.read(4) != b"\x7fELF":
                    continue
            linked = _output("ldd", str(file))
            if "not found" in linked:
                sys.exit(f"{file} needs what is not installed:\n{linked}")
            yield from _LIBRARY.findall(linked)


def packages_of(files: Iterable[str]) -> Iterator[str]:
    """Yield the Debian packages that the files are of; their folder may be listed by either of its two names."""
    for file in files:
        for line in _output("dpkg-query", "--search", f"*/{Path(file).name}").splitlines():
            yield line.partition(":")[0]


def copy(file: str, root: Path) -> None:
    """Copy a file, or what a link leads to, to the same place below ``root``."""
    to = root / file.removeprefix("/")
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file, to)


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - fixed commands


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
