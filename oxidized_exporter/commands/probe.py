"""``oxidized-exporter probe``: what ``/probe`` would answer, on stdout."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from oxidized_exporter.commands.asking import (
    ask,
    ask_for_steps,
    collectors_that_failed,
    module_of,
    said,
    time_for,
)
from oxidized_exporter.config import config_from
from oxidized_exporter.errors import printable, printable_lines
from oxidized_exporter.metrics.collector import SnapshotCollector
from oxidized_exporter.metrics.exposition import Format
from oxidized_exporter.scrape.deadline import Rule
from oxidized_exporter.scrape.request import judge_request
from oxidized_exporter.web.debug import told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    from oxidized_exporter.config import SingleInstance
    from oxidized_exporter.scrape.deadline import ScrapeTime


def probe(
    target: str,
    *,
    module: str | None,
    collect: Sequence[str],
    config_file: str | None,
    single: SingleInstance | None,
    timeout: float | None,
    steps: bool,
    out: BinaryIO,
    tell: Callable[[str], None],
) -> bool:
    """Ask ``target`` and write its metrics; returns whether Oxidized answered with a valid node list.

    Args:
        target: URL, ``host:port`` or the name of a configured target.
        module: name of it; None for the target's own.
        collect: collectors of it; all where none is named.
        config_file: None for none.
        single: the one Oxidized of the command line, if there is one.
        timeout: seconds, or None for the module's, or the server's own.
        steps: whether its steps and what was decided stand above the metrics.
        out: where the metrics go, in text format 0.0.4.
        tell: is called with a line that says why Oxidized did not answer, or which collector did not do all.

    Raises:
        CallerError: what is asked for cannot be done.
        ConfigError: the configuration file has faults.
    """
    config = config_from(config_file, single=single)
    module = module_of([target], module=module, config=config)
    request = judge_request([target], module=module, collectors=collect, collectors_from="--collect", config=config)
    time = time_for(request.module, timeout=timeout)
    if steps:
        traced = asyncio.run(ask_for_steps(request, config=config, seconds=time.seconds))
        snapshot = traced.snapshot
        out.writelines(told(request, traced, deadline=_deadline_words(time)))
    else:
        snapshot = asyncio.run(ask(request, config=config, seconds=time.seconds))
        registry = CollectorRegistry()
        registry.register(SnapshotCollector(snapshot))
        pieces = Format(kind="text").encode(registry)
        out.writelines(map(printable_lines, pieces) if out.isatty() else pieces)
    out.flush()
    [scrape] = snapshot.scrapes
    if scrape.failure is not None:
        tell(printable(f"Error: {scrape.target.label}: {said(scrape.failure)}"))
    for failed in collectors_that_failed(scrape):
        tell(printable(f"Warning: {scrape.target.label}: collector {failed}"))
    return scrape.failure is None


def _deadline_words(time: ScrapeTime) -> str:
    """Say how long it could take, and what decided it, in terms of the command's flags."""
    given = "--timeout is not given" if time.sent is None else f"--timeout is {time.sent:g} s"
    if time.rule is Rule.DEFAULT:
        why = f"the default, since {given}"
    elif time.rule is Rule.MODULE:
        why = f"the timeout of the module{', since' if time.sent is None else ';'} {given}"
    else:  # nothing is taken off
        why = given
    return f"Time: {time.seconds:g} s ({why})"
