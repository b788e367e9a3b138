"""How the collector configs asks: what ends it, what it costs whom, and what it leaves behind."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from oxidized_exporter.config import Check, Configs, Module
from oxidized_exporter.errors import (
    AuthError,
    ConnectError,
    HttpStatusError,
    ProbeError,
    ProtocolError,
    SchemaError,
    TooLargeError,
)
from oxidized_exporter.oxidized.client import OxidizedClient
from oxidized_exporter.oxidized.configuration import Configuration, Skip
from oxidized_exporter.scrape.configs import ConfigsCollector, Progress, plan_fetches
from oxidized_exporter.scrape.memory import Key, Memory, Remembered
from oxidized_exporter.workers import Workers
from tests.scrape.test_configs import alone, summary, switch
from tests.scrape.test_memory import planned

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from oxidized_exporter.oxidized.models import Device


FOUND = Configuration(size=7, lines=1, content=bytearray(b"ntp on\n"))


@dataclass
class Fake(OxidizedClient):
    """Has a configuration for everybody, but an error or no configuration, or no answer, for some.

    Attributes:
        others: by name what is answered otherwise.
        hanging: names that get no answer.
        asked: names, in the order they were asked for.
        hangs: set while one of them waits.
    """

    others: Mapping[str, ProbeError | None] = field(default_factory=dict)
    hanging: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)
    hangs: asyncio.Event = field(default_factory=asyncio.Event)

    async def configuration(self, path: str, *, hold: bool) -> Configuration | None:  # noqa: ARG002 - it holds always
        name = path.rpartition("/")[2]
        self.asked.append(name)
        if name in self.hanging:
            self.hangs.set()
            await asyncio.Event().wait()
        answer = self.others.get(name, FOUND)
        if isinstance(answer, ProbeError):
            raise answer
        return answer


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers("check")
    yield workers
    workers.close()


@dataclass
class Collecting:
    """What goes on from one scrape to the next."""

    workers: Workers
    module: Module = field(default_factory=lambda: Module(name="default", configs=Configs(concurrency=1)))
    memory: Memory = field(default_factory=Memory)

    async def collect(self, *devices: Device, client: Fake) -> Progress:
        """Make one scrape in the order of the devices, to its end or until one of them hangs."""
        nodes = summary(*devices)
        progress = plan_fetches(
            nodes,
            known=self.known(),
            checks=self.module.configs.checks,
            now=self.memory.now(),
            troubled=self.troubled(),
            shuffle=lambda _wanted: None,
        )
        collector = ConfigsCollector(
            client=client, plan=planned(), module=self.module, memory=self.memory, workers=self.workers
        )
        collecting = asyncio.create_task(collector.collect(nodes, progress))
        hanging = asyncio.create_task(client.hangs.wait())
        await asyncio.wait({collecting, hanging}, return_when=asyncio.FIRST_COMPLETED)
        for task in (hanging, collecting):
            if not task.done():
                task.cancel()
        with suppress(asyncio.CancelledError):
            await collecting
        return progress

    def known(self) -> Mapping[Key, Remembered]:
        return self.memory.of(planned(), self.module)

    def names(self) -> set[str]:
        """Return the names of those of whom something is remembered."""
        return {full_name.rpartition("/")[2] for full_name, _, _ in self.known()}

    def troubled(self) -> frozenset[str]:
        return self.memory.troubled(planned(), self.module)


@pytest.fixture
def collecting(workers: Workers) -> Collecting:
    return Collecting(workers)


async def test_that_there_is_none_is_remembered_only_where_nothing_was_ever_stored(collecting: Collecting) -> None:
    """After a job that failed git may fail for a moment, too; what was stored before is still there."""
    failed = {"status": "fail", "succeeded": False}
    devices = (
        switch("never-stored", modified=None, **failed),
        switch("stored-before", **failed),
        switch("stored-now"),
        switch("stored-since-a-restart", modified=None),
    )
    progress = await collecting.collect(*devices, client=Fake(dict.fromkeys(one.name for one in devices)))
    assert progress.had == 4
    assert collecting.names() == {"never-stored"}


@pytest.mark.parametrize("status,retryable,skipped", [(500, False, 1), (404, False, 1), (502, True, 0)])
async def test_a_gateway_that_has_no_oxidized_says_nothing_of_devices_without_a_group(
    collecting: Collecting, status: int, *, retryable: bool, skipped: int
) -> None:
    error = HttpStatusError(f"the answer was {status}", retryable=retryable)
    progress = await collecting.collect(alone("sw1"), client=Fake({"sw1": error}))
    assert progress.skipped[Skip.UNGROUPED] == skipped
    assert (progress.summary().pending, progress.failures) == (1 - skipped, 1 - skipped)
    assert len(collecting.known()) == skipped


async def test_where_a_device_without_a_group_was_had_a_refusal_of_another_is_a_failure(collecting: Collecting) -> None:
    refused = Fake({"refused": HttpStatusError("the answer was 500")})
    progress = await collecting.collect(alone("had"), alone("refused"), client=refused)
    assert progress.size == [7, None]
    assert progress.skipped[Skip.UNGROUPED] == 0
    assert (progress.summary().pending, progress.failures) == (1, 1)


@pytest.mark.parametrize("failing,asked", [(19, 40), (20, 20), (21, 20)])
async def test_some_devices_that_fail_cost_only_themselves(collecting: Collecting, failing: int, asked: int) -> None:
    names = [f"sw{number}" for number in range(40)]
    client = Fake(dict.fromkeys(names[:failing], HttpStatusError("the answer was 404")))
    progress = await collecting.collect(*map(switch, names), client=client)
    assert client.asked == names[:asked]
    assert progress.had == asked - min(failing, 20)
    assert collecting.troubled() == {f"access/{name}" for name in names[: min(failing, 20)]}


@pytest.mark.parametrize("error", [HttpStatusError, TooLargeError, SchemaError])
async def test_what_is_wrong_with_one_device_does_not_end_the_collector(
    collecting: Collecting, error: type[ProbeError]
) -> None:
    progress = await collecting.collect(switch("bad"), switch("good"), client=Fake({"bad": error("…")}))
    assert progress.size == [None, 7]
    assert progress.failure is not None
    assert progress.failure.reason == error.reason


@pytest.mark.parametrize("error", [AuthError, ConnectError, ProtocolError])
async def test_what_is_wrong_with_the_target_does(collecting: Collecting, error: type[ProbeError]) -> None:
    client = Fake({"bad": error("…")})
    progress = await collecting.collect(switch("bad"), switch("good"), client=client)
    assert client.asked == ["bad"]
    assert progress.summary().pending == 2


async def test_trouble_that_is_over_is_forgotten_though_there_is_nothing_to_remember(collecting: Collecting) -> None:
    restarted = switch("sw1", end=None, modified=None)  # without a time nothing is remembered
    await collecting.collect(restarted, client=Fake({"sw1": ConnectError("…")}))
    assert collecting.troubled() == {"access/sw1"}
    await collecting.collect(restarted, client=Fake())
    assert not collecting.troubled()
    assert not collecting.known()


async def test_devices_that_hang_keep_no_other_from_being_told_for_longer_than_one_scrape_each(
    collecting: Collecting,
) -> None:
    """One that hangs takes all the time of a scrape. It stays behind the others until it answers."""
    names = ["hangs", "hangs-too", *(f"sw{number}" for number in range(4))]
    jobs = [switch(name) for name in names]
    for number, told in enumerate((0, 0, 4, 4, 4)):
        jobs = [switch(name, end=1000.0 * number) for name in names]
        progress = await collecting.collect(*jobs, client=Fake(hanging=frozenset(names[:2])))
        assert sum(size is not None for size in progress.size) == told
    assert collecting.troubled() == {"access/hangs", "access/hangs-too"}

    await collecting.collect(*jobs, client=Fake(hanging=frozenset(names[1:2])))
    assert collecting.troubled() == {"access/hangs-too"}
    client = Fake()
    progress = await collecting.collect(*jobs, client=client)
    assert client.asked == ["hangs-too"]
    assert progress.size == [7] * 6
    assert not collecting.troubled()


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Check):
    """Holds, once it is released.

    Attributes:
        begun: set when a configuration is looked into.
        released: waited for then.
    """

    begun: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def holds(self, _content: bytes | bytearray) -> bool:
        self.begun.set()
        return self.released.wait(20)


async def test_after_the_deadline_no_further_check_begins(workers: Workers) -> None:
    first, second = Waiting(), Waiting()
    second.released.set()
    module = Module(name="default", configs=Configs(checks={"first": first, "second": second}))
    nodes = summary(switch("sw1"))
    collector = ConfigsCollector(client=Fake(), plan=planned(), module=module, memory=Memory(), workers=workers)
    collecting = asyncio.create_task(
        collector.collect(nodes, plan_fetches(nodes, known={}, checks=module.configs.checks, now=0.0))
    )
    try:
        assert await asyncio.to_thread(first.begun.wait, 20)
        collecting.cancel()
        await asyncio.wait({collecting})
    finally:
        first.released.set()
    await workers.run(lambda _still_wanted: None, large=False)  # behind whatever the thread does still
    assert not second.begun.is_set()
