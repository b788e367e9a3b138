"""The fuzz targets by name, and what belongs to each."""

from __future__ import annotations

import hashlib
import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzTarget:
    """One thing that is fuzzed.

    Attributes:
        name: of the module in this package.
        reads: what it is given, in a few words.
        longest: bytes of an input; with more a fuzzer gets slow, not better.
    """

    name: str
    reads: str
    longest: int

    @property
    def corpus(self) -> Path:
        """Inputs that together reach all that was ever reached."""
        return _HERE / "corpus" / self.name

    @property
    def findings(self) -> Path:
        """Inputs that once broke something."""
        return _HERE / "findings" / self.name

    def check(self) -> Callable[[bytes], None]:
        """Load the function that is fuzzed, and with it what it calls."""
        check: Callable[[bytes], None] = importlib.import_module(f"tests.fuzz.{self.name}").check
        return check

    def kept(self) -> list[Path]:
        """Return the files of the corpus and the findings."""
        return sorted(path for folder in (self.corpus, self.findings) for path in folder.glob("*"))


def keeping(check: Callable[[bytes], None], *, into: Path) -> Callable[[bytes], None]:
    """Return a check that keeps what breaks something, under libFuzzer's name for it.

    libFuzzer writes it when the process ends, which was seen not to happen.
    """

    def checked(data: bytes) -> None:
        try:
            check(data)
        except BaseException:
            (into / f"crash-{hashlib.sha1(data, usedforsecurity=False).hexdigest()}").write_bytes(data)
            raise

    return checked


TARGETS: Final[Mapping[str, FuzzTarget]] = {
    target.name: target
    for target in (
        FuzzTarget(name="nodes", reads="nodes.json", longest=4096),
        FuzzTarget(name="stats", reads="the statistics page", longest=4096),
        FuzzTarget(name="target", reads="`?target=`, a group, a name", longest=2100),
        FuzzTarget(name="config", reads="the configuration file", longest=4096),
        FuzzTarget(name="web_config", reads="the web configuration", longest=4096),
    )
}
