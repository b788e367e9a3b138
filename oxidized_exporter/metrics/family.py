"""A metric family over many devices: columns, from which samples are made when somebody asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True, eq=False)
class SharedLabels:
    """Labels that blocks of several families have in common; whoever writes them keeps what he made by this object.

    Attributes:
        columns: label and its values, a column each.
    """

    columns: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Samples of one family that share what they are labelled with: one for each place of the columns.

    Attributes:
        shared: what other families have as well.
        own: label and its values, a column each, of this family alone.
        fixed: labels that have the same value in every sample. No label stands in two of the three, and one at least
            stands in any.
        values: None where there is no sample.
    """

    shared: SharedLabels
    own: Mapping[str, Sequence[str]]
    fixed: Mapping[str, str]
    values: Sequence[float | None]

    @property
    def has_samples(self) -> bool:
        """Whether there is one at least."""
        return any(value is not None for value in self.values)


def family_name(name: str, typ: str) -> str:
    """Return the name of the family whose samples are called ``name``: without the suffix that the library gives."""
    return name.removesuffix("_total") if typ == "counter" else name


class ColumnFamily(Metric):
    """A family of prometheus_client that keeps blocks of columns in place of samples.

    It works in any registry: ``samples`` is the list that the library expects, made anew at each look. An encoder that
    knows it reads ``blocks`` and makes none.

    Args:
        name: of the samples, with ``_total`` where it is a counter.
        documentation: the HELP text.
        typ: ``gauge`` or ``counter``.
        blocks: in the order of their samples.
    """

    def __init__(self, name: str, documentation: str, typ: str, *, blocks: Sequence[Block]) -> None:
        self.sample_name = name
        self.blocks = blocks
        super().__init__(family_name(name, typ), documentation, typ)

    @property
    def samples(self) -> list[Sample]:
        """Make the samples."""
        return list(self._samples())

    @samples.setter
    def samples(self, _empty: list[Sample]) -> None:
        """Take the empty list that the library's constructor sets."""

    def _samples(self) -> Iterator[Sample]:
        for block in self.blocks:
            for place, value in enumerate(block.values):
                if value is not None:
                    columns = (*block.shared.columns.items(), *block.own.items())
                    labels = {label: column[place] for label, column in columns}
                    yield Sample(self.sample_name, labels | dict(block.fixed), value)
