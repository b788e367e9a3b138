"""What of failures and successes is worth a line."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from oxidized_exporter.simulator import ManualClock
from oxidized_exporter.web.repetition import Occurrence, Recovery, Repetition

FIRST = Occurrence()


def test_a_failure_that_goes_on_is_told_once_a_minute_with_how_many_there_were() -> None:
    repetition = Repetition(clock=(clock := ManualClock()))
    told = []
    for _ in range(10):
        told.append(repetition.failed("eu", reason="connect"))
        clock.advance(15)
    again = Occurrence(repeated=3)
    assert told == [FIRST, None, None, None, again, None, None, None, again, None]


def test_another_reason_is_told_at_once_with_the_one_before() -> None:
    repetition = Repetition(clock=ManualClock())
    assert repetition.failed("eu", reason="connect") == FIRST
    assert repetition.failed("eu", reason="connect") is None
    assert repetition.failed("eu", reason="auth") == Occurrence(repeated=1, before="connect")
    assert repetition.failed("eu", reason="auth") is None


def test_a_recovery_is_told_once_with_what_has_ended() -> None:
    repetition = Repetition(clock=(clock := ManualClock()))
    assert repetition.succeeded("eu") is None
    for reason in ("connect", "connect", "auth"):
        repetition.failed("eu", reason=reason)
        clock.advance(15)
    assert repetition.succeeded("eu") == Recovery(reason="auth", failures=3, seconds=45)
    assert repetition.succeeded("eu") is None
    assert repetition.failed("eu", reason="auth") == FIRST


def test_keys_know_nothing_of_each_other() -> None:
    repetition = Repetition(clock=ManualClock())
    for key in (("probe", "eu"), ("probe", "us"), ("collector", "eu"), ("probe", "eu", "")):
        assert repetition.failed(*key, reason="connect") == FIRST
    assert repetition.succeeded("probe", "eu") is not None
    assert repetition.failed("probe", "us", reason="connect") is None


def test_what_changes_all_the_time_has_six_lines_a_minute_and_the_last_one_says_how_it_stands() -> None:
    repetition = Repetition(clock=(clock := ManualClock()))
    lines: list[float] = []
    for tick in range(1, 2401):
        clock.advance(0.125)
        told = repetition.succeeded("eu") if tick % 2 else repetition.failed("eu", reason="timeout")
        if told is not None:
            lines.append(clock())
    assert len(lines) == 30
    assert all(later - first >= 60 for first, later in zip(lines[::6], lines[6::6], strict=False))
    # It fails at the end, which no line has said yet.
    clock.advance(60)
    told = repetition.failed("eu", reason="timeout")
    assert told is not None
    clock.advance(60)
    assert repetition.succeeded("eu") == Recovery(reason="timeout", failures=2, seconds=120)


def test_an_end_that_had_no_room_is_told_later() -> None:
    repetition = Repetition(clock=(clock := ManualClock()))
    for number in range(6):
        assert repetition.failed("eu", reason=str(number)) is not None
    assert repetition.failed("eu", reason="6") is None
    assert repetition.succeeded("eu") is None
    clock.advance(60)
    assert repetition.succeeded("eu") == Recovery(reason="5", failures=7, seconds=60)


def test_of_too_many_keys_the_one_not_heard_of_for_longest_costs_one_more_line() -> None:
    repetition = Repetition(clock=ManualClock(), most_keys=2)
    repetition.failed("a", reason="connect")
    repetition.failed("b", reason="connect")
    repetition.failed("a", reason="connect")
    repetition.failed("c", reason="connect")
    assert len(repetition) == 2
    assert repetition.failed("a", reason="connect") is None
    assert repetition.failed("b", reason="connect") == FIRST
    assert repetition.succeeded("c") is None


def test_what_has_been_well_for_a_minute_is_forgotten() -> None:
    repetition = Repetition(clock=(clock := ManualClock()))
    repetition.failed("eu", reason="connect")
    repetition.succeeded("eu")
    clock.advance(59)
    repetition.succeeded("eu")
    assert len(repetition) == 1
    clock.advance(1)
    repetition.succeeded("eu")
    assert len(repetition) == 0


def test_failures_that_had_no_line_are_counted_however_long_it_was_well() -> None:
    repetition = Repetition(clock=(clock := ManualClock()))
    for _ in range(3):
        repetition.failed("eu", reason="connect")
        repetition.succeeded("eu")
    assert repetition.failed("eu", reason="connect") is None
    for _ in range(3):
        clock.advance(60)
        assert repetition.succeeded("eu") is None
    assert repetition.failed("eu", reason="connect") == Occurrence(repeated=1)


def test_long_keys_and_reasons_are_told_apart() -> None:
    repetition = Repetition(clock=ManualClock())
    long = "x" * 2000
    assert repetition.failed(f"{long}1", reason=f"{long}1") == FIRST
    assert repetition.failed(f"{long}2", reason=f"{long}1") == FIRST
    assert repetition.failed(f"{long}1", reason=f"{long}1") is None
    assert repetition.failed(f"{long}1", reason=f"{long}2") is not None
    assert repetition.failed("\ud800" * 65, reason="what is no Unicode") == FIRST


def test_targets_without_end_take_3_mb() -> None:
    repetition = Repetition(clock=ManualClock())
    tracemalloc.start()
    try:
        for number in range(12_000):
            repetition.failed("collector", "default", f"{number:02000}", reason=f"{number:02000}")
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(repetition) == 5000
    assert held < 3_000_000


@given(
    st.lists(
        st.tuples(st.integers(0, 100), st.sampled_from([None, "connect", "auth", "timeout"])), min_size=1, max_size=80
    )
)
def test_whatever_happens_lines_are_few_and_no_failure_is_lost(events: list[tuple[int, str | None]]) -> None:
    """The counts of the lines are those of the failures; the bound holds; a quiet minute later the log is right."""
    repetition = Repetition(clock=(clock := ManualClock()))
    at: list[float] = []
    counted = failures = 0
    logged: str | None = None
    for pause, reason in events:
        clock.advance(pause)
        if reason is None:
            recovery = repetition.succeeded("eu")
            if recovery is not None:
                assert recovery.reason == logged
                logged = None
                counted = failures  # it says how many there were, in words of its own
                at.append(clock())
        else:
            failures += 1
            occurrence = repetition.failed("eu", reason=reason)
            if occurrence is not None:
                assert occurrence.before in {None, logged}
                counted += 1 + occurrence.repeated
                logged = reason
                at.append(clock())
                assert counted == failures
    assert all(later - first > 60 for first, later in zip(at, at[12:], strict=False))
    clock.advance(60)
    if events[-1][1] is None:
        assert (repetition.succeeded("eu") is not None) == (logged is not None)
    else:
        assert repetition.failed("eu", reason=events[-1][1]) is not None
