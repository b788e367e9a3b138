"""What `make test-wheel` says where there is nothing, or too much, to test; the workflows run it for real."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deploy.installed import run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("names", [(), ("a.whl",), ("a.tar.gz",), ("a.whl", "b.whl", "a.tar.gz")])
def test_one_wheel_and_one_source_distribution_are_needed(names: tuple[str, ...], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(FileNotFoundError, match="must hold one wheel and one source distribution: `make dist`"):
        run(tmp_path, [])
