"""What Oxidized says of its devices: rows as they stand in nodes.json, devices as everybody else wants them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Annotated, Any, Final, NamedTuple, overload

import msgspec
import msgspec.structs

NEVER: Final = "never"
"""Status that oxidized-web makes up where ``last`` is null: before the first job, and *between retries*."""
SUCCESS: Final = "success"


SHORT_CHARACTERS: Final = 256
"""What a short label has at most; in UTF-8 that is 1 KiB or less."""

_Short = Annotated[str, msgspec.Meta(max_length=SHORT_CHARACTERS)]


class LastJob(msgspec.Struct, gc=False):
    """``last`` of a row: times as text, ``time`` the duration in seconds."""

    start: str | None = None
    end: str | None = None
    status: str | None = None
    time: float | None = None


class Row(msgspec.Struct, gc=False):
    """One object of nodes.json, as text; unknown keys are passed over.

    ``vars`` holds secrets in clear: it stays undecoded until it is looked at once and dropped.
    """

    name: str
    full_name: str | None = None
    group: str | None = None
    model: str | None = None
    ip: str | None = None
    last: LastJob | None = None
    mtime: str | None = None
    status: str | None = None
    vars: msgspec.Raw = msgspec.Raw(b"null")


class ShortLastJob(LastJob, gc=False):
    """`LastJob` where the status is short."""

    status: _Short | None = None


class ShortRow(Row, gc=False):
    """`Row` where all labels are short: msgspec looks at their lengths while it makes them, which is all but free."""

    name: _Short
    full_name: _Short | None = None
    group: _Short | None = None
    model: _Short | None = None
    ip: _Short | None = None
    last: ShortLastJob | None = None
    status: _Short | None = None


class Rows(NamedTuple):
    """The readable rows of a list, how many are not, and whether all labels are known to be short."""

    rows: Sequence[Row]
    invalid: int
    labels_short: bool


class Device(msgspec.Struct, frozen=True, gc=False):
    """One device, ready to be told of.

    Attributes:
        full_name: ``group/name``, or ``name`` where it has no group.
        name: not unique.
        group: as nodes.json has it (``default`` for a device without one), empty where it is missing.
        model: Ruby class name, ``IOS``.
        ip: address or name.
        status: as Oxidized spells it; not from a closed list.
        succeeded: whether the last job says ``success``; None while there is no last job.
        start: when the last job began, Unix seconds; None where unreadable.
        end: when it ended, likewise.
        duration: of the last job, seconds; None where unreadable.
        modified: when the stored configuration last changed, Unix seconds; None while unknown.
        exposes_secrets: whether nodes.json shows a secret of it.
    """

    full_name: str
    name: str
    group: str
    model: str
    ip: str
    status: str
    succeeded: bool | None
    start: float | None
    end: float | None
    duration: float | None
    modified: float | None
    exposes_secrets: bool


@dataclass(frozen=True, slots=True)
class Devices(Sequence[Device]):
    """Devices by columns: each attribute of `Device`, as a list over all of them.

    Whatever is done to all devices is done to a column at a time, which costs a tenth of doing it to one device after
    the other. As a sequence it makes a `Device` whenever one is asked for.
    """

    full_name: list[str]
    name: list[str]
    group: list[str]
    model: list[str]
    ip: list[str]
    status: list[str]
    succeeded: list[bool | None]
    start: list[float | None]
    end: list[float | None]
    duration: list[float | None]
    modified: list[float | None]
    exposes_secrets: list[bool]

    @classmethod
    def of(cls, devices: Iterable[Device]) -> Devices:
        """Return the columns of single devices."""
        columns = zip(*map(msgspec.structs.astuple, devices), strict=True)
        return cls(*([list(column) for column in columns] or [[] for _ in Device.__struct_fields__]))

    def __len__(self) -> int:
        return len(self.name)

    @overload
    def __getitem__(self, index: int) -> Device: ...
    @overload
    def __getitem__(self, index: slice) -> Devices: ...
    def __getitem__(self, index: int | slice) -> Device | Devices:
        picked: list[Any] = [column[index] for column in self._columns()]
        return Devices(*picked) if isinstance(index, slice) else Device(*picked)

    def __iter__(self) -> Iterator[Device]:
        return map(Device, *self._columns())

    def where(self, chosen: Sequence[bool]) -> Devices:
        """Return the devices at whose place ``chosen`` is true."""
        return Devices(*(list(compress(column, chosen)) for column in self._columns()))

    def _columns(self) -> list[list[Any]]:
        return [getattr(self, name) for name in Device.__struct_fields__]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeList:
    """All that one nodes.json says.

    Attributes:
        devices: one for each set of labels.
        duplicates: rows left out because another has the same labels.
        invalid: rows that could not be read.
        cut_labels: label values that were cut.
    """

    devices: Devices
    duplicates: int = 0
    invalid: int = 0
    cut_labels: int = 0
