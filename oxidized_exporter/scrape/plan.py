"""How one target will be reached: decided before anything is asked, from the configuration alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oxidized_exporter.errors import ForbiddenTargetError
from oxidized_exporter.targets.guard import ANY_ADDRESS, AddressPolicy, judge

if TYPE_CHECKING:
    from oxidized_exporter.config import Config, Connection
    from oxidized_exporter.targets.url import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlan:
    """A target that may be asked.

    Attributes:
        target: whom to ask.
        connection: how; None where no entry serves the target, which then gets no credentials.
        policy: what has to hold for every address that is connected to.
        config: what this was decided from; a reload changes nothing about a plan.
    """

    target: Target
    connection: Connection | None
    policy: AddressPolicy
    config: Config

    def permits(self, target: Target) -> bool:
        """Tell whether a redirect may lead to ``target`` with the same credentials, under the same policy.

        Raises:
            ForbiddenTargetError: a caller might not name it either.
        """
        other = plan(target, config=self.config)
        return other.connection is self.connection and other.policy == self.policy


def plan(target: Target, *, config: Config) -> TargetPlan:
    """Decide whether ``target`` may be asked, and how.

    Raises:
        ForbiddenTargetError: its text alone forbids it. The message does not repeat the text.
    """
    policy = judge(
        target,
        configured={entry.target.base for entry in config.targets.values()},
        allow=config.access.allow,
        deny=config.access.deny,
    )
    connection = config.connection_for(target)
    if connection is not None and connection.proxy_url is not None:
        if policy.allow is not None:
            raise ForbiddenTargetError(
                "is listed by access.allow as a network only, but a proxy resolves its name: list its URL",
                origin=target.origin,
            )
        # Names are resolved by the proxy; what is resolved here is the proxy's own name.
        policy = ANY_ADDRESS
    return TargetPlan(target=target, connection=connection, policy=policy, config=config)
