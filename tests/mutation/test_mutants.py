"""What is changed and what is not, and that a change gets into the tests; only with the extra `mutation`."""

from __future__ import annotations

import pytest

from tests.mutation.mutants import mutants
from tests.mutation.running import CannotRunError, Runner
from tests.mutation.scope import SCOPES, Scope
from tests.mutation.verdict import Change


def changes(source: str) -> set[str]:
    found = mutants(source, path="module.py")
    assert {change.path for change in found} <= {"module.py"}
    return {change.after for change in found}


def test_a_table_of_the_module_loses_one_element_after_the_other() -> None:
    assert changes("_A: Final = (1, 2)") == {
        *("_A: Final = (2, 2)", "_A: Final = (1, 3)", "_A: Final = None"),
        *("_A: Final = (2,)", "_A: Final = (1, )"),
    }


def test_functions_with_decorators_are_changed_and_their_decorators_are_not() -> None:
    assert changes("class A:\n    @cache(size=1)\n    def a(self) -> int:\n        return 1 + self.b") == {
        *("return 2 + self.b", "return 1 - self.b"),
    }


@pytest.mark.parametrize(
    "source",
    [
        "def a(b: int | None) -> Literal['x']: ...",
        "A: TypeAlias = int | str",
        "class A(Enum):\n    B = auto()",
        "Metric(help='What it is')",
    ],
)
def test_what_only_people_and_type_checkers_read_is_not_changed(source: str) -> None:
    assert not any(
        "XX" in change or "&" in change or "None" in change for change in changes(source) - {"Metric(help=None)"}
    )


def test_of_a_cast_only_the_value_is_changed() -> None:
    assert changes("cast('int', 1)") == {"cast('int', 2)"}


def test_a_line_that_stands_twice_gives_two_mutants_of_one_change() -> None:
    found = mutants("if a:\n    b(1)\nelse:\n    b(1)\n", path="module.py")
    assert found[Change("module.py", "b(1)", "b(2)")] == [
        "if a:\n    b(2)\nelse:\n    b(1)\n",
        "if a:\n    b(1)\nelse:\n    b(2)\n",
    ]


[_CONDITION] = (scope for scope in SCOPES if scope.path.endswith("condition.py"))


def test_each_mutant_is_run_in_place_of_its_module() -> None:
    source = _CONDITION.source()
    sources = [source, source.replace("now - last_success > max_age", "True")]
    assert list(Runner().survivors(_CONDITION, sources)) == [True, False]


def test_a_mutant_that_does_not_end_is_noticed() -> None:
    runner = Runner(limit=lambda seconds: seconds)
    assert list(runner.survivors(_CONDITION, ["while True: pass"])) == [False]


def test_tests_that_there_are_not_notice_nothing() -> None:
    scope = Scope("nothing", "oxidized_exporter/errors.py", ("tests/no_such_file.py",))
    with pytest.raises(CannotRunError):
        list(Runner().survivors(scope, [scope.source()]))
