"""Families to text: those over many devices straight from their columns, all others by prometheus_client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import compress, groupby
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from oxidized_exporter.metrics.family import ColumnFamily

if TYPE_CHECKING:
    from oxidized_exporter.metrics.family import Block, SharedLabels

_EOF: Final = b"# EOF\n"
_AS_PYTHON_WRITES: Final = 1e6  # below it, the library writes a number as Python does
_BILLION: Final = 1e9
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


Part: TypeAlias = str | Sequence[str]
"""A part of a line: the same in all of them, or one for each."""


class _BlockWriter:
    """Writes the blocks of one exposition; what blocks have in common, labels and numbers, is written once."""

    def __init__(self) -> None:
        self._joined: dict[SharedLabels, list[str]] = {}
        self._numbers = _Numbers()

    def write(self, name: str, block: Block) -> bytes:
        """Return the samples of a block, a line each."""
        parts = [f"{name}{{", *self._labels(block), "} "]
        values = block.values
        if None in values:
            present = [value is not None for value in values]
            parts = [part if isinstance(part, str) else list(compress(part, present)) for part in parts]
            values = list(compress(values, present))
        numbers = list(map(self._numbers.__getitem__, cast("Sequence[float]", values)))
        return _weave([*parts, numbers, "\n"], len(numbers)).encode()

    def _labels(self, block: Block) -> Iterator[Part]:
        """Yield what stands between the braces, the labels in the order of their names, as the library puts them.

        Where the shared labels stand together, they are joined for all blocks that have them; elsewhere (``ip`` between
        ``group`` and ``model``) one family does not repay it.
        """
        columns = block.shared.columns
        names = sorted({*columns, *block.own, *block.fixed})
        before = ""
        for shared, run in groupby(names, key=columns.__contains__):
            labels = list(run)
            if shared and len(labels) == len(columns):
                yield before
                yield self._join(block.shared)
                before = ","
                continue
            for label in labels:
                yield f'{before}{label}="'
                if label in block.fixed:
                    yield _escape(block.fixed[label])
                else:
                    yield _escape_column(columns[label] if shared else block.own[label])
                yield '"'
                before = ","

    def _join(self, shared: SharedLabels) -> list[str]:
        """Return the labels that blocks share, joined once for all of them."""
        if shared not in self._joined:
            labels = sorted(shared.columns)
            self._joined[shared] = _join(labels, [shared.columns[label] for label in labels])
        return self._joined[shared]


class _Numbers(dict[float, str]):
    """Numbers as prometheus_client writes them, each made once: a fleet has the same times again and again."""

    def __missing__(self, value: float) -> str:
        text = _write_number(float(value))
        if value:  # not for zero: a negative one is equal, but written otherwise
            self[value] = text
        return text


def _write_number(value: float) -> str:
    """Write a number as `floatToGoString` does, sooner where it is of a kind that fills a scrape."""
    if -_AS_PYTHON_WRITES < value < _AS_PYTHON_WRITES:
        return repr(value)
    if _BILLION <= value < 10 * _BILLION and value.is_integer():  # Unix times
        digits = str(int(value))
        return f"{digits[0]}.{digits[1:]}".rstrip("0.") + "e+09"
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]  # the library has no types here


def _weave(parts: Iterable[Part], count: int) -> str:
    """Join so many lines of their parts, without making the lines, which would take longer."""
    merged = _merge(parts)
    width = len(merged)
    woven = [""] * (width * count)
    for place, part in enumerate(merged):
        woven[place::width] = [part] * count if isinstance(part, str) else part
    return "".join(woven)


def _merge(parts: Iterable[Part]) -> list[Part]:
    """Put neighbouring parts that are the same in all lines together."""
    merged: list[Part] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    return merged


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
