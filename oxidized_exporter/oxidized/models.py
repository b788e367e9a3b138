"""What Oxidized says of its devices: rows as they stand in nodes.json, devices as everybody else wants them."""

from __future__ import annotations

from typing import Final

import msgspec

NEVER: Final = "never"
"""Status that oxidized-web makes up where ``last`` is null: before the first job, and *between retries*."""
SUCCESS: Final = "success"


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


class Job(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The last job of a device.

    Attributes:
        succeeded: whether it says ``success``.
        start: Unix seconds, None where unreadable.
        end: Unix seconds, None where unreadable.
        duration: seconds, None where unreadable.
    """

    succeeded: bool
    start: float | None
    end: float | None
    duration: float | None


class Device(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One device, ready to be told of.

    Attributes:
        full_name: ``group/name``, or ``name`` where it has no group.
        name: not unique.
        group: as nodes.json has it (``default`` for a device without one), empty where it is missing.
        model: Ruby class name, ``IOS``.
        ip: address or name.
        status: as Oxidized spells it; not from a closed list.
        job: None while ``last`` is null.
        modified: when the stored configuration last changed, Unix seconds; None while unknown.
        exposes_secrets: whether nodes.json shows a secret of it.
    """

    full_name: str
    name: str
    group: str
    model: str
    ip: str
    status: str
    job: Job | None
    modified: float | None
    exposes_secrets: bool

    @property
    def labels(self) -> tuple[str, str, str, str]:
        """Return the values of the labels that identify a device, in their order."""
        return (self.full_name, self.name, self.group, self.model)


class NodeList(msgspec.Struct, frozen=True, kw_only=True):
    """All that one nodes.json says.

    Attributes:
        devices: one for each set of labels.
        duplicates: rows left out because another has the same labels.
        invalid: rows that could not be read.
        cut_labels: label values that were cut.
    """

    devices: tuple[Device, ...]
    duplicates: int = 0
    invalid: int = 0
    cut_labels: int = 0
