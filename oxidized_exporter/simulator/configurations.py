"""Configurations: made up from what a device is and how often it was changed, or set to the byte."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oxidized_exporter.simulator.device import Device

_FEWEST_INTERFACES = 6
_INTERFACES_VARY = 20
_KEPT = 16_384


@dataclass(frozen=True, slots=True)
class Configuration:
    """One device's configuration at one revision. Two are equal where their texts are.

    Attributes:
        name: the device's.
        model: decides on the syntax.
        ip: stands in the text as the management address.
        revision: how often it was changed.
        text: the whole of it where it was set; None for one that is made up.
    """

    name: str
    model: str
    ip: str
    revision: int
    text: bytes | None = None

    @classmethod
    def of(cls, device: Device, revision: int) -> Configuration:
        """Say what a device answers with when its configuration was changed `revision` times."""
        if device.configuration is None:
            return cls(device.name, device.model, device.ip, revision)
        text = device.configuration
        return cls("", "", "", 0, text.encode() if isinstance(text, str) else text)

    def to_bytes(self) -> bytes:
        """Spell it out. A made-up one has some tens of lines, in UTF-8, the same at every call."""
        return _made_up(self) if self.text is None else self.text


@lru_cache(maxsize=_KEPT)
def _made_up(configuration: Configuration) -> bytes:
    lines = _SYNTAXES.get(configuration.model, _ios)(configuration)
    return "".join(f"{line}\n" for line in lines).encode()


def _interfaces(configuration: Configuration) -> range:
    vary = zlib.crc32(configuration.name.encode()) % _INTERFACES_VARY
    return range(1, _FEWEST_INTERFACES + vary + configuration.revision % 3 + 1)


def _ios(configuration: Configuration) -> Iterator[str]:
    yield f"! revision {configuration.revision}"
    yield f"hostname {configuration.name}"
    yield "!"
    yield "enable secret 0 s3cr3t"
    yield "snmp-server location Köln, Gebäude 7"
    yield "ntp server 192.0.2.123"
    yield "!"
    yield from ("interface Loopback0", f" ip address {configuration.ip} 255.255.255.255", "!")
    for number in _interfaces(configuration):
        yield from (f"interface GigabitEthernet0/{number}", f" description Büro {number}", " no shutdown", "!")
    yield from ("line vty 0 15", " transport input ssh", "!", "end")


def _junos(configuration: Configuration) -> Iterator[str]:
    yield f"## revision {configuration.revision}"
    yield from ("system {", f"    host-name {configuration.name};")
    yield from ("    location building Köln;", '    root-authentication { encrypted-password "s3cr3t"; }')
    yield from ("    services { ssh; }", "    ntp { server 192.0.2.123; }", "}", "interfaces {")
    yield f"    lo0 {{ unit 0 {{ family inet {{ address {configuration.ip}/32; }} }} }}"
    for number in _interfaces(configuration):
        yield from (f"    ge-0/0/{number} {{", f'        description "Büro {number}";', "    }")
    yield "}"


def _fortios(configuration: Configuration) -> Iterator[str]:
    yield f"#conf_file_ver={configuration.revision}"
    yield from ("config system global", f'    set hostname "{configuration.name}"', "end")
    yield from ("config system ntp", "    set ntpsync enable", '    set server "192.0.2.123"', "end")
    yield from ("config system admin", '    edit "admin"', "        set password s3cr3t", "    next", "end")
    yield "config system interface"
    yield from ('    edit "mgmt"', f"        set ip {configuration.ip} 255.255.255.255", "    next")
    for number in _interfaces(configuration):
        yield from (f'    edit "port{number}"', f'        set alias "Büro {number}"', "    next")
    yield "end"


_SYNTAXES = {"JunOS": _junos, "FortiOS": _fortios}
