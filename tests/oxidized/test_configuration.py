"""Where configurations are asked for, and what is counted of them."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oxidized_exporter.oxidized.configuration import MOST_HELD, Configuration, Counting, Skip, fetch_path

_RECORDINGS: Final = Path(__file__).parents[1] / "recordings"

segments = st.text(alphabet=st.sampled_from("./\\%?#;: \n\x00aé漢..jsonJSON2eEfF5cC"), max_size=8)


def path_of(group: str | None, name: str) -> str | Skip:
    """Ask as the node list shows a device: without a group under `default`."""
    if group is None:
        return fetch_path(full_name=name, name=name, group="default")
    return fetch_path(full_name=f"{group}/{name}", name=name, group=group)


@pytest.mark.parametrize(
    "group,name,path",
    [
        ("access", "sw1", "/node/fetch/access/sw1"),
        ("dc1/core", "rtr-01", "/node/fetch/dc1/core/rtr-01"),
        (None, "sw1", "/node/fetch/sw1"),
        ("default", "sw1", "/node/fetch/default/sw1"),
        ("a b", "c?d#e;f:g", "/node/fetch/a%20b/c%3Fd%23e%3Bf%3Ag"),
        ("zürich", "漢", "/node/fetch/z%C3%BCrich/%E6%BC%A2"),
        ("...", "..a", "/node/fetch/.../..a"),
        ("a", "json5", "/node/fetch/a/json5"),
        ("a", "edge.json.x", "/node/fetch/a/edge.json.x"),
        ("a.json", "b", "/node/fetch/a.json/b"),
    ],
)
def test_the_path_of_a_configuration(group: str | None, name: str, path: str) -> None:
    assert path_of(group, name) == path


@pytest.mark.parametrize(
    "group,name,skip",
    [
        ("a", "edge.", Skip.JSON_NAME),
        ("a", "edge.json.", Skip.JSON_NAME),
        ("a", "json", Skip.JSON_NAME),
        (None, "json", Skip.JSON_NAME),
        ("a", ".", Skip.UNSAFE_NAME),
        ("a", "..", Skip.UNSAFE_NAME),
        ("..", "b", Skip.UNSAFE_NAME),
        ("a", "..?", Skip.UNSAFE_NAME),
        (None, "..#b", Skip.UNSAFE_NAME),
        (".?c", "b", Skip.UNSAFE_NAME),
        ("a/../b", "c", Skip.UNSAFE_NAME),
        ("a", "../../../reload", Skip.UNSAFE_NAME),
        ("a", "b/c", Skip.UNSAFE_NAME),
        ("a", "..\\..\\reload", Skip.UNSAFE_NAME),
        ("a\\b", "c", Skip.UNSAFE_NAME),
        ("a", "b\n", Skip.UNSAFE_NAME),
        ("a", "b\x7f", Skip.UNSAFE_NAME),
        ("a", "b\x85", Skip.UNSAFE_NAME),
        ("a", "%2e%2e", Skip.UNSAFE_NAME),
        ("a%2f..", "b", Skip.UNSAFE_NAME),
        ("a", "\ud800", Skip.UNSAFE_NAME),
        ("a", "", Skip.UNSAFE_NAME),
        (None, "", Skip.UNSAFE_NAME),
        (None, "..", Skip.UNSAFE_NAME),
        ("", "edge-01", Skip.EMPTY_GROUP),
        ("a//b", "c", Skip.EMPTY_GROUP),
        ("a/", "c", Skip.EMPTY_GROUP),
        ("a", "edge.json", Skip.JSON_NAME),
        (None, ".json", Skip.JSON_NAME),
    ],
)
def test_a_configuration_that_is_not_asked_for(group: str | None, name: str, skip: Skip) -> None:
    assert path_of(group, name) is skip


def test_a_name_that_does_not_fit_its_full_name_is_not_asked_for() -> None:
    assert fetch_path(full_name="a/sw1", name="sw1", group="b") is Skip.UNSAFE_NAME
    assert fetch_path(full_name="reload", name="sw1", group="default") is Skip.UNSAFE_NAME


@given(group=st.one_of(st.none(), segments), name=segments)
@example(group="g", name="..%2F..%2F..%2Freload")
def test_whatever_a_device_is_called_its_path_leads_to_its_configuration_or_nowhere(
    group: str | None, name: str
) -> None:
    path = path_of(group, name)
    if isinstance(path, Skip):
        return
    assert path.isascii()
    for decoded in (unquote_to_bytes(path), unquote_to_bytes(unquote_to_bytes(path))):  # once more by a proxy
        parts = decoded.decode().replace("\\", "/").split("/")
        assert not {"", ".", ".."} & set(parts[1:])
        assert "/".join(parts) == f"/node/fetch/{name if group is None else f'{group}/{name}'}"


def counted(*chunks: bytes, hold: bool = False) -> Configuration | None:
    counting = Counting(hold=hold)
    for chunk in chunks:
        counting.add(chunk)
    return counting.configuration()


@pytest.mark.parametrize(
    "recording",
    [
        "oxidized-0.30.1_web-0.14.0/fetch_access_down-sw-01.txt",
        "oxidized-0.34.3_web-0.18.1/fetch_access_down-sw-01.txt",
        "oxidized-0.34.3_web-0.18.1/fetch_unknown.txt",
        "oxidized-0.37.0_web-0.19-dev/fetch_unknown.txt",
    ],
)
def test_recorded_texts_that_say_that_there_is_none(recording: str) -> None:
    assert counted((_RECORDINGS / recording).read_bytes()) is None


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize("body", [b"", b"node not found", b"node not found\n", b"unable to find 'sw 1/x'"])
def test_texts_in_place_of_a_configuration(body: bytes, *, hold: bool) -> None:
    assert counted(body, hold=hold) is None
    assert counted(*(body[place : place + 1] for place in range(len(body))), hold=hold) is None


@pytest.mark.parametrize(
    "body,lines",
    [
        (b"\n", 1),
        (b"a", 0),
        (b"a\nb", 1),
        (b"a\r\nb\r\n", 2),
        (b"node not found\nx", 1),
        (b"unable to find 'a'\nhostname b\n", 2),
        (b"\xff\xfe\n", 1),
        (b"banner\n" * 1000, 1000),
    ],
)
def test_bytes_and_lines_are_counted_however_they_come(body: bytes, lines: int) -> None:
    for chunks in ((body,), (body[:3], b"", body[3:])):
        assert counted(*chunks) == Configuration(size=len(body), lines=lines, content=None)
        assert counted(*chunks, hold=True) == Configuration(size=len(body), lines=lines, content=bytearray(body))


def test_no_more_than_16_mebibytes_are_held() -> None:
    half = b"x" * (MOST_HELD // 2)
    for more, content in ((b"", half * 2), (b"y", None)):
        found = counted(half, half, more, hold=True)
        assert found is not None
        assert (found.size, found.content) == (MOST_HELD + len(more), content)


def test_what_is_held_is_held_once() -> None:
    """And what no check asks for not at all."""
    piece = b"x" * 65536
    for hold, most in ((True, MOST_HELD * 1.25), (False, 65536)):
        tracemalloc.start()
        try:
            counting = Counting(hold=hold)
            for _ in range(MOST_HELD // len(piece)):
                counting.add(piece)
            counting.configuration()
            assert tracemalloc.get_traced_memory()[1] < most
        finally:
            tracemalloc.stop()


def test_a_text_of_oxidized_is_told_from_a_configuration_up_to_four_kibibytes() -> None:
    assert counted(b"unable to find '" + b"n" * 4000 + b"'") is None
