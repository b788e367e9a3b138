"""A real Prometheus answers what the dashboard asks, about simulated instances whose state is known."""

from __future__ import annotations

import bisect
import math
import shutil
from typing import TYPE_CHECKING, Final

import pytest
import pytest_asyncio
from PIL import Image

from oxidized_exporter.simulator.storage import NEVER_STORED
from tests.deploy import grafana, picture
from tests.deploy.asking import Asking
from tests.deploy.grafana import ALL
from tests.deploy.watched_fleet import DOWN, EU, GONE, MANY, SPECIAL, STALLED, TURNED, US, Watched, watched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="module")

_DAY: Final = 86400
_AGES: Final = {
    "under 2 h": 0,
    "2 to 6 h": 2 * 3600,
    "6 to 24 h": 6 * 3600,
    "1 to 2 days": _DAY,
    "2 to 7 days": 2 * _DAY,
    "over 7 days": 7 * _DAY,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    if not shutil.which("prometheus"):
        pytest.skip("needs a Prometheus: Debian package prometheus")
    async with watched(tmp_path_factory.mktemp("fleet")) as fleet:
        yield fleet


@pytest.fixture
def asking(fleet: Watched) -> Asking:
    return Asking(fleet, job=["oxidized"], device=TURNED.full_name)


async def test_every_query_of_every_panel_has_data_and_no_panel_is_all_zeros(asking: Asking) -> None:
    found = {
        (row.title, panel.title): [(asked, await asking.ask(asked)) for asked in grafana.queries(panel)]
        for row in grafana.rows(asking.dashboard)
        for panel in row.panels
    }
    assert len(found) == len(grafana.panels(asking.dashboard)) > 40
    empty = [(panel, asked.letter) for panel, answers in found.items() for asked, series in answers if not series]
    assert empty == []
    zeros = [
        panel
        for panel, answers in found.items()
        if not any(value for _, series in answers for each in series for value in each.values)
    ]
    assert zeros == []
    wrong = [
        (panel, value)
        for panel, answers in found.items()
        for _, series in answers
        for each in series
        for value in each.values
        if not math.isfinite(value) or value < -1
    ]
    assert wrong == []


async def test_every_variable_offers_what_there_is(asking: Asking) -> None:
    asking.values["job"] = ALL
    offered = {variable.name: await asking.offered(variable) for variable in grafana.variables(asking.dashboard)}
    many = {f"instance-{number:03}" for number in range(MANY)}
    nodes = [*asking.fleet.nodes(EU, US, STALLED, GONE)]
    assert offered["job"] == {"oxidized", "oxidized-together", "oxidized-many"}
    assert offered["instance"] - many - asking.fleet.exporters == {EU, US, STALLED, DOWN, GONE}
    assert offered["target"] == {EU, US}
    assert offered["group"] == {node.device.shown_group for node in nodes}
    assert offered["model"] == {node.device.model for node in nodes}
    assert offered["device"] == {node.full_name for node in nodes}


async def test_the_numbers_are_the_simulators(asking: Asking) -> None:
    fleet = asking.fleet
    statuses = fleet.statuses(EU, US, STALLED)
    total = sum(statuses.values())
    successes = fleet.last_successes(EU, US, STALLED, GONE)
    old = [end for end in successes if end is not None and asking.fleet.moment - end > 2 * _DAY]
    never = [
        node
        for node, success in zip(fleet.nodes(EU, US, STALLED, GONE), successes, strict=True)
        if success is None and node.mtime is None
    ]
    assert {title: await asking.number(title) for title in asking.titles("Fleet", "stat")} == {
        "Answering": 3,
        "Not answering": 1,
        "Not scraped": 1,
        "Stalled": 1,
        "Devices": total,
        "Success rate": pytest.approx(statuses["success"] / (total - statuses["never"])),
        "Old backups": len(old),
        "Never backed up": len(never),
    }
    assert min(len(old), len(never), statuses["never"], statuses["no_connection"]) > 0


async def test_devices_by_status_are_the_simulators(asking: Asking) -> None:
    (series,) = await asking.panel("Devices by status")
    shown = {each.labels["status"]: each.values[-1] for each in series}
    statuses = asking.fleet.statuses(EU, US, STALLED)
    assert shown == {status: statuses.get(status, 0) for status in shown}
    assert shown.keys() >= statuses.keys()


async def test_ages_are_the_simulators(asking: Asking) -> None:
    names, edges = list(_AGES), list(_AGES.values())
    expected = dict.fromkeys([*names, "none seen"], 0)
    for success in asking.fleet.last_successes(EU, US, STALLED, GONE):
        age = math.inf if success is None else asking.fleet.moment - success
        assert all(abs(age - edge) > 60 for edge in edges if edge), "it could be on the other side by now"
        expected["none seen" if success is None else names[bisect.bisect(edges, age) - 1]] += 1
    bars = await asking.bars("Age of the last success")
    assert bars == expected
    assert 0 not in bars.values()


async def test_the_table_of_instances_says_how_each_is(asking: Asking) -> None:
    table = await asking.table("Instances")
    fleet = asking.fleet
    assert {row["instance"]: (row["State"], row.get("reason")) for row in table} == {
        EU: (1, None),
        US: (1, None),
        STALLED: (1, None),
        DOWN: (0, "connect"),
        GONE: (-1, None),
    }
    shown = {str(row["instance"]): row for row in table}
    for name in (EU, US, STALLED):
        statuses = fleet.statuses(name)
        total = sum(statuses.values())
        newest = max(node.last.end for node in fleet.nodes(name) if node.last is not None)
        assert shown[name]["Devices"] == total
        assert shown[name]["Success rate"] == pytest.approx(statuses["success"] / (total - statuses.get("never", 0)))
        assert shown[name]["Newest job"] == pytest.approx(asking.fleet.moment - newest, abs=5)
    assert "Certificate" in shown[EU]
    assert "Certificate" not in shown[US]


async def test_devices_that_fail_are_those_that_the_simulator_lets_fail(asking: Asking) -> None:
    nodes = asking.fleet.nodes(EU, US, STALLED)
    failing = {node.full_name: node.status for node in nodes if node.last and node.last.status != "success"}
    table = await asking.table("Failing longest")
    assert {row["full_name"]: row["status"] for row in table} == failing
    assert TURNED.full_name in failing
    ages = {row["full_name"]: row["Without success"] for row in table}
    (success,) = [
        end
        for node, end in zip(asking.fleet.nodes(EU), asking.fleet.last_successes(EU), strict=True)
        if node.full_name == TURNED.full_name and end is not None
    ]
    assert ages[TURNED.full_name] == pytest.approx(asking.fleet.moment - success, abs=5)


async def test_groups_and_models_add_up(asking: Asking) -> None:
    nodes = asking.fleet.nodes(EU, US, STALLED, GONE)
    failing = [node for node in nodes if node.last and node.last.status != "success"]
    for title, label in (("Groups", "group"), ("Models", "model")):
        table = await asking.table(title)
        for column, counted in (("Devices", nodes), ("Failing", failing)):
            names = [node.device.shown_group if label == "group" else node.device.model for node in counted]
            shown = {row[label]: row[column] for row in table if row.get(column)}
            assert shown == {name: names.count(name) for name in names}


async def test_alerts_are_counted_once_each(asking: Asking) -> None:
    firing = {row["alertname"]: row["Firing"] for row in await asking.table("Alerts that fire")}
    assert firing["OxidizedConnectionDown"] == 1
    assert firing["OxidizedJobsStalled"] == 1
    assert firing["OxidizedSecretsExposed"] == 3
    assert firing["OxidizedBackupVeryOldCritical"] == (await asking.bars("Age of the last success"))["over 7 days"]


async def test_one_device_is_shown_as_it_is(asking: Asking) -> None:
    fleet = asking.fleet
    (node,) = [node for node in fleet.nodes(EU) if node.full_name == TURNED.full_name]
    stats = fleet.daemons[EU].stats()[TURNED.name]
    assert node.last is not None
    assert stats.last_success is not None
    assert [each.labels["status"] for each in (await asking.panel("Status"))[0]] == ["no_connection"]
    assert await asking.number("Last result") == 1
    assert [series[0].values[-1] / 1000 for series in await asking.panel("Times")] == [
        int(node.last.end),
        int(stats.last_success),
        int(stats.last_no_connection or 0),
        int(node.mtime or 0),
    ]
    (shown,) = await asking.table("Device")
    assert (shown["instance"], shown["group"], shown["model"], shown["ip"]) == (EU, "fra/edge", "FortiOS", TURNED.ip)
    stored = fleet.daemons[EU].fetch(TURNED.name, TURNED.group) or b""
    size, lines = await asking.panel("Stored configuration")
    assert (size[0].values[-1], lines[0].values[-1]) == (len(stored), stored.count(b"\n"))


async def test_a_choice_of_group_and_model_narrows_what_is_of_devices(asking: Asking) -> None:
    asking.values["group"] = ["dc1/core"]
    asking.values["model"] = ["IOSXR"]
    table = await asking.table("Oldest backups")
    chosen = [
        node
        for node in asking.fleet.nodes(EU, US, STALLED, GONE)
        if (node.device.group, node.device.model) == ("dc1/core", "IOSXR")
    ]
    assert sorted(str(row["full_name"]) for row in table) == sorted(node.full_name for node in chosen)
    asking.values |= {"group": ALL, "model": ALL, "instance": [DOWN, GONE]}
    assert {title: await asking.number(title) for title in ("Answering", "Not answering", "Not scraped")} == {
        "Answering": 0,
        "Not answering": 1,
        "Not scraped": 1,
    }


async def test_names_are_chosen_letter_by_letter(asking: Asking) -> None:
    asking.values["group"], asking.values["model"] = [SPECIAL.shown_group], [SPECIAL.model]
    assert [row["full_name"] for row in await asking.table("Oldest backups")] == [SPECIAL.full_name]
    asking.values["group"], asking.values["model"] = [SPECIAL.shown_group, "fra/edge"], ALL
    groups = {node.full_name: node.device.group for node in asking.fleet.nodes(EU, US, STALLED)}
    assert {row["full_name"] for row in await asking.table("Oldest backups")} == {
        name for name, group in groups.items() if group in {SPECIAL.group, "fra/edge"}
    }
    asking.values |= {"group": ALL, "device": SPECIAL.full_name}
    (shown,) = await asking.table("Device")
    assert (shown["group"], shown["model"]) == (SPECIAL.group, SPECIAL.model)


async def test_of_one_instance_the_numbers_are_its_own(asking: Asking) -> None:
    asking.values["instance"] = [US]
    statuses = asking.fleet.statuses(US)
    total = sum(statuses.values())
    assert [await asking.number(title) for title in ("Answering", "Not answering", "Not scraped", "Stalled")] == [
        1,
        0,
        0,
        0,
    ]
    assert await asking.number("Devices") == total
    assert await asking.number("Success rate") == pytest.approx(statuses["success"] / (total - statuses["never"]))
    assert {row["instance"] for row in await asking.table("Instances")} == {US}
    models = {node.device.model for node in asking.fleet.nodes(US)}
    assert {row["model"] for row in await asking.table("Models")} == models
    (newest,) = await asking.panel("Time since the newest job ended")
    assert [each.labels["instance"] for each in newest] == [US]


async def test_what_collectors_have_is_the_simulators(asking: Asking) -> None:
    fleet, answering = asking.fleet, (EU, US, STALLED)
    collectors = {row["collector"]: (row["Instances"], row["Failing"]) for row in await asking.table("Collectors")}
    assert collectors == dict.fromkeys(("nodes", "configs", "stats"), (len(answering) + 1, 1)), "one is down"
    devices = [(fleet.daemons[name], node.device) for name in answering for node in fleet.nodes(name)]
    asked = [(daemon, device) for daemon, device in devices if "/" not in device.name]
    fetched = [daemon.fetch(device.name, device.group) for daemon, device in asked]
    stored = [body for body in fetched if body not in {None, NEVER_STORED}]
    bars = await asking.bars("Stored configurations")
    assert bars == {
        "known": len(stored),
        "tiny": 0,
        "pending": 0,
        "skipped: unsafe_name": len(devices) - len(asked),
    }
    assert len(stored) > 100
    rows_left_out = sum(len(fleet.daemons[name].nodes()) - len(fleet.nodes(name)) for name in answering)
    assert (await asking.bars("What is wrong in node lists"))["rows left out as duplicates"] == rows_left_out == 1
    versions = await asking.table("Versions of Oxidized")
    assert [row["Instances"] for row in versions] == [len(answering)]


async def test_durations_are_those_of_jobs_and_of_probes(asking: Asking) -> None:
    took = {
        (name, node.full_name): node.last.seconds
        for name in (EU, US, STALLED, GONE)
        for node in asking.fleet.nodes(name)
        if node.last is not None
    }
    shown = {(row["instance"], row["full_name"]): row["Took"] for row in await asking.table("Slowest jobs")}
    assert shown == pytest.approx({key: took[key] for key in shown}, abs=0.01)
    assert min(shown.values()) > 0
    (probes,) = await asking.panel("Probe duration")
    assert all(0 < value < 1 for each in probes for value in each.values), "no scrape has more time"


async def test_instances_that_are_scraped_together_are_told_apart(asking: Asking) -> None:
    asking.values["job"] = ["oxidized-together"]
    assert await asking.number("Answering") == 2
    table = await asking.table("Instances")
    assert {row["target"]: row["Devices"] for row in table} == {
        name: len(asking.fleet.nodes(name)) for name in (EU, US)
    }
    asking.values["target"] = [US]
    assert await asking.number("Devices") == len(asking.fleet.nodes(US))


async def test_what_two_prometheus_servers_have_is_counted_once(asking: Asking) -> None:
    told: list[tuple[str, str]] = []
    for panel in grafana.panels(asking.dashboard):
        for asked in grafana.queries(panel):
            once, twice = await asking.at_once(asked)
            if once != twice:
                told.append((asked.panel, asked.letter))
    assert told == []


async def test_two_hundred_instances_are_readable(asking: Asking) -> None:
    asking.values["job"] = ["oxidized-many"]
    assert await asking.number("Answering") == MANY
    sizes = {
        (panel.title, panel.type_val): max([len(await asking.ask(asked)) for asked in grafana.queries(panel)])
        for row in grafana.rows(asking.dashboard)
        if not row.title.startswith("Device")
        for panel in row.panels
    }
    most = {"timeseries": 10, "stat": 1, "bargauge": 7, "table": 100}
    crowded = {key: size for key, size in sizes.items() if size > most[key[1]]}
    assert crowded == {("Instances", "table"): MANY}


async def test_the_main_panels_are_drawn(asking: Asking, tmp_path: Path) -> None:
    await picture.draw(asking, tmp_path / "dashboard.png")
    with Image.open(tmp_path / "dashboard.png") as drawn, Image.open(picture.PICTURE) as shown:
        assert drawn.size == shown.size
        assert drawn.info[picture.DESCRIPTION] == picture.fingerprint()
