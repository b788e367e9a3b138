"""``oxidized-exporter status``: how the devices of some instances are, for people and for machines."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from oxidized_exporter.commands.asking import ask, module_of, seconds_for, with_every_device
from oxidized_exporter.commands.progress import progress_bars
from oxidized_exporter.commands.status_json import document
from oxidized_exporter.commands.status_table import print_status
from oxidized_exporter.config import config_from
from oxidized_exporter.scrape.request import judge_request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from oxidized_exporter.config import SingleInstance
    from oxidized_exporter.scrape.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a user wants to know.

    Attributes:
        targets: URLs, ``host:port`` or names of configured targets.
        module: name of it; None for the targets' own.
        config_file: None for none.
        single: the one Oxidized of the command line, if there is one.
        timeout: seconds for all targets together; they are asked at once.
        max_age: seconds; a device whose last success is older is stale.
        clock: tells the present in Unix seconds.
    """

    targets: Sequence[str]
    module: str | None
    config_file: str | None
    single: SingleInstance | None
    timeout: float
    max_age: float
    clock: Callable[[], float]


def status_as_table(asked: Asked, *, out: TextIO, err: TextIO) -> bool:
    """Write a table for people, with a progress bar meanwhile; returns whether every Oxidized answered.

    Raises:
        CallerError: what is asked for cannot be done.
        ConfigError: the configuration file has faults.
    """
    snapshot, _ = _scraped(asked, err=err)
    print_status(snapshot, out=out, now=asked.clock(), max_age=asked.max_age)
    return _answered(snapshot)


def status_as_json(asked: Asked, *, out: TextIO, err: TextIO) -> bool:
    """Write one JSON object for machines, with a progress bar meanwhile; returns whether every Oxidized answered.

    Raises:
        CallerError: what is asked for cannot be done.
        ConfigError: the configuration file has faults.
    """
    snapshot, module = _scraped(asked, err=err)
    found: dict[str, Any] = document(snapshot, module=module, now=asked.clock(), max_age=asked.max_age)
    json.dump(found, out, indent=2, allow_nan=False)  # ASCII alone: nothing in it can drive a terminal
    out.write("\n")
    return _answered(snapshot)


def _scraped(asked: Asked, *, err: TextIO) -> tuple[Snapshot, str]:
    """Return what was scraped, and the name of the module that it was scraped with."""
    config = config_from(asked.config_file, single=asked.single)
    module = module_of(asked.targets, module=asked.module, config=config)
    request = judge_request(asked.targets, module=module, config=config)
    request = with_every_device(request, config=config)
    seconds = seconds_for(request.module, timeout=asked.timeout)
    with progress_bars(err) as watch:
        return asyncio.run(ask(request, config=config, seconds=seconds, watch=watch)), module


def _answered(snapshot: Snapshot) -> bool:
    return all(scrape.failure is None for scrape in snapshot.scrapes)
