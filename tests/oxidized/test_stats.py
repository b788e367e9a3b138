from __future__ import annotations

import contextlib
import html
import itertools
import tracemalloc
from pathlib import Path
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oxidized_exporter.config import Limits
from oxidized_exporter.errors import ProbeError, SchemaError, TooLargeError
from oxidized_exporter.oxidized.stats import DeviceStats, StatsPage, read_stats
from tests.process import forget_peak, peak_bytes

RECORDINGS: Final = Path(__file__).parent.parent / "recordings"
NEEDED: Final = ("Name", "Total Runs", "Total Failures", "Last Update", "Last Failure")
HEAD: Final = "".join(f"<th>{name}</th>" for name in NEEDED)
SUCCESS: Final = 1795335968.0  # 2026-11-22 08:26:08 UTC


def table(rows: str, *, head: str = f"<tr>{HEAD}</tr>", after: str = "") -> bytes:
    return f"<table class='table' id='statsTable'>{head}{rows}</table>{after}".encode()


def row(name: str = "sw1", runs: str = "3", failures: str = "1", success: str = "never", failure: str = "never") -> str:
    cells = "".join(f"<td>{cell}</td>" for cell in (name, runs, failures, success, failure))
    return f"<tr>{cells}</tr>"


def read(body: bytes, **limits: int) -> StatsPage:
    return read_stats(body, limits=Limits(**limits))


def read_one(rows: str) -> DeviceStats:
    page = read(table(rows))
    assert (page.invalid, page.repeated, list(page.devices)) == (0, frozenset(), ["sw1"])
    return page.devices["sw1"]


def stats(runs: float, failures: float, last_success: int | None, last_failure: int | None) -> DeviceStats:
    """Take the times in seconds after 2026-11-22 08:25:00 UTC."""
    began = SUCCESS - 68
    return DeviceStats(
        runs=runs,
        failures=failures,
        last_success=None if last_success is None else began + last_success,
        last_failure=None if last_failure is None else began + last_failure,
    )


RECORDED: Final = {
    "oxidized-0.30.1_web-0.14.0": {
        "slow-sw-01": stats(9, 0, 57, None),
        "crash-sw-01": stats(10, 10, None, 58),
        "edge-01": stats(10, 0, 59, None),
        "dup-01": stats(10, 0, 61, None),
        "edge.json": stats(10, 0, 62, None),
        "core-rtr-01": stats(11, 0, 63, None),
        "core-rtr-02": stats(11, 0, 64, None),
        "down-sw-01": stats(11, 11, None, 65),
    },
    "oxidized-0.34.3_web-0.18.1": {
        "slow-sw-01": stats(16, 16, None, None),
        "crash-sw-01": stats(16, 16, None, 62),
        "edge-01": stats(16, 0, 63, None),
        "dup-01": stats(16, 0, 65, None),
        "edge.json": stats(16, 0, 66, None),
        "core-rtr-01": stats(17, 0, 67, None),
        "core-rtr-02": stats(17, 0, 68, None),
        "down-sw-01": stats(17, 17, None, 69),
    },
    "oxidized-0.37.0_web-0.19-dev": {
        "core-rtr-01": stats(1, 0, 68, None),
        "core-rtr-02": stats(1, 0, 68, None),
        "down-sw-01": stats(1, 1, None, 69),
        "slow-sw-01": stats(1, 1, None, None),
        "crash-sw-01": stats(1, 1, None, 70),
        "edge-01": stats(1, 0, 73, None),
        "dup-01": stats(1, 0, 75, None),
        "edge.json": stats(1, 0, 76, None),
    },
}


@pytest.mark.parametrize("version", RECORDED)
def test_recorded_pages(version: str) -> None:
    assert read((RECORDINGS / version / "nodes_stats.html").read_bytes()) == StatsPage(
        devices=RECORDED[version], repeated=frozenset(), invalid=0, oxidized_version=None, web_version=None
    )


NAMES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1),
    st.sampled_from(["<tr>", "</table>", "<td>x</td>", "&lt;", '"', "'", "sw1 ", "a\u2028b", "\N{NO-BREAK SPACE}"]),
).filter(lambda name: name == name.strip(" \t\n\f") and name != "")
COUNTS = st.integers(0, 10**15 - 1)
TIMES = st.none() | st.integers(1, 253402300799)
DEVICES = st.dictionaries(NAMES, st.tuples(COUNTS, COUNTS, TIMES, TIMES), max_size=40)


@given(
    devices=DEVICES,
    order=st.permutations([*NEEDED, "Failure Rate", "Last Status", "Hue"]),
    quote=st.sampled_from("'\""),
    upper=st.booleans(),
    padding=st.integers(0, 4000),
)
def test_what_was_written_is_read(
    devices: dict[str, tuple[int, int, int | None, int | None]],
    order: list[str],
    quote: str,
    upper: bool,  # noqa: FBT001 - hypothesis names what it gives
    padding: int,
) -> None:
    tr, td = ("TR", "TD") if upper else ("tr", "td")

    def time(at: int | None) -> str:
        return f"<{td} class={quote}time{quote} epoch={quote}{at or 0}{quote}>a time</{td}>"

    rows = []
    for name, (runs, failures, success, failure) in devices.items():
        cells = dict.fromkeys(order, f"<{td}><div title={quote}x{quote}>{'.' * padding}</div></{td}>") | {
            "Name": f"<{td}>{html.escape(name)}</{td}>",
            "Total Runs": f"<{td}>{runs}</{td}>",
            "Total Failures": f"<{td}>{failures}</{td}>",
            "Last Update": time(success),
            "Last Failure": time(failure),
        }
        rows.append(f"<{tr}>{''.join(cells[column] for column in order)}</{tr}>")
    head = f"<{tr}>{''.join(f'<th>{column}</th>' for column in order)}</{tr}>"
    page = read(f"<table id={quote}statsTable{quote}>{head}{''.join(rows)}</table>".encode())
    assert page.devices == {
        name: DeviceStats(runs=float(runs), failures=float(failures), last_success=success, last_failure=failure)
        for name, (runs, failures, success, failure) in devices.items()
    }
    assert (page.invalid, page.repeated) == (0, frozenset())


@given(st.binary(max_size=2000), st.integers(0, 400))
@example(b"!", 179)
def test_broken_pages_raise_nothing_else(broken: bytes, at: int) -> None:
    page = table(row() * 3)
    for body in (page[:at] + broken + page[at:], page[:at] + broken, broken):
        try:
            read(body)
        except ProbeError as error:
            assert isinstance(error, SchemaError | TooLargeError)  # noqa: PT017 - nothing need be raised


@pytest.mark.parametrize(
    "text,expected",
    [
        ("12", 12.0),
        (" 12\n", 12.0),
        ("<b>12</b>", 12.0),
        ("0", 0.0),
        ("9" * 15, 10.0**15 - 1),
        *dict.fromkeys(["-1", "1e999", "nan", "12abc", "1_0", "٣", "1.5", "", "9" * 16]).items(),
    ],
)
def test_counters(text: str, expected: float | None) -> None:
    assert read_one(row(runs=text)).runs == expected
    assert read_one(row(failures=text)).failures == expected


@pytest.mark.parametrize(
    "cell,expected",
    [
        ("<td>2026-11-22 08:26:08 UTC</td>", SUCCESS),
        ("<td>\n2026-11-22 08:26:08 UTC\n</td>", SUCCESS),
        ("<td>2026-11-22 09:26:08 +0100</td>", SUCCESS),
        ("<td>Never</td>", None),
        ("<td></td>", None),
        ("<td epoch='1795335968'></td>", SUCCESS),
        ("<td EPOCH=1795335968>never</td>", SUCCESS),
        ("<td epoch='0'></td>", None),
        ("<td epoch='0'>2026-11-22 08:26:08 UTC</td>", None),
        *((f"<td {odd}>2026-11-22 08:26:08 UTC</td>", SUCCESS) for odd in ("epoch", "epoch=''", "epoch='soon'")),
        *((f"<td epoch='{odd}'>2026-11-22 08:26:08 UTC</td>", SUCCESS) for odd in ("-5", "9" * 15, "9" * 400)),
    ],
)
def test_times(cell: str, expected: float | None) -> None:
    counters = "<tr><td>sw1</td><td>1</td><td>1</td>"
    assert read_one(f"{counters}{cell}<td>never</td></tr>").last_success == expected
    assert read_one(f"{counters}<td>never</td>{cell}</tr>").last_failure == expected


def test_a_name_with_several_rows_belongs_to_no_one() -> None:
    page = read(table(row("dup") + row("sw1") + row("dup") + row("dup")))
    assert (list(page.devices), page.repeated, page.invalid) == (["sw1"], frozenset({"dup"}), 0)


@pytest.mark.parametrize(
    "odd",
    [
        row(""),
        row(" \n"),
        "<tr></tr>",
        "<tr><td>short</td></tr>",
        "<tr><td colspan=5>nothing to show</td></tr>",
        "<tr><td>a</td><td>1</td><td>1</td><td>never</td><td>never</td><td>one more</td></tr>",
    ],
)
def test_a_row_that_cannot_be_read_costs_no_other(odd: str) -> None:
    page = read(table(odd + row()))
    assert (list(page.devices), page.invalid) == (["sw1"], 1)


@pytest.mark.parametrize(
    "body",
    [
        table(f"<tbody>{row()}</tbody>", head=f"<caption>A page</caption><thead><tr>{HEAD}</tr></thead>"),
        table(row(), head=f"<tr><th colspan=5>Since the start</th></tr><tr>{HEAD}</tr>"),
        table(row(), head=f"<tr>{HEAD}</tr>".upper().replace("TOTAL RUNS", "\n Total\n  runs ")),
        table(row()).upper().replace(b"STATSTABLE", b"statsTable").replace(b"SW1", b"sw1"),
        table(row()).replace(b"'", b""),
        table(row()).replace(b"'", b'"'),
        table(row()).replace(b"</tr>", b"").replace(b"</td>", b"").replace(b"</th>", b""),
        table(row(), after="<table><tr><td>another</td></tr></table>"),
        b"<table id='other'><tr><td>another</td></tr></table>" + table(row()),
        bytearray(table(row())),
    ],
)
def test_forms_of_the_same_table(body: bytes) -> None:
    assert read(body) == read(table(row()))
    assert read(body).devices == {"sw1": DeviceStats(runs=3.0, failures=1.0, last_success=None, last_failure=None)}


@pytest.mark.parametrize(
    "body,message",
    [
        (b"", "the page has no table of statistics"),
        (b"<h1>s3cr3t</h1>", "the page has no table of statistics"),
        (table(row()).replace(b"statsTable", b"nodesTable"), "the page has no table of statistics"),
        (table(row()).replace(b"id=", b"data-id="), "the page has no table of statistics"),
        (table(""), None),
        (table(row(), head=""), "the table of statistics lacks a column that is needed"),
        *(
            (table(row(), head=f"<tr>{HEAD}</tr>".replace(name, "s3cr3t")), "the table of statistics lacks a column")
            for name in NEEDED
        ),
        (table(row(), head=f"<tr>{HEAD}<th>name</th></tr>"), "the table of statistics has a column twice"),
        (table(row(table(row("s3cr3t")).decode())), "the table of statistics holds another table"),
        (table(row("s3cr3t" * 10_000)), "the table of statistics holds too long a row"),
        (table(row("s3cr3t")).removesuffix(b"</table>"), "the table of statistics has no end"),
        (table(row("s3cr3t") * 1000)[:-1000], "the table of statistics has no end"),
    ],
)
def test_what_is_no_table_of_statistics(body: bytes, message: str | None) -> None:
    if message is None:
        assert read(body).devices == {}
        return
    with pytest.raises(SchemaError, match=message) as raised:
        read(body)
    assert "s3cr3t" not in str(raised.value)


def test_rows_are_bounded_whether_readable_or_not() -> None:
    rows = row("a") + "<tr></tr>" + row("b")
    assert len(read(table(rows), rows=3).devices) == 2
    with pytest.raises(TooLargeError, match="the page has more than 2 rows"):
        read(table(rows), rows=2)


@pytest.mark.parametrize(
    "footer,oxidized,web",
    [
        ("<footer>Oxidized-web v.0.18.1, Oxidized v.0.34.3</footer>", "0.34.3", "0.18.1"),
        ("<footer>\nOxidized v.0.28.0\n</footer>", "0.28.0", None),
        ("Oxidized-web v.0.19.0-dev_1+x", None, "0.19.0-dev_1+x"),
        (f"Oxidized v.{'1' * 64}, Oxidized-web v.{'1' * 65}", "1" * 64, None),
        ("Oxidized v.<b>, Oxidized-web v.é", None, None),
    ],
)
def test_versions(footer: str, oxidized: str | None, web: str | None) -> None:
    page = read(table(row(), after=footer))
    assert (page.oxidized_version, page.web_version) == (oxidized, web)


def test_a_device_tells_no_version() -> None:
    page = read(table(row("Oxidized v.1.2.3, Oxidized-web v.4.5.6")))
    assert (page.oxidized_version, page.web_version) == (None, None)


def test_bytes_that_are_no_text() -> None:
    page = read(table(row("sw1") + row("BAD")).replace(b"BAD", b"a\xff\xed\xa0\x80b&#xD800;&#0;"))
    assert len(page.devices) == 2
    assert all(name.encode() for name in page.devices)


@pytest.mark.parametrize("rows", [1, 2000, 4000])
def test_every_row_is_read_wherever_the_page_is_cut(rows: int) -> None:
    names = [f"sw{number}-{'x' * (number * 37 % 200)}" for number in range(rows)]
    page = read(table("".join(row(name, runs=str(number)) for number, name in enumerate(names))))
    assert {name: device.runs for name, device in page.devices.items()} == {n: float(i) for i, n in enumerate(names)}
    assert page.invalid == 0


@pytest.mark.parametrize("comment", ["<!-- x -->", "<!td>", "<?x?>"])
def test_a_comment_is_no_cell(comment: str) -> None:
    page = read(table(row("sw1").replace("<td", f"{comment}<td") + f"<tr>{comment}<td>sw2</td></tr>"))
    assert list(page.devices) == ["sw1"]
    assert page.devices["sw1"].runs is not None
    assert page.invalid == 1


def test_reading_can_be_ended() -> None:
    calls = itertools.count(1)

    def check() -> None:
        if next(calls) == 5:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        read_stats(table(row() * 10_000), limits=Limits(), still_wanted=check)
    assert next(calls) == 6


def blow_up(opened: int, paragraphs: int) -> str:
    """Return a cell in which each paragraph would open everything once more."""
    return "<p>" + "".join(f"<b a{number}>" for number in range(opened)) + "<p>x" * paragraphs


@pytest.mark.parametrize(
    "content",
    [
        "<div>" * 3000,
        "<svg>" + "<g>" * 5000,
        "<select>" + "<option>" * 1900,
        "<template>" * 1500,
        "<div>" * 1000 + "<li><p>" * 1000,
        "".join(f"<i x{number}>" for number in range(1400)),
        "<td " + "".join(f"a{number} " for number in range(2000)) + ">",
        "</x>" * 4000,
        "<" * 15_000,
        "&#" * 7500,
        "\0" * 15_000,
        "<!--" * 3500,
        "<plaintext>",
        "<script>",
        blow_up(600, 1500),
    ],
)
def test_hostile_rows_take_little(content: str) -> None:
    body = table(row(content) * 20)
    forget_peak()
    before = peak_bytes()  # what libraries take is in it
    with contextlib.suppress(SchemaError):
        read(body)
    assert peak_bytes() - before < 32 * 1024 * 1024


@pytest.mark.parametrize("tag", ["<td>", "<tr>", "<tr><td>", "<div>", "<table ", "<svg><tr>", "<tr><b>x", "<"])
def test_a_page_of_the_largest_size_is_refused_in_little_memory(tag: str) -> None:
    limits = Limits()
    head = table("").removesuffix(b"</table>")
    body = head + tag.encode() * ((limits.body_bytes - len(head)) // len(tag))
    tracemalloc.start()
    try:
        with pytest.raises((SchemaError, TooLargeError)):
            read_stats(body, limits=limits)
        assert tracemalloc.get_traced_memory()[1] < 32 * 1024 * 1024
    finally:
        tracemalloc.stop()
