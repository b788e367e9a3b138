from __future__ import annotations

import contextlib
import itertools
import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxidized_exporter.config import Limits
from oxidized_exporter.errors import NotJsonError, ProbeError, SchemaError, TooLargeError
from oxidized_exporter.oxidized.models import Device, Devices, NodeList
from oxidized_exporter.oxidized.nodes import read_nodes

NOON = "2026-11-22 12:00:00 UTC"
NOON_SECONDS = 1795348800.0


def row(**changes: Any) -> dict[str, Any]:
    last = {"start": "2026-11-22 11:59:58 UTC", "end": NOON, "status": "success", "time": 2.5}
    return {
        "name": "sw1",
        "full_name": "access/sw1",
        "ip": "10.0.0.1",
        "group": "access",
        "model": "IOS",
        "last": last,
        "vars": {"enable": ""},
        "mtime": NOON,
        "status": "success",
        "time": NOON,
    } | changes


def read(*rows: Any) -> NodeList:
    return read_nodes(json.dumps(rows).encode(), limits=Limits())


def read_one(**changes: Any) -> Device:
    nodes = read(row(**changes))
    assert (nodes.invalid, nodes.duplicates) == (0, 0)
    return nodes.devices[0]


def job(device: Device) -> tuple[bool | None, float | None, float | None, float | None]:
    return (device.succeeded, device.start, device.end, device.duration)


def test_a_row() -> None:
    assert read(row()) == NodeList(
        devices=Devices(
            full_name=["access/sw1"],
            name=["sw1"],
            group=["access"],
            model=["IOS"],
            ip=["10.0.0.1"],
            status=["success"],
            succeeded=[True],
            start=[NOON_SECONDS - 2],
            end=[NOON_SECONDS],
            duration=[2.5],
            modified=[NOON_SECONDS],
            exposes_secrets=[False],
        )
    )


def test_an_empty_list_is_a_list() -> None:
    assert read() == NodeList(devices=Devices.of(()))


@pytest.mark.parametrize(
    "changes,attribute,expected",
    [
        ({"name": 42}, "name", "42"),
        ({"name": 4.5}, "name", "4.5"),
        ({"name": True}, "name", "true"),
        ({"name": 10**400}, "name", str(10**400)),
        ({"group": None}, "group", ""),
        ({"group": 7}, "group", "7"),
        ({"group": ["a"]}, "group", ""),
        ({"model": None}, "model", ""),
        ({"ip": None}, "ip", ""),
        ({"full_name": None}, "full_name", "sw1"),
        ({"status": "on_fire"}, "status", "on_fire"),
        ({"status": 3}, "status", "3"),
        ({"status": None}, "status", "success"),
        ({"status": ""}, "status", "success"),
        ({"status": None, "last": None}, "status", "never"),
        ({"status": None, "last": {}}, "status", "unknown"),
        ({"mtime": "unknown"}, "modified", None),
        ({"mtime": None}, "modified", None),
        ({"mtime": 5}, "modified", None),
        ({"vars": None}, "exposes_secrets", False),
        ({"vars": "s3cr3t"}, "exposes_secrets", False),
        ({"last": None}, "job", (None, None, None, None)),
        ({"last": "yesterday"}, "job", (True, None, None, None)),
        ({"last": []}, "job", (True, None, None, None)),
        ({"last": {}}, "job", (True, None, None, None)),
        ({"last": {}, "status": None}, "job", (False, None, None, None)),
    ],
)
def test_oddities_never_lose_a_device(changes: dict[str, Any], attribute: str, expected: Any) -> None:
    device = read_one(**changes)
    assert (job(device) if attribute == "job" else getattr(device, attribute)) == expected


@pytest.mark.parametrize("key", ["full_name", "ip", "group", "model", "last", "vars", "mtime", "status", "time"])
def test_a_missing_key_never_loses_a_device(key: str) -> None:
    odd = row()
    del odd[key]
    assert read(odd).devices[0].name == "sw1"


@pytest.mark.parametrize("time", [None, "2.5", True, [], {}])
def test_an_odd_duration_is_none(time: Any) -> None:
    device = read_one(last={"start": NOON, "end": NOON, "status": "success", "time": time})
    assert job(device) == (True, NOON_SECONDS, NOON_SECONDS, None)


def test_a_duration_beyond_any_float_is_none() -> None:
    body = json.dumps([row()]).replace("2.5", "1e400").encode()
    device = read_nodes(body, limits=Limits()).devices[0]
    assert job(device) == (True, NOON_SECONDS - 2, NOON_SECONDS, None)


@pytest.mark.parametrize("bad", [None, 1, "x", [], {}, {"name": None}, {"name": []}, {"full_name": "a/b"}])
def test_rows_that_cannot_be_read_are_counted_and_the_others_kept(bad: Any) -> None:
    nodes = read(row(), bad, row(name="sw2", full_name="access/sw2"))
    assert [device.name for device in nodes.devices] == ["sw1", "sw2"]
    assert nodes.invalid == 1


@pytest.mark.parametrize("text", [b'"\\ud800"', b'"\\udc00x"'])
def test_half_a_character_in_a_name_costs_nobody(text: bytes) -> None:
    body = json.dumps([row(), row(name="HERE")]).encode().replace(b'"HERE"', text)
    names = [device.name for device in read_nodes(body, limits=Limits()).devices]
    assert names[0] == "sw1"
    assert names[1].startswith("\N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize(
    "body,error,message",
    [
        (b"", NotJsonError, "the body is not JSON: Input data was truncated"),
        (b"<html>", NotJsonError, "the body is not JSON: JSON is malformed: invalid character (byte 0)"),
        (b'[{"name":"a"}', NotJsonError, "the body is not JSON: Input data was truncated"),
        (b'[{"name":"a"},', NotJsonError, "the body is not JSON: Input data was truncated"),
        (
            b'[{"name":"a"},\n ]',
            NotJsonError,
            "the body is not JSON: JSON is malformed: trailing comma in array (byte 16)",
        ),
        (b'[{"name":"a"} {}]', NotJsonError, "the body is not JSON: JSON is malformed: expected ',' or ']' (byte 14)"),
        (b"[]]", NotJsonError, "the body is not JSON: JSON is malformed: trailing characters (byte 3)"),
        (b"[1] x", NotJsonError, "the body is not JSON: JSON is malformed: trailing characters (byte 5)"),
        (b'[{"name":NaN}]', NotJsonError, "the body is not JSON: JSON is malformed: invalid character (byte 9)"),
        (b"\xef\xbb\xbf[]", NotJsonError, "the body is not JSON: JSON is malformed: invalid character (byte 0)"),
        (b"{} x", NotJsonError, "the body is not JSON: JSON is malformed: trailing characters (byte 4)"),
        (
            rb'[{"name":"a","x":"\ud80("}]',
            NotJsonError,
            "the body is not JSON: JSON is malformed: invalid character in unicode escape (byte 24)",
        ),
        (b'[{"name":"\xff"}]', NotJsonError, "the body is not UTF-8"),
        (b'[{"name":"a","unread":"\xff"}]', NotJsonError, "the body is not UTF-8"),
        ("[]".encode("utf-16"), NotJsonError, "the body is not UTF-8"),
        (b"[" * 1_000_000, NotJsonError, "the body is nested too deeply"),
        (
            b'[{"name":"a","vars":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}]",
            NotJsonError,
            "the body is nested too deeply",
        ),
        (b"{}", SchemaError, "the body is JSON, but no list of devices"),
        (b"null", SchemaError, "the body is JSON, but no list of devices"),
        (b' "x" ', SchemaError, "the body is JSON, but no list of devices"),
        (b"1" * 5000, SchemaError, "the body is JSON, but no list of devices"),
        (b"[1, 2, {}]", SchemaError, "none of the 3 rows is a device"),
        (b'[{"name":1e999}]', SchemaError, "none of the 1 rows is a device"),
    ],
)
def test_bodies_that_are_no_node_list(body: bytes, error: type[ProbeError], message: str) -> None:
    with pytest.raises(error) as caught:
        read_nodes(body, limits=Limits())
    assert str(caught.value) == message


@pytest.mark.parametrize("name", [b'"a"', b"1"])
@pytest.mark.parametrize("deep", [900, 2_000, 9_990, 30_000, 65_000, 100_000, 200_000])
def test_variables_of_any_depth_are_read_or_refused(deep: int, name: bytes) -> None:
    """How deep is too deep differs: for msgspec and for json, by the version of Python, and by the stack since 3.14."""
    body = b'[{"name":' + name + b',"vars":' + b"[" * deep + b"]" * deep + b"}]"
    with contextlib.suppress(NotJsonError, SchemaError):
        [device] = read_nodes(body, limits=Limits()).devices
        assert not device.exposes_secrets


def test_messages_never_quote_the_body() -> None:
    with pytest.raises(NotJsonError) as caught:
        read_nodes(b'[{"name":"a","vars":{"enable":"s3cr3t"}}', limits=Limits())
    assert "s3cr3t" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


_ROWS = [
    row(),
    row(last={"start": NOON, "end": "2026-11-22 12:00:01 UTC", "status": "fail", "time": 1.0}, status="fail"),
    row(last=None, status="never"),
    row(ip="10.0.0.2"),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(len(_ROWS)))))
def test_of_rows_with_the_same_labels_the_latest_job_wins_in_any_order(order: tuple[int, ...]) -> None:
    nodes = read(*(_ROWS[index] for index in order))
    assert [device.status for device in nodes.devices] == ["fail"]
    assert nodes.duplicates == 3


_VARIANTS = [
    row(),
    row(status="fail"),
    row(mtime="unknown"),
    row(mtime="2026-11-22 12:00:09 UTC"),
    row(vars={"enable": "x"}),
    row(last=None),
    row(last={}),
    row(last={"status": "fail"}),
    row(last={"end": NOON, "status": "fail"}),
    row(last={"end": NOON, "status": "success", "time": 9}),
    row(last={"end": NOON, "status": "success", "start": NOON}),
]


@pytest.mark.parametrize("first,second", list(itertools.combinations(range(len(_VARIANTS)), 2)))
def test_which_of_two_rows_is_kept_never_depends_on_their_order(first: int, second: int) -> None:
    pair = (_VARIANTS[first], _VARIANTS[second])
    assert read(*pair) == read(*reversed(pair))


@pytest.mark.parametrize("first,second", [(0.0, -0.0), (-0.0, 0.0)])
def test_nor_does_the_sign_of_a_zero(first: float, second: float) -> None:
    nodes = read(*(row(last={"end": NOON, "time": time}) for time in (first, second)))
    assert [str(device.duration) for device in nodes.devices] == ["0.0"]


@pytest.mark.parametrize("order", [(0, 3), (3, 0)])
def test_among_equals_the_ip_decides(order: tuple[int, ...]) -> None:
    nodes = read(*(_ROWS[index] for index in order))
    assert [device.ip for device in nodes.devices] == ["10.0.0.2"]


def test_the_same_name_in_two_groups_is_two_devices() -> None:
    nodes = read(row(), row(full_name="core/sw1", group="core"))
    assert len(nodes.devices) == 2
    assert nodes.duplicates == 0


@pytest.mark.parametrize(
    "text,cut",
    [
        ("a" * 1024, "a" * 1024),
        ("a" * 1025, "a" * 1024),
        ("é" * 512, "é" * 512),
        ("a" + "é" * 512, "a" + "é" * 511),
        ("\N{SMILE}" * 400, "\N{SMILE}" * 341),
        ("a" * 1023 + "\N{GRINNING FACE}", "a" * 1023),
    ],
)
@pytest.mark.parametrize("key", ["name", "full_name", "group", "model", "ip", "status"])
def test_labels_are_cut_at_a_kibibyte_on_a_character_boundary(key: str, text: str, cut: str) -> None:
    nodes = read(row(**{key: text}))
    assert getattr(nodes.devices[0], key) == cut
    assert nodes.cut_labels == int(text != cut)


def test_the_status_of_the_job_is_cut_where_it_stands_for_the_device_s() -> None:
    nodes = read(row(status=None, last={"status": "s" * 1025}))
    assert (nodes.devices[0].status, nodes.cut_labels) == ("s" * 1024, 1)


def test_rows_that_become_the_same_by_cutting_are_duplicates() -> None:
    nodes = read(row(name="a" * 2000), row(name="a" * 2001))
    assert (len(nodes.devices), nodes.duplicates, nodes.cut_labels) == (1, 1, 2)


@pytest.mark.parametrize(
    "variables,exposes",
    [
        ({"enable": "s3cr3t"}, True),
        ({"ENABLE": "x"}, True),
        ({"auth_pass": "x"}, True),
        ({"snmp_community": "x"}, True),
        ({"apiToken": "x"}, True),
        ({"ssh_keys": "/root/.ssh/id"}, True),
        ({"nested": {"password": "x"}}, True),
        ({"list": [{"secret": "x"}]}, True),
        ({"enable": ""}, False),
        ({"enable": True}, False),
        ({"enable": None}, False),
        ({"ssh_port": 22}, False),
        ({"ssh_proxy": "bastion"}, False),
        ({}, False),
        ([], False),
        ("password", False),
    ],
)
def test_devices_whose_variables_expose_secrets(variables: Any, *, exposes: bool) -> None:
    assert read_one(vars=variables).exposes_secrets is exposes


@pytest.mark.parametrize("beside", [rb'"\ud800"', b"1e999", b"1" * 5000])
def test_what_no_library_reads_beside_a_secret_hides_it_not(beside: bytes) -> None:
    body = json.dumps([row(vars={"enable": "s3cr3t", "odd": "HERE"})]).encode().replace(b'"HERE"', beside)
    assert read_nodes(body, limits=Limits()).devices[0].exposes_secrets


def test_a_number_is_no_secret_beside_one_that_no_float_holds_either() -> None:
    variables = b'{"key":5,"keys":0.5,"odd":1e999,"community":' + b"1" * 5000 + b"}"
    body = json.dumps([row(vars="HERE")]).encode().replace(b'"HERE"', variables)
    assert not read_nodes(body, limits=Limits()).devices[0].exposes_secrets


def test_clean_lists_take_the_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oxidized_exporter.oxidized.decode._read_row", None)
    assert read(row()).devices[0].name == "sw1"
    with pytest.raises(TypeError):
        read(row(name=1))


def test_a_list_that_is_large_by_its_bytes_is_counted_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oxidized_exporter.oxidized.decode._UNCOUNTED_BYTES", 10)
    monkeypatch.setattr("oxidized_exporter.oxidized.decode._SHORT", None)
    with pytest.raises(TooLargeError, match="the list has 2 rows, more than 1"):
        read_nodes(json.dumps([row(), row(name="sw2")]).encode(), limits=Limits(rows=1))


@pytest.mark.parametrize("odd", [{}, {"name": 1}])
def test_a_list_of_too_many_rows_is_refused(odd: dict[str, Any]) -> None:
    body = json.dumps([row(name=str(number)) | odd for number in range(11)]).encode()
    assert len(read_nodes(body, limits=Limits(rows=11)).devices) == (1 if odd else 11)
    with pytest.raises(TooLargeError, match="the list has 11 rows, more than 10"):
        read_nodes(body, limits=Limits(rows=10))


def test_a_list_with_more_values_than_rows_can_have_is_refused_before_it_is_split() -> None:
    with pytest.raises(TooLargeError, match="the list is larger than 10 rows can be"):
        read_nodes(b"[" + b"1," * 501 + b"1]", limits=Limits(rows=10))


def test_a_row_that_is_no_row_by_its_size_alone_is_not_read() -> None:
    nodes = read(row(), row(name=7, filler="x" * 300_000))
    assert (len(nodes.devices), nodes.invalid) == (1, 1)


def test_variables_are_looked_at_up_to_64_kib() -> None:
    around = len(json.dumps({"enable": ""}))
    assert read_one(vars={"enable": "x" * (64 * 1024 - around)}).exposes_secrets
    assert not read_one(vars={"enable": "x" * (64 * 1024 - around + 1)}).exposes_secrets


def test_variables_that_are_too_large_are_not_looked_at() -> None:
    assert not read_one(vars={"enable": "x" * 70_000}).exposes_secrets
    assert not read_one(vars={"list": [[]] * 100_000}).exposes_secrets


@pytest.mark.parametrize("key", ["full_name", "name", "group", "model"])
def test_rows_that_differ_in_one_label_are_two_devices_beside_duplicates(key: str) -> None:
    nodes = read(row(), row(), row(**{key: "other"}))
    assert [getattr(device, key) for device in nodes.devices] == [getattr(read_one(), key), "other"]
    assert nodes.duplicates == 1


def test_variables_that_are_nested_almost_too_deeply_expose_nothing_and_lose_nobody() -> None:
    for depth in range(sys.getrecursionlimit() // 4, sys.getrecursionlimit() + 10):
        body = b'[{"name":"a","vars":{"password":' + b"[" * depth + b"]" * depth + b"}}]"
        with contextlib.suppress(NotJsonError):
            assert not read_nodes(body, limits=Limits()).devices[0].exposes_secrets


@pytest.mark.parametrize("rows", [[row()], [row(name=1)], [1]])
def test_work_that_nobody_waits_for_ends(rows: list[Any]) -> None:
    def give_up() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_nodes(json.dumps(rows).encode(), limits=Limits(), still_wanted=give_up)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_ODD_ROWS = st.fixed_dictionaries(
    {"name": _JSON},
    optional=dict.fromkeys(("full_name", "group", "model", "ip", "mtime", "status", "vars"), _JSON)
    | {"last": _JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(("start", "end", "status", "time"), _JSON))},
)


@given(st.lists(_ODD_ROWS | _JSON, max_size=6))
def test_every_row_is_told_counted_or_left_out_as_a_duplicate(rows: list[Any]) -> None:
    try:
        nodes = read(*rows)
    except SchemaError:
        assert rows
        return
    assert len(nodes.devices) + nodes.duplicates + nodes.invalid == len(rows)
    for device in nodes.devices:
        f"{device.full_name}{device.name}{device.group}{device.model}{device.ip}{device.status}".encode()


@given(st.lists(_ODD_ROWS, max_size=4))
def test_one_odd_row_more_changes_nothing_about_a_clean_one(rows: list[Any]) -> None:
    clean = row(name="clean", full_name="of/its own", group="of", model="its own")
    [alone] = read(clean).devices
    assert alone in read(clean, *rows).devices


@given(st.binary(max_size=60))
def test_any_bytes_give_nodes_or_a_typed_failure(body: bytes) -> None:
    with contextlib.suppress(NotJsonError, SchemaError):
        read_nodes(body, limits=Limits())


@pytest.mark.parametrize(
    "changes",
    [
        {"vars": {"note": "x" * 2000}},
        {"last": {"end": "2026-11-22T12:00:00.%05d+01:00"}},
        {"full_name": "the/same"},
    ],
)
def test_whoever_waits_is_asked_for_at_each_row_that_takes_time(changes: dict[str, Any]) -> None:
    asked = 0

    def check() -> None:
        nonlocal asked
        asked += 1

    text = ",".join(
        json.dumps(row(name=f"sw{number}", full_name=f"g/sw{number}") | changes)
        .replace("xx", f"{number:05d}", 1)
        .replace("%05d", f"{number:05d}")
        for number in range(200)
    )
    read_nodes(f"[{text}]".encode(), limits=Limits(), still_wanted=check)
    assert asked >= 200


def test_the_result_is_that_of_the_last_job_where_the_row_says_something_else() -> None:
    last = {"start": NOON, "end": NOON, "status": "success", "time": 1.0}
    assert read_one(last=last, status="fail").succeeded is True
    assert read_one(last=last | {"status": "fail"}, status="success").succeeded is False


def test_short_labels_of_wide_characters_are_cut_at_a_small_limit() -> None:
    nodes = read_nodes(json.dumps([row(name="\N{SNOWMAN}" * 6)]).encode(), limits=Limits(label_bytes=16))
    assert nodes.devices[0].name == "\N{SNOWMAN}" * 5
    assert nodes.cut_labels == 1


@pytest.mark.parametrize("limit,kept", [(512, 170), (599, 199), (600, 200), (1023, 200)])
def test_many_wide_characters_are_cut_at_a_limit_that_as_many_narrow_ones_keep(limit: int, kept: int) -> None:
    nodes = read_nodes(json.dumps([row(name="\N{SNOWMAN}" * 200)]).encode(), limits=Limits(label_bytes=limit))
    assert nodes.devices[0].name == "\N{SNOWMAN}" * kept
    assert nodes.cut_labels == int(kept < 200)


@pytest.mark.parametrize(
    "kept,left_out",
    [
        ({"last": {}, "status": "x"}, {"last": None, "status": "x"}),
        ({"last": {"status": "success"}, "status": "x"}, {"last": {"status": "fail"}, "status": "x"}),
        ({"last": {"end": NOON, "start": NOON}}, {"last": {"end": NOON}}),
        ({"last": {"end": NOON, "time": 1}}, {"last": {"end": NOON}}),
        ({"mtime": NOON}, {"mtime": "unknown"}),
        ({"vars": {"enable": "x"}}, {}),
    ],
)
def test_of_rows_of_the_same_labels_time_and_ip_the_one_that_says_more_is_kept(
    kept: dict[str, Any], left_out: dict[str, Any]
) -> None:
    [alone] = read(row(**kept)).devices
    assert list(read(row(**left_out), row(**kept)).devices) == [alone]
    assert list(read(row(**kept), row(**left_out)).devices) == [alone]


def test_a_secret_in_long_variables_is_seen() -> None:
    assert read_one(vars={"note": "x" * 5000, "password": "s3cr3t"}).exposes_secrets
