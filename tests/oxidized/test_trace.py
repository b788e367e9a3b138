"""What a trace keeps, and what it only counts."""

from __future__ import annotations

from oxidized_exporter.oxidized.trace import Trace
from oxidized_exporter.simulator import ManualClock


def test_of_a_wealth_of_steps_the_first_500_are_kept_and_the_others_counted() -> None:
    trace = Trace(clock=(clock := ManualClock(1000.0)))
    for number in range(503):
        clock.advance(0.5)
        trace.note("step {}", number)
    assert [step.text for step in trace.steps] == [
        *(f"step {number}" for number in range(500)),
        "3 more steps are not shown",
    ]
    assert [step.seconds for step in trace.steps[:2]] == [0.5, 1.0]
    assert trace.steps[-1].seconds == 503 * 0.5


def test_as_many_as_there_is_room_for_leave_none_out() -> None:
    trace = Trace(clock=ManualClock(0.0))
    for number in range(500):
        trace.note("step {}", number)
    assert trace.steps[-1].text == "step 499"
