"""One fuzz target in a process of its own: ``python -m tests.fuzz.fuzzing NAME FOLDER FLAGS…``.

The flags are libFuzzer's; what breaks something is written into the folder.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import atheris

from tests.fuzz.targets import TARGETS, keeping


def main() -> None:
    """Instrument what is to be explored while it is loaded, and fuzz until libFuzzer ends the process."""
    _, name, found, *flags = sys.argv
    with atheris.instrument_imports(include=["oxidized_exporter", "yaml"]):
        check = TARGETS[name].check()
    itself = shlex.join([sys.executable, "-m", "tests.fuzz.fuzzing", name, found])  # which libFuzzer starts to merge
    atheris.Setup([itself, f"-artifact_prefix={found}/", *flags], keeping(check, into=Path(found)))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
