"""What is mutated: the modules that decide, and the tests that have to notice."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import oxidized_exporter

ROOT: Final = Path(__file__).parents[2]


class Scope(NamedTuple):
    """A module, and who watches over it.

    Attributes:
        decides: what the module has a part in.
        path: of the module, from the project's directory on.
        tests: what pytest is given, likewise. Only those that concern the module, the quickest first: they run once for
            each mutant.
    """

    decides: str
    path: str
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        """What Python imports the module by."""
        return self.path.removesuffix(".py").replace("/", ".")

    @property
    def file(self) -> Path:
        """Where the module is installed."""
        return Path(oxidized_exporter.__file__).parents[1] / self.path

    def source(self) -> str:
        """Return the module's text."""
        return self.file.read_text()


SCOPES: Final = (
    Scope("deadline", "oxidized_exporter/scrape/deadline.py", ("tests/scrape/test_deadline.py",)),
    Scope("target parsing", "oxidized_exporter/targets/url.py", ("tests/targets/test_url.py",)),
    Scope("guard", "oxidized_exporter/targets/guard.py", ("tests/targets/test_guard.py",)),
    Scope(
        "guard",
        "oxidized_exporter/targets/address.py",
        ("tests/targets/test_address.py",),
    ),
    Scope("status mapping", "oxidized_exporter/oxidized/nodes.py", ("tests/oxidized/test_nodes.py",)),
    Scope(
        "status mapping",
        "oxidized_exporter/scrape/nodes.py",
        ("tests/scrape/test_nodes.py", "tests/metrics/test_collector.py"),
    ),
    Scope(
        "status mapping",
        "oxidized_exporter/metrics/catalogue.py",
        ("tests/metrics/test_collector.py", "tests/test_docs.py::test_the_metrics_page_is_current"),
    ),
    Scope("status mapping", "oxidized_exporter/commands/condition.py", ("tests/commands/test_condition.py",)),
    Scope("encoder", "oxidized_exporter/metrics/encoder.py", ("tests/metrics/test_encoder.py",)),
)
