"""What a request to ``/probe`` asks for: the caller's mistakes are found here, before anything is done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from oxidized_exporter.config import DEFAULT_MODULE
from oxidized_exporter.errors import (
    BadParameterError,
    ForbiddenTargetError,
    UnknownModuleError,
    UnknownTargetError,
)
from oxidized_exporter.scrape.plan import TargetPlan, plan
from oxidized_exporter.targets.url import is_name, parse_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from multidict import MultiMapping

    from oxidized_exporter.config import Config, Module

_COLLECT = "collect[]"
_SHOWN = 64
_MOST_TARGETS = 100  # of one request: each is judged, connected to and held


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRequest:
    """A request that can be carried out."""

    plans: tuple[TargetPlan, ...]
    module: Module


def parse_probe(query: MultiMapping[str], *, config: Config) -> ProbeRequest:
    """Read the parameters of ``/probe``; unknown ones are passed over.

    Raises:
        BadParameterError: a parameter is missing, malformed or given twice, two targets are the same, or the module
            has no such collector.
        ForbiddenTargetError: a target's text alone forbids it.
        UnknownModuleError: no such module.
        UnknownTargetError: no configured target of that name.
    """
    module = parse_module(query, config=config) or config.modules[DEFAULT_MODULE]
    module = _narrowed(module, query.getall(_COLLECT, []))
    texts = query.getall("target", [])
    if not texts:
        raise BadParameterError("target: missing; write /probe?target=http://oxidized.example.net:8888")
    if len(texts) > _MOST_TARGETS:
        raise BadParameterError(f"target: given {len(texts)} times, more than {_MOST_TARGETS}")
    plans = tuple(
        _plan(text, number=number, count=len(texts), config=config) for number, text in enumerate(texts, start=1)
    )
    for base, times in Counter(planned.target.base for planned in plans).items():
        if times > 1:
            raise BadParameterError(f"target: {base} is given {times} times")
    return ProbeRequest(plans=plans, module=module)


def parse_module(query: MultiMapping[str], *, config: Config) -> Module | None:
    """Return the module that the parameter names; None where it is not given.

    Raises:
        BadParameterError: it is given twice.
        UnknownModuleError: no such module.
    """
    names, modules = query.getall("module", []), config.modules
    if not names:
        return None
    if len(names) > 1:
        raise BadParameterError(f"module: given {len(names)} times")
    if names[0] not in modules:
        raise UnknownModuleError(f"module: no module {_quoted(names[0])}; there are: {', '.join(sorted(modules))}")
    return modules[names[0]]


def _narrowed(module: Module, names: Sequence[str]) -> Module:
    """Return the module with those of its collectors that are named, in its own order; with all where none is."""
    for name in names:
        if name not in module.collectors:
            there = ", ".join(module.collectors)
            raise BadParameterError(f"{_COLLECT}: the module {module.name} has no {_quoted(name)}; it has: {there}")
    return replace(module, collectors=tuple(c for c in module.collectors if c in names)) if names else module


def _plan(text: str, *, number: int, count: int, config: Config) -> TargetPlan:
    which = "target" if count == 1 else f"target {number} of {count}"
    if not text:
        raise BadParameterError(f"{which}: empty")
    if is_name(text) and text not in config.targets:
        raise UnknownTargetError(
            f"{which}: no target {_quoted(text)} is configured; to name one by its address, write "
            "http[s]://host[:port][/prefix] or host:port"
        )
    try:
        target = config.targets[text].target if text in config.targets else parse_target(text)
        return plan(target, config=config)
    except BadParameterError as error:
        raise BadParameterError(f"{which}: {error}") from None
    except ForbiddenTargetError as error:
        raise ForbiddenTargetError(f"{which}: {error}", origin=error.origin) from None


def _quoted(text: str) -> str:
    """Show what was written, within bounds and without control characters."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
