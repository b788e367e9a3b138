from __future__ import annotations

import asyncio
import gc
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from oxidized_exporter import __version__
from oxidized_exporter.metrics.exposition import body_of
from oxidized_exporter.oxidized.models import Devices
from oxidized_exporter.scrape.nodes import collect_nodes
from oxidized_exporter.scrape.scraping import Scraping
from oxidized_exporter.scrape.snapshot import Snapshot
from oxidized_exporter.simulator import FAULTS, HELD, Daemon, Device, Fault, create_app, fleet
from oxidized_exporter.web.state import Settings
from tests.harness import Exposition, Probing, asked, openmetrics_families, running, running_exporter, running_raw
from tests.system.program import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from oxidized_exporter.scrape.snapshot import NodesSummary


@pytest.fixture
async def exporter() -> AsyncIterator[Probing]:
    async with running_exporter() as probing:
        yield probing


async def test_one_request_a_target_under_its_prefix(exporter: Probing) -> None:
    app = create_app(Daemon(fleet(7)), prefix="/oxidized/eu")
    async with running(app) as url:
        answer = await exporter.probe(f"{url}/oxidized/eu/")
    assert asked(app) == ["/oxidized/eu/nodes.json"]
    assert answer.value("oxidized_status") == 1
    assert len(answer.all("oxidized_device_status")) == 7


async def test_a_bare_host_and_port(exporter: Probing) -> None:
    async with running(create_app(Daemon(fleet(2)))) as url:
        answer = await exporter.probe(url.removeprefix("http://"))
    assert answer.value("oxidized_status") == 1


async def test_several_targets_at_once(exporter: Probing) -> None:
    apps = [create_app(Daemon(fleet(count))) for count in (3, 4)]
    broken = create_app(Daemon(()))
    broken[FAULTS].switch_on(Fault.SERVER_ERROR)
    async with running(apps[0]) as first, running(apps[1]) as second, running(broken) as third:
        answer = await exporter.probe(first, second, third)
    status = {labels["target"]: value for labels, value in answer.all("oxidized_status")}
    assert status == {first: 1, second: 1, third: 0}
    assert len(answer.all("oxidized_device_info")) == 7
    assert answer.reason(target=third) == "http_status"
    assert answer.text.count("# TYPE oxidized_status gauge") == 1
    assert answer.text.count("# HELP oxidized_status ") == 1


async def test_targets_are_asked_concurrently(exporter: Probing) -> None:
    """None of the three is answered before all three have been asked."""
    everyone_is_here = asyncio.Barrier(3)

    async def nodes(_request: web.Request) -> web.Response:
        await everyone_is_here.wait()
        return web.json_response([])

    app = web.Application()
    app.router.add_get("/{which}/nodes.json", nodes)
    async with running(app) as url:
        answer = await exporter.probe(*(f"{url}/{which}" for which in "abc"))
    assert [value for _, value in answer.all("oxidized_status")] == [1, 1, 1]


async def test_one_that_hangs_does_not_touch_the_others(exporter: Probing) -> None:
    hanging = create_app(Daemon(fleet(3)))
    hanging[FAULTS].switch_on(Fault.HANG_IN_BODY)
    async with running(hanging) as slow, running(create_app(Daemon(fleet(3)))) as fine:
        answer = await exporter.probe(slow, fine, timeout_seconds=0.4)
    assert answer.value("oxidized_status", target=fine) == 1
    assert answer.reason(target=slow) == "timeout"


@pytest.mark.parametrize(
    "query,status,message",
    [
        ("", 400, "target: missing"),
        ("?target=", 400, "target: empty"),
        ("?target=eu-west", 400, "target: no target 'eu-west' is configured"),
        ("?target=http://a:1&module=b", 400, "module: no module 'b'; there are: default"),
        ("?target=http://a:1&module=default&module=default", 400, "module: given 2 times"),
        ("?target=http://a:1&target=http://A:1/", 400, "target: http://a:1 is given 2 times"),
        ("?target=http://a:1&target=x@y:1", 400, "target 2 of 2: may not hold user information"),
        ("?target=http://user:s3cr3t@a", 400, "target: may not hold user information"),
        ("?target=http://a%00:1", 400, "target: may hold printable ASCII characters only"),
        ("?target=http://169.254.169.254/", 403, "target: is a link-local address, which is never asked"),
        ("?target=http://0xa9fea9fe/", 403, "target: is a link-local address, which is never asked"),
        ("?target=http://a:1&module=%3Cscript%3E", 400, "module: no module '<script>'"),
    ],
)
async def test_the_callers_mistakes(exporter: Probing, query: str, status: int, message: str) -> None:
    response = await exporter.get(f"/probe{query}")
    text = await response.text()
    assert (response.status, text.startswith(message)) == (status, True), text
    assert response.content_type == "text/plain"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "s3cr3t" not in text


@pytest.mark.parametrize("header", ["abc", "nan", "inf", "0", "-1"])
async def test_a_bad_time_out_header_is_the_callers_mistake(exporter: Probing, header: str) -> None:
    response = await exporter.get("/probe?target=http://a:1", **{"X-Prometheus-Scrape-Timeout-Seconds": header})
    assert response.status == 400
    assert "X-Prometheus-Scrape-Timeout-Seconds" in await response.text()


async def test_openmetrics_and_gzip(exporter: Probing) -> None:
    async with running(create_app(Daemon(fleet(5)))) as url:
        response = await exporter.session.get(
            "/probe",
            params={"target": url},
            headers={"Accept": "application/openmetrics-text;version=1.0.0", "Accept-Encoding": "gzip"},
        )
        text = await response.text()
    assert response.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Vary"] == "Accept, Accept-Encoding"
    assert text.endswith("# EOF\n")
    names = {family.name for family in openmetrics_families(text)}
    assert {"oxidized_status", "oxidized_device_status_info"} <= names


async def test_a_caller_who_hangs_up_ends_the_scrape(exporter: Probing) -> None:
    app = create_app(Daemon(fleet(1)))
    app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS)
    async with running(app) as url:
        caller = asyncio.create_task(exporter.probe(url, timeout_seconds=60))
        await app[HELD].count_is(1)
        caller.cancel()
        await app[HELD].count_is(0)
        with pytest.raises(asyncio.CancelledError):
            await caller


async def test_what_the_exporter_says_of_itself(exporter: Probing) -> None:
    app = create_app(Daemon(fleet(3)))
    app[FAULTS].switch_on(Fault.UNAVAILABLE, requests=1)
    async with running(app) as url:
        await exporter.probe(url, timeout_seconds=30)
        app[FAULTS].switch_on(Fault.HTML)
        await exporter.probe(url)
        await exporter.get("/probe")
        await exporter.get("/probe?target=http://169.254.169.254")
        response = await exporter.get("/metrics")
        own = Exposition.parse(await response.text())
    assert own.value("oxidized_exporter_probes_total", module="default", result="success") == 1
    assert own.value("oxidized_exporter_probes_total", module="default", result="not_json") == 1
    assert own.value("oxidized_exporter_probe_duration_seconds_count", module="default") == 2
    assert own.value("oxidized_exporter_probes_rejected_total", reason="bad_parameter") == 1
    assert own.value("oxidized_exporter_probes_rejected_total", reason="forbidden_target") == 1
    assert own.value("oxidized_exporter_upstream_requests_total", route="nodes", result="http_status") == 1
    assert own.value("oxidized_exporter_upstream_requests_total", route="nodes", result="success") == 2
    assert own.value("oxidized_exporter_probes_in_flight") == 0
    assert own.all("oxidized_exporter_build_info")
    names = {name for name, _ in own.samples}
    assert {"process_resident_memory_bytes", "python_info"} <= names
    assert not [name for name in names if name.endswith("_created")]
    assert url not in own.text
    assert url.rpartition(":")[2] not in {value for _, labels in own.samples for _, value in labels}


@pytest.mark.parametrize("path,status", [("/", 200), ("/-/healthy", 200), ("/-/ready", 200), ("/nope", 404)])
async def test_pages(exporter: Probing, path: str, status: int) -> None:
    response = await exporter.get(path)
    assert response.status == status
    text = await response.text()
    assert text.endswith("\n")
    if path == "/":
        assert response.content_type == "text/html"
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert 'name="target"' in text


async def test_another_method_is_told_what_is_right(exporter: Probing) -> None:
    response = await exporter.session.post("/probe")
    assert response.status == 405
    assert response.headers["Allow"] == "GET,HEAD"


async def test_a_fault_of_a_handler_is_500_without_its_words(
    monkeypatch: pytest.MonkeyPatch, exporter: Probing, capsys: pytest.CaptureFixture[str]
) -> None:
    def explode(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("s3cr3t")

    monkeypatch.setattr("oxidized_exporter.web.probe.parse_probe", explode)
    response = await exporter.get("/probe?target=http://a:1")
    assert response.status == 500
    assert "s3cr3t" not in await response.text() + "".join(capsys.readouterr())


async def test_a_fault_of_this_package_behind_one_target_costs_no_other(
    monkeypatch: pytest.MonkeyPatch, exporter: Probing, capsys: pytest.CaptureFixture[str]
) -> None:
    def explode(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("s3cr3t")

    monkeypatch.setattr("oxidized_exporter.scrape.scraping.collect_nodes", explode)
    async with running(create_app(Daemon(fleet(1)))) as url:
        answer = await exporter.probe(url)
    assert answer.reason() == "protocol"
    logged = "".join(capsys.readouterr())
    assert "bug: unexpected exception while scraping" in logged
    assert "RuntimeError" in logged
    assert "s3cr3t" not in logged


_ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
_ANY_ROW = st.fixed_dictionaries(
    {"name": st.text() | st.integers()},
    optional={
        key: st.text() | _ANY_JSON for key in ("full_name", "group", "model", "ip", "last", "mtime", "status", "vars")
    },
)


@given(_ANY_JSON | st.lists(_ANY_ROW))
@example([{"name": "\x00"}])
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_json_gives_a_valid_exposition(found: object) -> None:
    body = json.dumps(found).encode()
    answer_bytes = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    async with running_raw(answer_bytes) as url, running_exporter() as exporter:
        answer = await exporter.probe(url)
        openmetrics = await exporter.get(f"/probe?target={url}", Accept="application/openmetrics-text")
        for family in openmetrics_families(await openmetrics.text()):
            assert family.name
    if answer.value("oxidized_status") == 0:
        assert answer.reason() in {"schema", "not_json"}


_HOSTILE = st.text(
    alphabet=st.sampled_from('"\\\n\r\t\x00\x7f{}=,# \N{GRINNING FACE}é\u2028a') | st.characters(codec="utf-8")
)


@given(_HOSTILE.filter(lambda text: len(text.encode()) <= 1024))
@example('"\\\n\x00\N{GRINNING FACE}')
@example("a" * 1024)
@example("\\n")
@settings(max_examples=150)
async def test_any_name_up_to_a_kibibyte_comes_through(name: str) -> None:
    device = Device(name=name, group="g", model="M", ip="10.0.0.1")
    async with running(create_app(Daemon((device,)))) as url, running_exporter() as exporter:
        answer = await exporter.probe(url)
    [(labels, _)] = answer.all("oxidized_device_info")
    assert labels["name"] == name
    assert f"g/{name}".startswith(labels["full_name"])


async def test_longer_names_are_cut_and_counted(exporter: Probing) -> None:
    async with running(create_app(Daemon((Device(name="é" * 600),)))) as url:
        answer = await exporter.probe(url)
    [(labels, _)] = answer.all("oxidized_device_info")
    assert labels["name"] == "é" * 512
    assert answer.value("oxidized_cut_labels") == 2  # the name and the full name


class Stepping:
    """A clock that is a second later at every look."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 1
        return self._now


async def test_durations_come_from_the_clock() -> None:
    async with running(create_app(Daemon(fleet(1)))) as url, running_exporter(clock=Stepping()) as exporter:
        answer = await exporter.probe(url)
        own = Exposition.parse(await (await exporter.get("/metrics")).text())
    assert answer.value("probe_duration_seconds") == 3
    assert answer.value("oxidized_exporter_collect_duration") == 3000
    assert answer.value("oxidized_collector_duration_seconds", collector="nodes") == 1
    assert own.value("oxidized_exporter_probe_duration_seconds_sum", module="default") == 3


@pytest.mark.parametrize(
    "fault,words",
    [
        (Fault.HANG_BEFORE_HEADERS, "given up while waiting for an answer"),
        (Fault.HANG_IN_BODY, "given up while reading the body"),
    ],
)
async def test_a_time_out_says_where_and_is_counted(
    fault: Fault, words: str, exporter: Probing, capsys: pytest.CaptureFixture[str]
) -> None:
    app = create_app(Daemon(fleet(3)))
    app[FAULTS].switch_on(fault)
    async with running(app) as url:
        await exporter.probe(url, timeout_seconds=0.2)
        own = Exposition.parse(await (await exporter.get("/metrics")).text())
    assert f"no complete answer within 0.2 s, {words}" in capsys.readouterr().out
    assert own.value("oxidized_exporter_upstream_requests_total", route="nodes", result="timeout") == 1


async def test_the_offset_is_taken_off_the_scrapes_time_out(capsys: pytest.CaptureFixture[str]) -> None:
    app = create_app(Daemon(fleet(3)))
    app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS)
    async with running(app) as url, running_exporter(settings=Settings(timeout_offset=0.5)) as exporter:
        await exporter.probe(url, timeout_seconds=0.75)
    assert "no complete answer within 0.25 s" in capsys.readouterr().out


async def test_a_decoding_that_takes_too_long_is_given_up_and_ends(
    monkeypatch: pytest.MonkeyPatch, exporter: Probing, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = threading.Event()

    def never_ready(*_args: object, still_wanted: Callable[[], None], **_kwargs: object) -> None:
        try:
            while True:
                time.sleep(0)  # lets other threads run
                still_wanted()
        finally:
            ended.set()

    monkeypatch.setattr("oxidized_exporter.scrape.scraping.collect_nodes", never_ready)
    async with running(create_app(Daemon(fleet(1)))) as url:
        answer = await exporter.probe(url, timeout_seconds=0.3)
    assert answer.reason() == "timeout"
    assert "given up while decoding the body" in capsys.readouterr().out
    assert await asyncio.to_thread(ended.wait, 10)


@pytest.mark.parametrize("devices,names", [(1, ["decode", "encode"]), (6_000, ["decode-large", "encode-large"])])
async def test_decoding_and_encoding_have_threads_of_their_own(
    devices: int, names: list[str], monkeypatch: pytest.MonkeyPatch, exporter: Probing
) -> None:
    threads = []

    def noting(wrapped: Callable[..., Any]) -> Callable[..., Any]:
        def note(*args: Any, **kwargs: Any) -> Any:
            threads.append(threading.current_thread().name.partition("_")[0])
            return wrapped(*args, **kwargs)

        return note

    monkeypatch.setattr("oxidized_exporter.scrape.scraping.collect_nodes", noting(collect_nodes))
    monkeypatch.setattr("oxidized_exporter.web.answers.body_of", noting(body_of))
    async with running(create_app(Daemon(fleet(devices)))) as url:
        await exporter.probe(url)
    assert threads == names


async def test_a_small_answer_does_not_wait_for_a_large_one(monkeypatch: pytest.MonkeyPatch, exporter: Probing) -> None:
    decoding, go_on = threading.Event(), threading.Event()

    def slow_where_large(body: bytes, **settings: Any) -> NodesSummary:
        if len(body) > 1024 * 1024:
            decoding.set()
            assert go_on.wait(PATIENCE)
        return collect_nodes(body, **settings)

    monkeypatch.setattr("oxidized_exporter.scrape.scraping.collect_nodes", slow_where_large)
    async with running(create_app(Daemon(fleet(7000)))) as large, running(create_app(Daemon(fleet(1)))) as small:
        waiting = asyncio.create_task(exporter.probe(large, timeout_seconds=60))
        assert await asyncio.to_thread(decoding.wait, PATIENCE)
        assert (await exporter.probe(small)).value("oxidized_status") == 1
        go_on.set()
        assert len((await waiting).all("oxidized_device_status")) == 7000


async def test_what_is_in_flight_is_told(exporter: Probing) -> None:
    app = create_app(Daemon(fleet(1)))
    app[FAULTS].switch_on(Fault.HANG_BEFORE_HEADERS)
    async with running(app) as url:
        hanging = asyncio.create_task(exporter.probe(url, timeout_seconds=60))
        await app[HELD].count_is(1)
        own = Exposition.parse(await (await exporter.get("/metrics")).text())
        assert own.value("oxidized_exporter_probes_in_flight") == 1
        hanging.cancel()
        await app[HELD].count_is(0)
        own = Exposition.parse(await (await exporter.get("/metrics")).text())
        assert own.value("oxidized_exporter_probes_total", module="default", result="abandoned") == 1


async def test_proxies_and_credentials_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, exporter: Probing, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("default login user password s3cr3t\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    seen: list[Mapping[str, str]] = []

    async def nodes(request: web.Request) -> web.Response:
        seen.append(request.headers)
        return web.json_response([])

    app = web.Application()
    app.router.add_get("/nodes.json", nodes)
    async with running(app) as url:
        answer = await exporter.probe(url)
    assert answer.value("oxidized_status") == 1
    [headers] = seen
    assert headers["User-Agent"] == f"oxidized_exporter/{__version__}"
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /probe?target=http://u:s3cr3t@h x HTTP/1.1\r\n\r\n",
        b"GET /probe?target=http://u:s3cr3t@h HTTP/9.9\r\n\r\n",
        b"GET /probe?target=http://u:s3cr3t@h" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"GET /probe?target=http://a:1 HTTP/1.1\r\nAuthorization s3cr3t\r\n\r\n",
        b"s3cr3t\r\n\r\n",
        b"GET http://u:s3cr3t@[ HTTP/1.1\r\n\r\n",
    ],
)
async def test_a_request_that_is_no_http_is_neither_answered_nor_logged_with_its_words(
    exporter: Probing, request_bytes: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", exporter.port)
    writer.write(request_bytes)
    answer = await reader.read()
    writer.close()
    assert answer.split(b" ")[1] == b"400"
    said = answer.decode() + "".join(capsys.readouterr())
    assert "s3cr3t" not in said
    assert "Traceback" not in said


async def test_a_time_out_header_that_is_sent_twice_is_the_callers_mistake(exporter: Probing) -> None:
    headers = CIMultiDict([("X-Prometheus-Scrape-Timeout-Seconds", "5")] * 2)
    response = await exporter.session.get("/probe?target=http://a:1", headers=headers)
    assert response.status == 400


async def test_a_mistake_is_shown_within_bounds(exporter: Probing) -> None:
    response = await exporter.get(f"/probe?target=http://a:1&module={'x' * 5000}")
    assert len(await response.text()) < 200


async def test_nothing_of_a_scrape_stays_after_its_answer(exporter: Probing) -> None:
    """Not even until the garbage collector comes by."""
    async with running(create_app(Daemon(fleet(20)))) as url:
        gc.collect()
        before = {id(found) for found in gc.get_objects()}
        gc.disable()
        try:
            await exporter.probe(url)
            # A thread lets go of its work a moment after the result is there.
            await eventually(lambda: nothing_is_left(before), every=0.01)
        finally:
            gc.enable()


async def nothing_is_left(before: set[int]) -> bool:
    made = (found for found in gc.get_objects() if id(found) not in before)
    return not any(isinstance(found, (Devices, Snapshot, Scraping)) for found in made)
