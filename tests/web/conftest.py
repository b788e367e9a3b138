from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.certificates import Certificates, make_certificates

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def certificates(issued: Certificates, tmp_path: Path) -> Certificates:
    """An authority, and what it has signed, in a directory of this test's."""
    return issued.copied(tmp_path)


@pytest.fixture
def web_config_path(tmp_path: Path) -> Path:
    return tmp_path / "web.yml"
