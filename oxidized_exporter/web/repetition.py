"""Which failures are worth a line of the log: a change is, the same again is once a minute."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from cachetools import LRUCache

if TYPE_CHECKING:
    from collections.abc import Callable

_QUIET_SECONDS: Final = 60.0
# Changes told of within a minute: what fails every other time, every ten seconds or slower, is told of in full.
_MOST_LINES: Final = 6
# Some hundreds of targets, each with three collectors and two modules; they take 3 MB at most.
_MOST_KEYS: Final = 5000
_LONGEST_TEXT: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """A failure that is worth a line.

    Attributes:
        repeated: failures since the line before, of which there was none.
        before: the reason that the line before told, where this one has another; None elsewhere.
    """

    repeated: int = 0
    before: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """An end of failures that is worth a line.

    Attributes:
        reason: the one that was told last.
        failures: how many there were, whether or not there was a line.
        seconds: since the first of them.
    """

    reason: str
    failures: int
    seconds: float


@dataclass(slots=True)
class _State:
    """What is known of one key, times in the clock's seconds.

    Attributes:
        told: the reason of the last line; None where that said that all is well again.
        told_at: when it was written.
        began: when the first failure was.
        failures: since then; 0 while all is well.
        repeated: those that have no line.
        minute: when the minute began in which lines are counted.
        lines: how many it has.
    """

    told: str | None
    told_at: float
    began: float
    minute: float
    failures: int = 1
    repeated: int = 0
    lines: int = 1


class Repetition:
    """Decides what is worth a line: for each key whatever is new, at most six a minute, and what goes on once a minute.

    What was left out while something changed too often is made good by the next failure or success: in the end the log
    says how things stand. Keys and reasons may be anybody's: long ones are held as digests, and of too many keys those
    that were not heard of for longest are forgotten, which costs a line more when they fail again.
    """

    def __init__(self, *, clock: Callable[[], float], most_keys: int = _MOST_KEYS) -> None:
        """Take a clock of monotonic seconds, and how many keys are known at most."""
        self._clock = clock
        self._states: LRUCache[tuple[str, ...], _State] = LRUCache(most_keys)

    def __len__(self) -> int:
        """Return how many keys are known."""
        return len(self._states)

    def failed(self, *key: str, reason: str) -> Occurrence | None:
        """Note a failure; return what its line says, or None where there is to be none."""
        key, reason, now = tuple(map(_bounded, key)), _bounded(reason), self._clock()
        state = self._states.get(key)
        if state is None:
            self._states[key] = _State(told=reason, told_at=now, began=now, minute=now)
            return Occurrence()
        if not state.failures:
            state.began = now
        state.failures += 1
        room, goes_on = _has_room(state, now), state.told == reason
        if not room or (goes_on and now - state.told_at < _QUIET_SECONDS):
            state.repeated += 1
            return None
        occurrence = Occurrence(repeated=state.repeated, before=None if goes_on else state.told)
        state.repeated = 0
        _told(state, reason, now)
        return occurrence

    def succeeded(self, *key: str) -> Recovery | None:
        """Note a success; return what its line says, or None where there is to be none."""
        if not self._states:
            return None
        key, now = tuple(map(_bounded, key)), self._clock()
        state = self._states.get(key)
        if state is None:
            return None
        if state.told is None:
            state.failures = 0
            if now - state.told_at >= _QUIET_SECONDS and not state.repeated:
                del self._states[key]
            return None
        if not _has_room(state, now):
            return None
        recovery = Recovery(reason=state.told, failures=state.failures, seconds=now - state.began)
        state.failures = state.repeated = 0
        _told(state, None, now)
        return recovery


def _has_room(state: _State, now: float) -> bool:
    if now - state.minute >= _QUIET_SECONDS:
        state.minute = now
        state.lines = 0
    return state.lines < _MOST_LINES


def _told(state: _State, told: str | None, now: float) -> None:
    state.told = told
    state.told_at = now
    state.lines += 1


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else blake2b(text.encode(errors="replace"), digest_size=16).hexdigest()
