"""What a request to ``/probe`` asks for: the caller's mistakes are found here, before anything is done."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from oxidized_exporter.config import DEFAULT_MODULE, SINGLE_TARGET
from oxidized_exporter.errors import BadParameterError
from oxidized_exporter.scrape.plan import plan
from oxidized_exporter.scrape.request import ScrapeRequest, find_module, judge_request, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from multidict import MultiMapping

    from oxidized_exporter.config import Config, Module

_COLLECT = "collect[]"


def parse_probe(query: MultiMapping[str], *, config: Config) -> ScrapeRequest:
    """Read the parameters of ``/probe``; unknown ones are passed over.

    Raises:
        BadParameterError: a parameter is missing, malformed or given twice, two targets are the same, or the module
            has no such collector.
        ForbiddenTargetError: a target's text alone forbids it.
        UnknownModuleError: no such module.
        UnknownTargetError: no configured target of that name.
    """
    module = parse_module(query, config=config) or config.modules[DEFAULT_MODULE]
    targets = query.getall("target", [])
    if not targets:
        raise BadParameterError("target: missing; write /probe?target=http://oxidized.example.net:8888")
    wanted = judge_request(
        targets,
        module=module.name,
        collectors=query.getall(_COLLECT, []),
        collectors_from=_COLLECT,
        config=config,
    )
    return replace(wanted, debug=_debug(query.getall("debug", ["false"])))


def single_probe(config: Config) -> ScrapeRequest:
    """Return what is asked for of the one Oxidized that the command line names, which ``config`` has."""
    entry = config.targets[SINGLE_TARGET]
    return ScrapeRequest(plans=(plan(entry.target, config=config),), module=config.modules[entry.module])


def parse_module(query: MultiMapping[str], *, config: Config) -> Module | None:
    """Return the module that the parameter names; None where it is not given.

    Raises:
        BadParameterError: it is given twice.
        UnknownModuleError: no such module.
    """
    names = query.getall("module", [])
    if len(names) > 1:
        raise BadParameterError(f"module: given {len(names)} times")
    return find_module(names[0], config=config) if names else None


def _debug(texts: Sequence[str]) -> bool:
    if len(texts) > 1:
        raise BadParameterError(f"debug: given {len(texts)} times")
    if texts[0] not in {"true", "false"}:
        raise BadParameterError(f"debug: must be true or false, not {quoted(texts[0])}")
    return texts[0] == "true"
