"""What `make test-wheel` says before it tests, where there is nothing or too much to test, or a part is missing.

The workflows run it for real.
"""

from __future__ import annotations

import tarfile
import zipfile
from typing import TYPE_CHECKING, Final

import pytest

from tests.deploy.installed import package, run, unlike_the_package
from tests.rule_files import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_MODULE: Final = "oxidized_exporter/commands/status_table.py"
_TYPED: Final = "oxidized_exporter/py.typed"
_STRANGE: Final = "oxidized_exporter/key.pem"


@pytest.mark.parametrize("names", [(), ("a.whl",), ("a.tar.gz",), ("a.whl", "b.whl", "a.tar.gz")])
def test_one_wheel_and_one_source_distribution_are_needed(names: tuple[str, ...], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(FileNotFoundError, match="must hold one wheel and one source distribution: `make dist`"):
        run(tmp_path, [])


def packed(folder: Path, *, in_wheel: set[str], in_source: set[str]) -> tuple[Path, Path]:
    """Write a wheel and a source distribution with those files of the package, and some that are not of it."""
    wheel, source = folder / "a.whl", folder / "a.tar.gz"
    with zipfile.ZipFile(wheel, "w") as into:
        for name in (*in_wheel, "a.dist-info/METADATA"):
            into.writestr(name, "")
    with tarfile.open(source, "w:gz") as into_source:
        for name in (*in_source, "PKG-INFO", "tests/__init__.py"):
            into_source.add(ROOT / "LICENSE", f"a/{name}")
    return wheel, source


def test_a_whole_wheel_and_a_whole_source_distribution_are_taken(tmp_path: Path) -> None:
    assert unlike_the_package(*packed(tmp_path, in_wheel=package(), in_source=package())) == []


@pytest.mark.parametrize("without", [_MODULE, _TYPED])
def test_what_is_left_out_or_does_not_belong_there_is_named(without: str, tmp_path: Path) -> None:
    assert without in package()
    packed(tmp_path, in_wheel=package() - {without}, in_source=package() | {_STRANGE})
    with pytest.raises(ValueError, match="lacks") as refused:
        run(tmp_path, [])
    assert str(refused.value).splitlines() == [
        f"a.whl lacks {without}",
        f"a.tar.gz has, which is not the package's, {_STRANGE}",
    ]
