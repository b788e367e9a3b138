"""The directory of a configuration that is fuzzed, and what holds of all faults."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.web.certificates import PASSWORD, make_certificates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oxidized_exporter.errors import Fault

MARK: Final = PASSWORD
"""Stands in the seeds wherever a secret does."""

IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - only a directory in it is used, with a name that nobody can guess
_PEM: Final = ("server.crt", "server.key", "other.key")
_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_URL: Final = re.compile(r"https?://")
_ELSEWHERE: Final = re.compile(r"(?<![A-Za-z0-9_*.$/\]-])/|\.\./|\\")


@cache
def directory() -> Path:
    """Make a directory with certificates, keys, a pipe and a folder in it, and return it; it goes with the process."""
    in_memory = str(IN_MEMORY) if IN_MEMORY.is_dir() else None  # elsewhere writing may take longer than all the reading
    made = Path(tempfile.mkdtemp(prefix="fuzz-", dir=os.environ.get("TMPDIR", in_memory)))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    make_certificates(made).write_odd_ones()
    (made / "not_pem.txt").write_text("no certificate\n")
    (made / "folder").mkdir()
    return made


def write(data: bytes, name: str) -> Path:
    """Write a configuration; ``@server.crt@`` in it stands for what is in that file, so that no corpus holds a key."""
    for pem in _PEM:
        if (mark := f"@{pem}@".encode()) in data:
            text = (directory() / pem).read_text().replace("\n", r"\n")
            data = data.replace(mark, f'"{text}"'.encode())
    path = directory() / name
    path.write_bytes(data)
    return path


def names_files_elsewhere(data: bytes) -> bool:
    """Tell whether a configuration may name a file outside of the directory: nothing of the machine is read.

    Whoever writes a configuration may name each file that there is, and opening some of them does something.
    """
    return _ELSEWHERE.search(_URL.sub("x", data.decode(errors="replace"))) is not None


def check_faults(faults: Sequence[Fault], *, path: Path, data: bytes) -> None:
    """Make sure that each fault is one line that says where and what, in the order of the lines."""
    assert faults, "it is refused without a fault"
    lines = len(_BREAK.split(data.decode(errors="replace")))
    for fault in faults:
        assert fault.file == str(path)
        assert fault.line is not None, "a fault has no line"
        assert 1 <= fault.line <= lines, "a fault has a line that is not there"
        assert fault.message
        assert str(fault).isprintable(), "a fault is more than a line"
    assert list(faults) == sorted(dict.fromkeys(faults), key=lambda fault: fault.line or 0), "faults are in no order"


def shows_mark(faults: Sequence[Fault]) -> bool:
    """Tell whether what stands for a secret is shown."""
    return any(MARK in str(fault) for fault in faults)
