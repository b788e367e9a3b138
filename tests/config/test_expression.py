r"""Where expressions look: one for a label at the whole of it, one for a configuration at its lines."""

from __future__ import annotations

import pytest

from oxidized_exporter.config import Expression, LineExpression

TEXT = b"hostname sw1\ninterface 1\n no shutdown\nend\n"


@pytest.mark.parametrize(
    "expression,found",
    [
        ("sw1", True),
        ("^interface", True),
        ("sw1$", True),
        ("^shutdown", False),
        ("interface$", False),
        (r"\Ahostname", True),
        (r"\Ainterface", False),
        (r"end\n\z", True),
        (r"shutdown\z", False),
        ("hostname.*sw1", True),
        ("hostname.*interface", False),
        ("sw1.interface", False),
        ("(?s)sw1.interface", True),
        (r"sw1\ninterface", True),
        ("(?i)HOSTNAME|nowhere", True),
        ("HOSTNAME", False),
    ],
)
def test_a_line_expression_is_looked_for_as_grep_does(expression: str, *, found: bool) -> None:
    assert LineExpression(expression).found_in(TEXT) is found
    assert LineExpression(expression).found_in(bytearray(TEXT)) is found


def test_an_expression_matches_a_whole_label_whose_line_ends_are_characters_as_in_prometheus() -> None:
    assert Expression("a.b").matches("a\nb")
    assert not Expression("a").matches("a\nb")
