from __future__ import annotations

import copy
import json
import pickle
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxidized_exporter.config import BasicAuth, Connection, Secret
from oxidized_exporter.targets.pattern import TargetPattern

SECRET = Secret("hunter2")


def test_only_reveal_gives_the_text() -> None:
    assert SECRET.reveal() == "hunter2"


@pytest.mark.parametrize(
    "shown",
    [
        str(SECRET),
        repr(SECRET),
        f"{SECRET}",
        f"{SECRET!r:>10}",
        f"{SECRET:>10}",
        f"{SECRET:s}",
        "%s %r" % (SECRET, SECRET),  # noqa: UP031 - a surface of its own
        str([SECRET]),
        json.dumps({"password": SECRET}, default=str),
        repr(BasicAuth(username="x", password=SECRET)),
        str(asdict(BasicAuth(username="x", password=SECRET))),
        repr(Connection(targets=(TargetPattern.parse("http://a"),), basic_auth=BasicAuth(password=SECRET))),
    ],
)
def test_every_other_surface_hides_it(shown: str) -> None:
    assert "<secret>" in shown
    assert "hunter2" not in shown


def test_it_is_not_pickled() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match=r"^a secret is not pickled$"):
            pickle.dumps(SECRET, protocol)


def test_a_copy_is_itself() -> None:
    assert copy.copy(SECRET) is SECRET
    assert copy.deepcopy(SECRET) is SECRET


def test_it_has_no_dict_and_no_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(SECRET)
    with pytest.raises(TypeError, match="__dict__"):
        vars(SECRET)


@given(st.text(), st.text())
def test_equality_is_that_of_the_text(one: str, other: str) -> None:
    assert Secret(one) == Secret(one)
    assert (Secret(one) == Secret(other)) is (one == other)
    assert Secret(one) != one
