"""``oxidized-exporter probe``: what ``/probe`` would answer, on stdout."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from oxidized_exporter.commands.asking import ask, collectors_that_failed, module_of, read_config, said, seconds_for
from oxidized_exporter.errors import printable
from oxidized_exporter.metrics.collector import SnapshotCollector
from oxidized_exporter.metrics.exposition import Format
from oxidized_exporter.scrape.request import judge_request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    from oxidized_exporter.config import SingleInstance


def probe(
    target: str,
    *,
    module: str | None,
    collect: Sequence[str],
    config_file: str | None,
    single: SingleInstance | None,
    timeout: float | None,
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
        out: where the metrics go, in text format 0.0.4.
        tell: is called with a line that says why Oxidized did not answer, or which collector did not do all.

    Raises:
        CallerError: what is asked for cannot be done.
        ConfigError: the configuration file has faults.
    """
    config = read_config(config_file, single=single)
    module = module_of([target], module=module, config=config)
    request = judge_request([target], module=module, collectors=collect, collectors_from="--collect", config=config)
    seconds = seconds_for(request.module, timeout=timeout)
    snapshot = asyncio.run(ask(request, config=config, seconds=seconds))
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(snapshot))
    out.writelines(Format(kind="text").encode(registry))
    out.flush()
    [scrape] = snapshot.scrapes
    if scrape.failure is not None:
        tell(printable(f"Error: {scrape.target.label}: {said(scrape.failure)}"))
    for failed in collectors_that_failed(scrape):
        tell(printable(f"Warning: {scrape.target.label}: collector {failed}"))
    return scrape.failure is None
