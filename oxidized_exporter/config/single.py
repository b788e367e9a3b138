"""The one Oxidized that the command line names: what it adds to a configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from oxidized_exporter.config.connection import BasicAuth, Connection
from oxidized_exporter.config.model import Config, Module, TargetEntry
from oxidized_exporter.errors import ConfigError, Fault
from oxidized_exporter.targets.pattern import TargetPattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oxidized_exporter.targets.url import Target

SINGLE_TARGET: Final = "oxidized"
"""Name of the target."""
SINGLE_MODULE: Final = "single"
"""Name of the module that collects it, where no other is asked for; a configuration may have one of this name."""
_URL: Final = "--oxidized.url"
_MODULE: Final = "--oxidized.module"


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleInstance:
    """The Oxidized whose metrics stand among the exporter's own.

    Attributes:
        target: whom to ask; its label does not matter.
        basic_auth: user name and password; None where the configuration alone says how the target is reached.
        module: name of the one that says what is collected.
    """

    target: Target
    basic_auth: BasicAuth | None = None
    module: str = SINGLE_MODULE

    def added_to(self, config: Config, *, file: str | None) -> Config:
        """Return ``config`` with the target, the module `SINGLE_MODULE` if it has none, and the credentials.

        Args:
            config: to begin with.
            file: where it comes from; None where there is no file.

        Raises:
            ConfigError: it says something else of the same target, or has no such module.
        """
        modules = {SINGLE_MODULE: _nodes_and_configs()} | dict(config.modules)
        if faults := tuple(self._faults(config, modules=modules, file=file or "the configuration")):
            raise ConfigError(faults)
        entry = TargetEntry(name=SINGLE_TARGET, target=self.target, module=self.module)
        return replace(
            config,
            modules=modules,
            targets={**config.targets, SINGLE_TARGET: entry},
            connections=(*self._connections(), *config.connections),
        )

    def _connections(self) -> Iterator[Connection]:
        if self.basic_auth is not None:
            yield Connection(targets=(TargetPattern.parse(self.target.base),), basic_auth=self.basic_auth)

    def _faults(self, config: Config, *, modules: dict[str, Module], file: str) -> Iterator[Fault]:
        if self.module not in modules:
            there = ", ".join(sorted(modules))
            yield _fault(_MODULE, "", f"no module of this name is configured; there are: {there}")
        for name, entry in config.targets.items():
            if name == SINGLE_TARGET:
                yield _fault(file, f"targets.{name}", f"is the name that {_URL} gives its target; choose another one")
            if entry.target.base == self.target.base:
                yield _fault(file, f"targets.{name}.url", f"is what {_URL} says too; leave one of the two out")
        for index, pattern in enumerate(config.access.deny):
            if pattern.refuses(self.target):
                yield _fault(file, f"access.deny[{index}]", f"refuses what {_URL} says")
        serving = config.connection_for(self.target)
        if self.basic_auth is not None and serving is not None:
            yield _fault(
                file,
                f"connections[{config.connections.index(serving)}]",
                f"serves what {_URL} says too; write basic_auth here, in place of --user and its password",
            )


def _nodes_and_configs() -> Module:
    return Module(name=SINGLE_MODULE, collectors=("nodes", "configs"))


def _fault(file: str, key_path: str, message: str) -> Fault:
    return Fault(file=file, line=None, key_path=key_path, message=message)
