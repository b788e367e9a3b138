"""Which devices of a target a module tells of."""
# Annotations are evaluated here: pydantic reads them.

from dataclasses import dataclass, field
from typing import Annotated, Protocol

from oxidized_exporter.config.expression import Expression
from oxidized_exporter.config.text import Text


class DeviceFields(Protocol):
    """What a device is selected by."""

    @property
    def full_name(self) -> str: ...  # noqa: D102 - as in nodes.json
    @property
    def name(self) -> str: ...  # noqa: D102 - the same
    @property
    def group(self) -> str: ...  # noqa: D102 - the same
    @property
    def model(self) -> str: ...  # noqa: D102 - the same
    @property
    def ip(self) -> str: ...  # noqa: D102 - the same


Expressions = tuple[Annotated[Expression, Text(parse=Expression, form="expression", example="access/.*")], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Lists of anchored expressions in RE2's syntax, by what they look at; a list that is left out says nothing."""

    name: Expressions = field(
        default=(), metadata={"min_length": 1, "description": "Expressions for the name of a device."}
    )
    full_name: Expressions = field(default=(), metadata={"min_length": 1, "description": "Expressions for group/name."})
    group: Expressions = field(default=(), metadata={"min_length": 1, "description": "Expressions for the group."})
    model: Expressions = field(
        default=(),
        metadata={"min_length": 1, "description": "Expressions for the model, a Ruby class name such as IOS."},
    )
    ip: Expressions = field(
        default=(),
        metadata={"min_length": 1, "description": "Expressions for the address, or what Oxidized shows in its place."},
    )

    def all_match(self, device: DeviceFields) -> bool:
        """Tell whether under every key that is given one expression matches."""
        return all(one_matches(expressions, value) for expressions, value in self._pairs(device) if expressions)

    def any_matches(self, device: DeviceFields) -> bool:
        """Tell whether under any key one expression matches."""
        return any(one_matches(expressions, value) for expressions, value in self._pairs(device))

    def _pairs(self, device: DeviceFields) -> tuple[tuple[Expressions, str], ...]:
        return (
            (self.name, device.name),
            (self.full_name, device.full_name),
            (self.group, device.group),
            (self.model, device.model),
            (self.ip, device.ip),
        )


def one_matches(expressions: Expressions, value: str) -> bool:
    """Tell whether one of the expressions matches all of ``value``."""
    return any(expression.matches(value) for expression in expressions)
