from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.fuzz.files import directory

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", autouse=True)
def _directory_goes() -> Iterator[None]:
    """Remove the directory of configurations: a worker of pytest-xdist ends without being asked."""
    yield
    if directory.cache_info().currsize:
        shutil.rmtree(directory(), ignore_errors=True)
