"""Families to text: those over many devices straight from their columns, all others by prometheus_client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import compress, groupby
from typing import TYPE_CHECKING, Final

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from oxidized_exporter.metrics.family import ColumnFamily

if TYPE_CHECKING:
    from oxidized_exporter.metrics.family import Block

_EOF: Final = b"# EOF\n"
_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


def encode(collector: Collector, *, library: Callable[[Collector], bytes]) -> Iterator[bytes]:
    """Write the families of a registry, piece by piece, the same bytes as ``library`` would.

    Args:
        collector: the registry.
        library: prometheus_client's encoder of the format, which writes every header and every other family.
    """
    writer = _BlockWriter()
    for family in collector.collect():
        if isinstance(family, ColumnFamily):
            yield library(_One(Metric(family.name, family.documentation, family.type))).removesuffix(_EOF)
            for block in family.blocks:
                yield writer.write(family.sample_name, block)
        else:
            yield library(_One(family)).removesuffix(_EOF)
    yield library(_One())  # what ends the format


class _One(Collector):
    """A family by itself, or none."""

    def __init__(self, *families: Metric) -> None:
        self._families = families

    def collect(self) -> tuple[Metric, ...]:
        return self._families


Part = str | Sequence[str]
"""A part of a line: the same in all of them, or one for each."""


class _BlockWriter:
    """Writes the blocks of one exposition; what blocks have in common, labels and numbers, is written once."""

    def __init__(self) -> None:
        self._runs: dict[tuple[tuple[str, int], ...], tuple[Sequence[Sequence[str]], list[str]]] = {}
        self._numbers = _Numbers()

    def write(self, name: str, block: Block) -> bytes:
        """Return the samples of a block, a line each."""
        parts = [f"{name}{{", *self._labels(block), "} "]
        if None in block.values:
            present = [value is not None for value in block.values]
            parts = [part if isinstance(part, str) else list(compress(part, present)) for part in parts]
        numbers = [self._numbers[value] for value in block.values if value is not None]
        return _weave([*parts, numbers, "\n"], len(numbers)).encode()

    def _labels(self, block: Block) -> Iterator[Part]:
        """Yield what stands between the braces, the labels in the order of their names, as the library puts them.

        Shared labels are joined in runs, since others may stand between them: ``ip`` between ``group`` and ``model``.
        """
        names = sorted({*block.shared, *block.own, *block.fixed})
        before = ""
        for shared, run in groupby(names, key=block.shared.__contains__):
            if shared:
                yield before
                yield self._run(block, tuple(run))
                before = ","
                continue
            for label in run:
                yield f'{before}{label}="'
                yield _escape(block.fixed[label]) if label in block.fixed else _escape_column(block.own[label])
                yield '"'
                before = ","

    def _run(self, block: Block, labels: tuple[str, ...]) -> list[str]:
        """Return neighbouring labels that several blocks share, joined."""
        columns = [block.shared[label] for label in labels]
        key = tuple((label, id(column)) for label, column in zip(labels, columns, strict=True))
        if key not in self._runs:
            # The columns are kept beside what was made of them, so that no other gets their place in memory.
            self._runs[key] = columns, _join(labels, columns)
        return self._runs[key][1]


class _Numbers(dict[float, str]):
    """Numbers as prometheus_client writes them, each made once: a fleet has the same times again and again."""

    def __missing__(self, value: float) -> str:
        text = str(floatToGoString(value))  # type: ignore[no-untyped-call]  # the library has no types here
        if value:  # not for zero: a negative one is equal, but written otherwise
            self[value] = text
        return text


def _weave(parts: Sequence[Part], count: int) -> str:
    """Join so many lines of their parts, without making the lines: four times as fast as one after the other."""
    width = len(parts)
    woven = [""] * (width * count)
    for place, part in enumerate(parts):
        woven[place::width] = [part] * count if isinstance(part, str) else part
    return "".join(woven)


def _join(labels: Sequence[str], columns: Sequence[Sequence[str]]) -> list[str]:
    count = len(columns[0])
    text = _weave(_label_parts(labels, columns), count)
    if "\\" in text or text.count('"') != 2 * len(labels) * count or text.count("\n") != count:
        text = _weave(_label_parts(labels, [list(map(_escape, column)) for column in columns]), count)
    return text.split("\n")[:-1]


def _label_parts(labels: Sequence[str], columns: Sequence[Sequence[str]]) -> list[Part]:
    parts: list[Part] = []
    before = ""
    for label, column in zip(labels, columns, strict=True):
        parts += [f'{before}{label}="', column]
        before = '",'
    return [*parts, '"\n']


def _escape_column(column: Sequence[str]) -> Sequence[str]:
    text = "".join(column)
    clean = not ("\\" in text or '"' in text or "\n" in text)
    return column if clean else list(map(_escape, column))


def _escape(text: str) -> str:
    return text.translate(_ESCAPES)
