"""Where a daemon puts configurations, and how it finds them again. Unlike its state this survives a restart."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from oxidized_exporter.simulator.state import Output

if TYPE_CHECKING:
    from oxidized_exporter.simulator.configurations import Configuration
    from oxidized_exporter.simulator.device import Device

NEVER_STORED = b"node not found"
"""What the git output gives, as a configuration, where it has none."""


class NoFileError(Exception):
    """The file output was asked for an ungrouped device and found no file of that name: it fails on this."""


class Storage:
    """One git repository for all groups, or one directory for each group."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._stored: dict[str, Configuration] = {}
        # Name -> full names of those in a group that can be searched for.
        self._grouped: defaultdict[str, set[str]] = defaultdict(set)

    def store(self, device: Device, configuration: Configuration) -> bool:
        """Put a device's configuration where its full name says; tell whether that counts as a change."""
        # Recorded of Oxidized 0.30.1 and 0.34.3: the empty group is committed at every run, changed or not.
        always = self._output is Output.FILE or device.group == ""
        if self._output is Output.GIT and configuration.text == b"":
            return False
        if not always and self._stored.get(device.full_name) == configuration:
            return False
        self._stored[device.full_name] = configuration
        if device.group:
            self._grouped[device.name].add(device.full_name)
        return True

    def fetch(self, name: str, group: str | None) -> bytes | None:
        """Return what is stored under exactly this group (None: under no group).

        Without a group the file output takes a file of this name from any group when it has no other. What is
        stored of a device in the empty group is not found by any group.

        Returns:
            The configuration; None, shown as nothing, where the file output has none in the group.

        Raises:
            NoFileError: the file output has no file of this name anywhere.
        """
        found = self._stored.get(f"{group}/{name}" if group else name)
        if found is None and self._output is Output.FILE and not group:
            elsewhere = self._grouped.get(name)
            if not elsewhere:
                raise NoFileError(name)
            found = self._stored[min(elsewhere)]
        if found is not None:
            return found.to_bytes()
        return NEVER_STORED if self._output is Output.GIT else None
