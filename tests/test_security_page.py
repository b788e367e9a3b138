from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from oxidized_exporter.config import load_config
from oxidized_exporter.errors import ForbiddenTargetError
from oxidized_exporter.scrape.plan import plan
from oxidized_exporter.targets.url import parse_target

_ROOT: Final = Path(__file__).parent.parent
_PAGE: Final = (_ROOT / "docs" / "security.md").read_text()
_THREATS: Final = re.findall(r"^\| .* \|$", _PAGE.partition("## Threats")[2], re.MULTILINE)[2:]
_TEST: Final = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def _tests_in(path: Path) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, functions)}


def test_the_page_has_threats() -> None:
    assert len(_THREATS) > 20


@pytest.mark.parametrize("threat", _THREATS)
def test_every_threat_names_tests_that_exist(threat: str) -> None:
    named = _TEST.findall(threat.rsplit(" | ", maxsplit=1)[-1])
    assert named
    assert len(named) == threat.count("::")
    for file, test in named:
        assert test.startswith("test_")
        assert test in _tests_in(_ROOT / file)


def test_the_configuration_that_closes_the_door_does(tmp_path: Path) -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", _PAGE, re.DOTALL)
    (tmp_path / "config.yml").write_text(example)
    config = load_config(str(tmp_path / "config.yml"), check_files=False)
    for url in (
        "http://127.0.0.1:8888",
        "http://[::1]:8888",
        "http://10.21.0.1",
        "http://10.20.30.1",
        "http://[fd00::1]",
    ):
        with pytest.raises(ForbiddenTargetError):
            plan(parse_target(url), config=config)
    strange = plan(parse_target("http://strange.example.org"), config=config)
    assert strange.connection is None
    assert strange.policy.allow == config.access.allow
    known = plan(config.targets["eu-west"].target, config=config)
    assert known.connection is not None
    assert known.connection.basic_auth or known.connection.authorization
    assert not any(pattern.scheme == "http" for entry in config.connections for pattern in entry.targets)


def test_the_page_is_found() -> None:
    assert "(docs/security.md)" in (_ROOT / "README.md").read_text()
    assert "(docs/security.md)" in (_ROOT / "SECURITY.md").read_text()
