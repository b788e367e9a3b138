"""Simulated instances with every trouble that the dashboard shows, behind the exporter, in front of a real Prometheus.

Their time moves in the steps that are taken here and then stands still, so that what the dashboard says can be compared
with what the simulator knows.
"""

from __future__ import annotations

import json
import ssl
import time
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import trustme

from oxidized_exporter.simulator import Daemon, Device, ManualClock, Outcome, create_app, fleet
from tests.deploy import history as past
from tests.deploy.history import Trouble
from tests.harness import running
from tests.rule_files import RULE_FILES, read
from tests.system.program import EXPORTER, Exporter, eventually, exporting
from tests.system.prometheus import Prometheus, prometheus, relabelled, together

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from oxidized_exporter.simulator import NodeState
    from tests.system.prometheus import Json

EU: Final = "oxidized-eu"
US: Final = "oxidized-us"
STALLED: Final = "oxidized-ams"
DOWN: Final = "oxidized-apac"
GONE: Final = "oxidized-lab"
"""Its exporter ends after the first scrape."""
MANY: Final = 200
"""Instances of a job that is there for their number alone."""
TURNED: Final = Device(name="fra-fw-00901", group="fra/edge", model="FortiOS", ip="192.0.2.9")
"""Fails from the last step on, after hundreds of successes."""
SPECIAL: Final = Device(name="dc1.rtr+(old)|[x]", group="dc1/core.+(old)|x", model="IOS^XR{2}$?", ip="192.0.2.10")
"""What is special in a regular expression is just a letter in a name."""

_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR
_STEP: Final = 300.0
_JOB: Final = 5.0  # seconds
_SETTLED: Final = 1.1  # seconds, longer than a scrape may take
_TROUBLES: Final = (
    Trouble(instance=US, of="fra/", outcome=Outcome.NO_CONNECTION, begins=17, ends=13),
    Trouble(instance=EU, of="ams/", outcome=Outcome.FAIL, begins=7.5, ends=6),
    Trouble(instance=US, of="nyc/edge", outcome=Outcome.TIMELIMIT, begins=9.5, ends=-1),
    Trouble(instance=US, of="lon/core", outcome=Outcome.NO_CONNECTION, begins=3.2, ends=-1),
    Trouble(instance=EU, of=TURNED.full_name, outcome=Outcome.NO_CONNECTION, begins=0.3, ends=-1),
)
_CHECKS: Final = {
    "has-a-hostname": {"must_match": "(?i)host-?name|sysname"},
    "no-telnet": {"must_not_match": "telnet", "models": ["IOS", "EOS"]},
    "has-a-banner": {"must_match": "banner of this company", "groups": ["fra/.*"]},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Instances that a Prometheus has scraped since their time last moved.

    Attributes:
        prometheus: the one.
        daemons: of the instances that answer, by the name that Prometheus calls them by.
        began: since when there may be samples, in Unix seconds.
        moment: when to look, in Unix seconds.
        exporters: their addresses.
    """

    prometheus: Prometheus
    daemons: Mapping[str, Daemon]
    began: float
    moment: float
    exporters: frozenset[str]

    def nodes(self, *instances: str) -> list[NodeState]:
        """Return what the simulator knows of the devices that are shown, of namesakes the one of the latest job."""
        chosen: dict[tuple[str, str, str], NodeState] = {}
        for name in instances:
            for node in self.daemons[name].nodes():
                key = (name, node.full_name, node.device.model)
                if key not in chosen or _end(chosen[key]) < _end(node):
                    chosen[key] = node
        return list(chosen.values())

    def statuses(self, *instances: str) -> dict[str, int]:
        """Return how many devices have each status."""
        return dict(Counter(node.status for node in self.nodes(*instances)))

    def last_successes(self, *instances: str) -> list[float | None]:
        """Return when the last success of each device was, in Unix seconds; None where there was none."""
        return [
            self.daemons[name].stats()[node.device.name].last_success for name in instances for node in self.nodes(name)
        ]


def _end(node: NodeState) -> float:
    return 0.0 if node.last is None else node.last.end


@asynccontextmanager
async def watched(directory: Path, *, history: bool = False) -> AsyncIterator[Watched]:
    """Run it all: each instance is scraped by itself, two of them together, 200 more, and the exporters.

    Args:
        directory: for the files of all of them.
        history: let the Prometheus have a day behind it.
    """
    began = time.time()
    step = 1.0 if history else _STEP  # after a day there is no need for more
    clock = ManualClock(began - 2 * step - (past.SECONDS if history else 0))
    daemons = _daemons(clock, end=began - 2 * step)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    async with AsyncExitStack() as stack:
        until_down = await stack.enter_async_context(AsyncExitStack())
        urls = {DOWN: await until_down.enter_async_context(running(create_app(Daemon(fleet(30, seed=5), clock=clock))))}
        for name, daemon in daemons.items():
            urls[name] = await stack.enter_async_context(running(create_app(daemon), tls=tls if name == EU else None))
        command = (*EXPORTER, f"--config.file={_configuration(directory, urls)}", "--timeout-offset=0.1")
        first, second = [await stack.enter_async_context(exporting(*command)) for _ in range(2)]
        if history:
            await past.write(
                directory,
                first,
                list(urls),
                daemons=daemons,
                clock=clock,
                troubles=_TROUBLES,
                goes_down=until_down.aclose,
            )
        await until_down.aclose()
        jobs = _jobs(list(urls), first, second)
        server = await stack.enter_async_context(
            prometheus(directory, *jobs, rules=_rules(), scrape_interval="500ms", evaluation_interval="500ms")
        )

        await _scraped(server, len(urls))
        await second.stop()
        clock.advance(step)
        await _scraped(server, len(urls) - 1)
        daemons[EU].set_outcome(TURNED.full_name, Outcome.NO_CONNECTION)
        clock.advance(time.time() - clock())
        moment = await _scraped(server, len(urls) - 1)
        yield Watched(
            prometheus=server,
            daemons=daemons,
            began=began - (past.SECONDS if history else 0),
            moment=moment,
            exporters=frozenset({first.address, second.address}),
        )


async def _scraped(server: Prometheus, instances: int) -> float:
    """Wait until so many instances have been scraped, and then the rules evaluated, after now.

    Returns:
        A moment, in Unix seconds, at which Prometheus has all that: no later scrape changes what it says of it, so that
        one that is lost on a busy machine does not matter.
    """
    moment = began = time.time()

    async def at(*conditions: str) -> bool:
        nonlocal moment
        moment = time.time() - _SETTLED
        answers = [await server.get("query", query=each, time=str(moment)) for each in conditions]
        return all(answer["result"] for answer in answers)

    # One that begins by now may join another, which has begun before.
    scraped = f'count(timestamp(oxidized_status{{job="oxidized"}}) > {began + _SETTLED}) >= {instances}'
    await eventually(lambda: at(scraped))
    then = moment
    await eventually(
        lambda: at(
            f'count(oxidized_status{{job="oxidized"}}) >= {instances}',
            'count(oxidized_status{job="oxidized-together"}) == 2',
            f'count(oxidized_status{{job="oxidized-many"}}) == {MANY}',
            "count(oxidized_exporter_build_info) >= 1",
            # The last rule of its group, and an alert of the next.
            f'timestamp(oxidized:newest_job_age:seconds{{job="oxidized",instance="{US}"}}) > {then}',
            f'timestamp(ALERTS{{job="oxidized",alertname="OxidizedBackupVeryOldCritical"}}) > {then}',
        )
    )
    return moment


def _daemons(clock: ManualClock, *, end: float) -> dict[str, Daemon]:
    """Return daemons that are as the test wants them at the end of their history."""

    def aged(number: int, *, age: float, since: float) -> Device:
        # Hangs when its last success is so old.
        jobs = int((since - age) / (_HOUR + _JOB))
        return Device(name=f"dc1-rtr-{number:05}", group="dc1/core", model="IOSXR", hangs_after=jobs, job_seconds=_JOB)

    us = (
        *fleet(60, seed=1, failing=0.15, stale=0.05),
        aged(701, age=4 * _HOUR, since=10 * _DAY),
        aged(702, age=12 * _HOUR, since=10 * _DAY),
        aged(703, age=1.5 * _DAY, since=10 * _DAY),
        aged(704, age=4 * _DAY, since=10 * _DAY),
        Device(name="dc1-rtr-00801", group="dc1/core", model="IOSXR", hangs_after=0),
        SPECIAL,
        *(Device(name="dc1-sw-00802", group="dc1/access", model="EOS", ip=f"192.0.2.{last}") for last in (1, 2)),
        Device(name="dc1-oob-00803/console", group="dc1/oob", model="OpenGear"),  # no path leads to it alone
    )
    # Two threads, and two devices that take one each for good.
    hanging = (Device(name=f"ams-oob-0090{last}", model="OpenGear", hangs_after=4) for last in (1, 2))
    return {
        EU: Daemon((*fleet(90, seed=2), TURNED), clock=clock, started=end - 1.2 * _DAY, interval=120, retries=0),
        US: Daemon(us, clock=clock, started=end - 10 * _DAY),
        STALLED: Daemon((*fleet(16, seed=3), *hanging), clock=clock, started=end - 1.2 * _DAY, threads=2),
        GONE: Daemon(fleet(1, seed=4), clock=ManualClock(end), started=end - _DAY),
    }


def _configuration(directory: Path, urls: Mapping[str, str]) -> Path:
    config = {
        "modules": {"default": {"collectors": ["nodes", "configs", "stats"], "configs": {"checks": _CHECKS}}},
        "connections": [{"targets": ["https://127.0.0.1:*"], "tls_config": {"ca_file": "ca.pem"}}],
        "targets": {name: {"url": url} for name, url in urls.items()},
    }
    path = directory / "config.yml"
    path.write_text(json.dumps(config))  # JSON is YAML
    return path


def _jobs(names: Sequence[str], first: Exporter, second: Exporter) -> list[Json]:
    gone = relabelled([GONE], second) | {"job_name": "oxidized-of-the-second"}
    gone["relabel_configs"].append({"target_label": "job", "replacement": "oxidized"})
    many = relabelled([f"instance-{number:03}" for number in range(MANY)], first)
    many |= {"job_name": "oxidized-many", "scrape_interval": "2s", "scrape_timeout": "1s"}
    many["params"] = {"target": [GONE], "collect[]": ["nodes"]}
    by_target, by_param, address = many["relabel_configs"]
    assert (by_target["target_label"], by_param["target_label"]) == ("__param_target", "instance")
    many["relabel_configs"] = [by_param | {"source_labels": by_target["source_labels"]}, address]
    itself = {"job_name": "oxidized-exporter", "static_configs": [{"targets": [first.address, second.address]}]}
    return [relabelled([name for name in names if name != GONE], first), gone, together([EU, US], first), many, itself]


def _rules() -> Json:
    """Return the rules as they are, but evaluated all the time, and with alerts that wait for nothing."""
    groups = [group for file in RULE_FILES for group in read(file)["groups"]]
    for group in groups:
        group.pop("interval", None)
        for rule in group["rules"]:
            rule.pop("for", None)
    return {"groups": groups}
