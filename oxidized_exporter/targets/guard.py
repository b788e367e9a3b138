"""Which targets may be named, and which addresses may be connected to on their behalf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oxidized_exporter.errors import ForbiddenTargetError
from oxidized_exporter.targets.address import IPAddress, forbidden
from oxidized_exporter.targets.pattern import AccessPattern, NetworkPattern

if TYPE_CHECKING:
    from collections.abc import Collection

    from oxidized_exporter.targets.url import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPolicy:
    """What holds for every address that a name resolves to, besides the addresses that are never asked.

    Attributes:
        allow: networks of which one has to hold the address; None where any will do.
        deny: networks of which none may hold it.
    """

    allow: tuple[NetworkPattern, ...] | None = None
    deny: tuple[NetworkPattern, ...] = ()

    def refusal(self, address: IPAddress) -> str | None:
        """Say why ``address`` must not be connected to, or None where it may be."""
        if why := forbidden(address):
            return f"{why}, which is never asked"
        if any(network.touches(address) for network in self.deny):
            return "which access.deny refuses"
        if self.allow is not None and not any(network.contains(address) for network in self.allow):
            return "which access.allow does not list"
        return None


ANY_ADDRESS = AddressPolicy()
"""Only the addresses that are never asked are refused."""


def judge(
    target: Target,
    *,
    configured: Collection[str],
    allow: Collection[AccessPattern],
    deny: Collection[AccessPattern],
) -> AddressPolicy:
    """Decide by its text whether ``target`` may be named, and say what its addresses have to fulfil.

    A configured target always may. With neither configured targets nor an allow list every other one may, too, unless
    the deny list names it.

    Args:
        target: what is to be named.
        configured: base URLs of the configured targets.
        allow: patterns and networks; a name that no pattern matches passes if a network may hold its addresses.
        deny: patterns and networks that are refused even so.

    Raises:
        ForbiddenTargetError: its text alone forbids it. The message does not repeat the text.
    """
    if target.base in configured:
        return ANY_ADDRESS
    if any(pattern.refuses(target) for pattern in deny):
        raise ForbiddenTargetError("is refused by access.deny", origin=target.origin)
    denied = _networks(deny)
    if not configured and not allow:
        return AddressPolicy(deny=denied)
    if any(pattern.matches(target) for pattern in allow):
        # A URL pattern stands for the name whatever it resolves to; a network that matches has judged the literal.
        return AddressPolicy(deny=denied)
    networks = _networks(allow)
    if networks and target.address is None:
        return AddressPolicy(allow=networks, deny=denied)
    raise ForbiddenTargetError("is neither a configured target nor listed by access.allow", origin=target.origin)


def _networks(patterns: Collection[AccessPattern]) -> tuple[NetworkPattern, ...]:
    return tuple(pattern for pattern in patterns if isinstance(pattern, NetworkPattern))
