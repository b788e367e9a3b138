"""The steps of a probe, what was decided for it, and the metrics, as text to read.

For ``GET /probe?…&debug=true``, and for ``oxidized-exporter probe --steps``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry

from oxidized_exporter.config.render import render_part
from oxidized_exporter.errors import printable, printable_lines
from oxidized_exporter.metrics.collector import SnapshotCollector
from oxidized_exporter.metrics.exposition import Format
from oxidized_exporter.scrape.deadline import HEADER, Rule
from oxidized_exporter.workers import LARGE_DEVICES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from oxidized_exporter.scrape.deadline import ScrapeTime
    from oxidized_exporter.scrape.plan import TargetPlan
    from oxidized_exporter.scrape.request import ScrapeRequest
    from oxidized_exporter.scrape.scraper import Traced
    from oxidized_exporter.scrape.snapshot import TargetScrape
    from oxidized_exporter.web.state import Exporter

_TEXT: Final = Format(kind="text")


async def report(exporter: Exporter, wanted: ScrapeRequest, traced: Traced, *, deadline: str) -> bytes:
    """Return what `told` says, made in a thread.

    Args:
        exporter: what made the probe.
        wanted: what was asked for.
        traced: what came of it.
        deadline: words about the time that there was.
    """

    def work(still_wanted: Callable[[], None]) -> bytes:
        pieces: list[bytes] = []
        for piece in told(wanted, traced, deadline=deadline):
            still_wanted()
            pieces.append(piece)
        return b"".join(pieces)

    return await exporter.encoding.run(work, large=traced.snapshot.shown > LARGE_DEVICES)


def told(wanted: ScrapeRequest, traced: Traced, *, deadline: str) -> Iterator[bytes]:
    """Yield the text that tells of a probe; secrets are shown as ``<secret>``, as in ``/config``.

    It loads PyYAML, so call it off the loop.

    Args:
        wanted: what was asked for.
        traced: what came of it.
        deadline: words about the time that there was.
    """
    lines = [deadline]
    for planned, scrape, steps in zip(wanted.plans, traced.snapshot.scrapes, traced.steps, strict=True):
        lines += ["", *_of_target(planned, scrape)]
        lines += [f"{step.seconds:10.4f}  {step.text}" for step in steps]
    lines += ["", *_settings(wanted), "Metrics that would have been returned:", "", ""]
    yield "\n".join(lines).encode()
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(traced.snapshot))
    yield from map(printable_lines, _TEXT.encode(registry))  # people read it, not Prometheus


def deadline_words(time: ScrapeTime, *, offset: float) -> str:
    """Say how long a probe could take, and which of the bounds decided it; ``offset`` is ``--timeout-offset``."""
    sent = f"no {HEADER} was sent" if time.sent is None else f"{HEADER} was {time.sent:g} s"
    why = {
        Rule.DEFAULT: f"the default, since {sent}",
        Rule.MODULE: f"the timeout of the module{', since' if time.sent is None else ';'} {sent}",
        Rule.CALLER: f"{sent}, of which --timeout-offset ({offset:g} s) is taken off",
        Rule.HALF: f"{sent}, of which a half is left, since --timeout-offset ({offset:g} s) is no less",
    }
    return f"Time: {time.seconds:g} s ({why[time.rule]})"


def _of_target(planned: TargetPlan, scrape: TargetScrape) -> Iterator[str]:
    outcome = "success" if scrape.failure is None else f"failed, {scrape.failure.reason}: {scrape.failure.detail}"
    yield printable(f"Target {planned.target.label}: {outcome}")
    yield printable(f"Allowed: {_why_allowed(planned)}")
    yield f"Addresses: {_policy(planned)}"
    yield "Steps, with the seconds since the beginning:"


def _why_allowed(planned: TargetPlan) -> str:
    config = planned.config
    names = [name for name, entry in config.targets.items() if entry.target.base == planned.target.base]
    if names:
        return f"it is the configured target {names[0]}"
    if planned.policy.allow is not None:
        return "its name may stand for an address that access.allow lists"
    if config.access.allow:
        return "access.allow lists it"
    return "neither targets nor access.allow are configured, so every URL is"


def _policy(planned: TargetPlan) -> str:
    connection, policy = planned.connection, planned.policy
    if connection is not None and connection.proxy_url is not None:
        return "those of the proxy, all but the ones that are never asked; the proxy resolves the target's name"
    allow = "any" if policy.allow is None else f"those in {', '.join(map(str, policy.allow))}"
    deny = "".join(f", {network}" for network in policy.deny)
    return f"{allow}, but the ones that are never asked{deny}"


def _settings(wanted: ScrapeRequest) -> Sequence[str]:
    """Return the module and the connections that applied."""
    module = wanted.module
    connections = [planned.connection for planned in wanted.plans if planned.connection is not None]
    several = tuple({id(connection): connection for connection in connections}.values())
    parts = ["Module:", "", render_part({"modules": {module.name: module}})]
    if several:
        return [*parts, "Connection:", "", render_part({"connections": several})]
    return [*parts, "Connection: none matches, so no credentials are sent.", ""]
