"""What the collector ``configs`` does: how fast it asks, how much it remembers, what it checks."""
# Annotations are evaluated here: pydantic reads them.

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Final

from oxidized_exporter.config.expression import Expression, LineExpression
from oxidized_exporter.config.selector import one_matches
from oxidized_exporter.config.text import Name, Text

MOST_AT_ONCE: Final = 8


_LineExpression = Annotated[LineExpression, Text(parse=LineExpression, form="line expression", example="^ntp server ")]
_Expressions = tuple[Annotated[Expression, Text(parse=Expression, form="expression", example="IOS.*")], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What must, or must not, stand in a stored configuration; of the two exactly one."""

    must_match: _LineExpression | None = field(
        default=None, metadata={"description": "It holds where this is found in the configuration."}
    )
    must_not_match: _LineExpression | None = field(
        default=None, metadata={"description": "It holds where this is not found."}
    )
    models: _Expressions = field(
        default=(),
        metadata={"min_length": 1, "description": "Models of the devices that are checked; without it all."},
    )
    groups: _Expressions = field(
        default=(),
        metadata={"min_length": 1, "description": "Groups of the devices that are checked; without it all."},
    )

    def applies(self, *, model: str, group: str) -> bool:
        """Tell whether a device of this model and group is checked."""
        return all(
            not expressions or one_matches(expressions, value)
            for expressions, value in ((self.models, model), (self.groups, group))
        )

    def holds(self, content: bytes | bytearray) -> bool:
        """Tell whether a configuration is as it must be; takes time, so call it off the loop."""
        if self.must_match is not None:
            return self.must_match.found_in(content)
        return self.must_not_match is None or not self.must_not_match.found_in(content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configs:
    """Settings of the collector ``configs``."""

    concurrency: int = field(
        default=2,
        metadata={
            "ge": 1,
            "le": MOST_AT_ONCE,
            "description": "Configurations that one scrape asks a target for at once. Oxidized serves them one at a "
            "time, under a lock that backups need too.",
        },
    )
    remember: int = field(
        default=100_000,
        metadata={
            "ge": 0,
            "description": "Devices of which size, lines and checks are remembered until Oxidized has done something "
            "with them, in all targets of the module together; 0: every scrape asks for every configuration.",
        },
    )
    checks: Mapping[Name, Check] = field(
        default_factory=dict, metadata={"description": "What is looked for in configurations, by name."}
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "checks", MappingProxyType(dict(self.checks)))
