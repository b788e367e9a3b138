"""What is asked for, by whom ever: targets, a module and its collectors, judged before anything is done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from oxidized_exporter.errors import BadParameterError, ForbiddenTargetError, UnknownModuleError, UnknownTargetError
from oxidized_exporter.scrape.plan import TargetPlan, plan
from oxidized_exporter.targets.url import is_name, parse_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oxidized_exporter.config import Config, Module

_SHOWN = 64
_MOST_TARGETS = 100  # of one request: each is judged, connected to and held


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeRequest:
    """A request that can be carried out.

    Attributes:
        plans: whom to ask, and how.
        module: what is collected.
        debug: whether the steps are to be told.
    """

    plans: tuple[TargetPlan, ...]
    module: Module
    debug: bool = False


def judge_request(
    targets: Sequence[str],
    *,
    module: str,
    collectors: Sequence[str] = (),
    collectors_from: str = "collectors",
    config: Config,
) -> ScrapeRequest:
    """Decide whether what is asked for can be done, and how.

    Args:
        targets: one or more, each a URL, ``host:port`` or the name of a configured target.
        module: name of it.
        collectors: those of the module's that are wanted; all where none is named.
        collectors_from: how the parameter is called that names them.
        config: which modules and targets there are, and what may be asked.

    Raises:
        BadParameterError: a target is malformed, given twice, or one too many, or the module has no such collector.
        ForbiddenTargetError: a target's text alone forbids it.
        UnknownModuleError: no such module.
        UnknownTargetError: no configured target of that name.
    """
    narrowed = _narrowed(find_module(module, config=config), collectors, parameter=collectors_from)
    if len(targets) > _MOST_TARGETS:
        raise BadParameterError(f"target: given {len(targets)} times, more than {_MOST_TARGETS}")
    plans = tuple(
        _plan(text, number=number, count=len(targets), config=config) for number, text in enumerate(targets, start=1)
    )
    for base, times in Counter(planned.target.base for planned in plans).items():
        if times > 1:
            raise BadParameterError(f"target: {base} is given {times} times")
    return ScrapeRequest(plans=plans, module=narrowed)


def find_module(name: str, *, config: Config) -> Module:
    """Return the module of that name.

    Raises:
        UnknownModuleError: there is none.
    """
    if name not in config.modules:
        raise UnknownModuleError(f"module: no module {quoted(name)}; there are: {', '.join(sorted(config.modules))}")
    return config.modules[name]


def _narrowed(module: Module, names: Sequence[str], *, parameter: str) -> Module:
    """Return the module with those of its collectors that are named, in its own order; with all where none is."""
    for name in names:
        if name not in module.collectors:
            there = ", ".join(module.collectors)
            raise BadParameterError(f"{parameter}: the module {module.name} has no {quoted(name)}; it has: {there}")
    return replace(module, collectors=tuple(c for c in module.collectors if c in names)) if names else module


def _plan(text: str, *, number: int, count: int, config: Config) -> TargetPlan:
    which = "target" if count == 1 else f"target {number} of {count}"
    if not text:
        raise BadParameterError(f"{which}: empty")
    if is_name(text) and text not in config.targets:
        raise UnknownTargetError(
            f"{which}: no target {quoted(text)} is configured; to name one by its address, write "
            "http[s]://host[:port][/prefix] or host:port"
        )
    try:
        target = config.targets[text].target if text in config.targets else parse_target(text)
        return plan(target, config=config)
    except BadParameterError as error:
        raise BadParameterError(f"{which}: {error}") from None
    except ForbiddenTargetError as error:
        raise ForbiddenTargetError(f"{which}: {error}", origin=error.origin) from None


def quoted(text: str) -> str:
    """Show what was written, within bounds and without control characters."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
