"""The lines about probes that fail and requests that are turned away: no caller and no target floods the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog

if TYPE_CHECKING:
    from oxidized_exporter.errors import ForbiddenTargetError
    from oxidized_exporter.scrape.snapshot import CollectorRun, Failure, Snapshot, TargetScrape
    from oxidized_exporter.web.repetition import Occurrence, Repetition

_log = structlog.stdlib.get_logger(__name__)
_UNDERSTOOD: Final = 500


class FailureLog:
    """Tells of each target and collector, by module, when it begins to fail, how, and when it is well again.

    What a client brings about is told by client, so that no wealth of targets makes a wealth of lines.
    """

    def __init__(self, repetition: Repetition) -> None:
        """Take what decides whether there is a line."""
        self._repetition = repetition

    def probed(self, snapshot: Snapshot, *, module: str) -> None:
        """Tell how the targets of a scrape fared."""
        for scrape in snapshot.scrapes:
            self._target(scrape, module=module)
            for run in scrape.collectors:
                self._collector(scrape, run, module=module)

    def refused(self, error: ForbiddenTargetError, *, client: str | None) -> None:
        """Tell that a client named a target that is forbidden."""
        if again := self._repetition.failed("refused", str(client), reason=str(error.origin)):
            _log.warning("target refused", client=client, origin=error.origin, detail=str(error), **_repeated(again))

    def abandoned(self, *, client: str | None, module: str, target: str, targets: int, seconds: float) -> None:
        """Tell that a client hung up.

        Args:
            client: who.
            module: what was collected.
            target: the first that was asked.
            targets: how many were.
            seconds: the time that the scrape had.
        """
        if again := self._repetition.failed("abandoned", str(client), reason=target):
            _log.warning(
                "probe abandoned: the caller hung up",
                client=client,
                target=target,
                module=module,
                targets=targets,
                seconds=round(seconds, 3),
                **_repeated(again),
            )

    def broken(self, *, client: str | None, status: int, error: str) -> None:
        """Tell of a request that was not understood, or not seen to its end.

        Args:
            client: who sent it.
            status: of the answer; from 500 on the request was understood.
            error: the exception's class.
        """
        if again := self._repetition.failed("broken", str(client), reason=f"{status} {error}"):
            _log.info(
                "request not understood" if status < _UNDERSTOOD else "answer broken off",
                client=client,
                status=status,
                error=error,
                **_repeated(again),
            )

    def unsecured(self, *, client: str | None, reason: str) -> None:
        """Tell of a connection that came to no TLS."""
        if again := self._repetition.failed("unsecured", str(client), reason=reason):
            _log.info("no TLS connection", client=client, reason=reason, **_repeated(again))

    def crowded(self, *, which: str) -> None:
        """Tell that a connection had to make room: one of many that were ``silent``, ``idle`` or ``unread``."""
        if again := self._repetition.failed("crowded", which, reason=which):
            _log.warning("too many connections: the longest waiting is closed", which=which, **_repeated(again))

    def turned_away(self, *, client: str | None, reason: str) -> None:
        """Tell of a client who asked when there was no room for it; ``reason`` is the one that is counted."""
        if again := self._repetition.failed("turned away", str(client), reason=reason):
            _log.warning("request turned away", client=client, reason=reason, **_repeated(again))

    def user_refused(self, *, client: str | None, malformed: bool) -> None:
        """Tell of a client whose user name or password is wrong, or whose header cannot be read."""
        if again := self._repetition.failed("user refused", str(client), reason=f"malformed={malformed}"):
            _log.info("user refused", client=client, malformed=malformed, **_repeated(again))

    def _target(self, scrape: TargetScrape, *, module: str) -> None:
        target, failure = scrape.target.label, scrape.failure
        if failure is not None:
            if again := self._repetition.failed("probe", module, target, reason=failure.reason):
                _log.warning(
                    "probe failed",
                    target=target,
                    module=module,
                    **_told(failure, seconds=scrape.duration, again=again),
                )
        elif recovery := self._repetition.succeeded("probe", module, target):
            _log.info(
                "probe recovered",
                target=target,
                module=module,
                before=recovery.reason,
                failures=recovery.failures,
                failing_seconds=round(recovery.seconds, 3),
            )

    def _collector(self, scrape: TargetScrape, run: CollectorRun, *, module: str) -> None:
        target = scrape.target.label
        if run.failure is not None:
            if again := self._repetition.failed("collector", module, run.name, target, reason=run.failure.reason):
                _log.warning(
                    "collector failed",
                    target=target,
                    module=module,
                    collector=run.name,
                    **_told(run.failure, seconds=run.duration, again=again),
                )
        elif run.success and (recovery := self._repetition.succeeded("collector", module, run.name, target)):
            _log.info(
                "collector recovered",
                target=target,
                module=module,
                collector=run.name,
                before=recovery.reason,
                failures=recovery.failures,
                failing_seconds=round(recovery.seconds, 3),
            )


def _told(failure: Failure, *, seconds: float, again: Occurrence) -> dict[str, Any]:
    before = {} if again.before is None else {"before": again.before}
    told = {"reason": failure.reason, "detail": failure.detail, "seconds": round(seconds, 3)}
    return told | before | _repeated(again)


def _repeated(again: Occurrence) -> dict[str, int]:
    return {"repeated": again.repeated} if again.repeated else {}
