from __future__ import annotations

import math

import pytest

from oxidized_exporter.simulator import Daemon, Device, ManualClock, NodeState, Outcome, Output, fleet


def _only(daemon: Daemon) -> NodeState:
    (node,) = daemon.nodes()
    return node


def _order(daemon: Daemon) -> list[str]:
    return [node.full_name for node in daemon.nodes()]


def _by_name(daemon: Daemon) -> dict[str, NodeState]:
    return {node.full_name: node for node in daemon.nodes()}


def _end_of_last(node: NodeState) -> float:
    assert node.last is not None
    return node.last.end


def _devices(*names: str, job_seconds: float = 5.0) -> tuple[Device, ...]:
    return tuple(Device(name=name, job_seconds=job_seconds) for name in names)


def test_a_device_from_success_through_failure_and_retries_to_success_and_a_restart() -> None:
    clock = ManualClock(1_000_000.0)
    daemon = Daemon(_devices("sw-01"), clock=clock, interval=3600, retries=3)

    first = _only(daemon)
    assert (first.last, first.status, first.mtime, first.running) == (None, "never", None, True)

    clock.advance(5)
    done = _only(daemon)
    assert done.last is not None
    assert (done.last.start, done.last.end, done.last.seconds) == (1_000_000, 1_000_005, 5)
    assert (done.status, done.mtime, done.running) == ("success", 1_000_005, False)

    daemon.set_outcome("sw-01", Outcome.NO_CONNECTION, job_seconds=20)
    clock.advance(3600)
    running = _only(daemon)
    assert running.running
    assert running.status == "success", "the old result is shown while the job runs"

    for attempt in (1, 2, 3):
        clock.advance(20)
        retried = _only(daemon)
        assert (retried.last, retried.status, retried.retries, retried.running) == (None, "never", attempt, True)
        assert retried.mtime == 1_000_005

    clock.advance(20)
    failed = _only(daemon)
    assert (failed.status, failed.retries, failed.running) == ("no_connection", 0, False)
    assert failed.last is not None
    assert failed.last.end - failed.last.start == failed.last.seconds == 20

    daemon.set_outcome("sw-01", Outcome.SUCCESS, job_seconds=5)
    clock.advance(3605)
    recovered = _only(daemon)
    assert (recovered.status, recovered.mtime) == ("success", 1_000_005)

    daemon.restart()
    fresh = _only(daemon)
    assert (fresh.last, fresh.status, fresh.mtime, fresh.running) == (None, "never", None, True)

    clock.advance(5)
    again = _only(daemon)
    assert (again.status, again.mtime) == ("success", None), "the stored configuration has not changed"


def test_a_success_resets_the_retries() -> None:
    clock = ManualClock()
    daemon = Daemon([Device(name="sw-01", outcome=Outcome.FAIL)], clock=clock, retries=3)
    clock.advance(10)
    assert _only(daemon).retries == 2
    daemon.set_outcome("sw-01", Outcome.SUCCESS)
    clock.advance(5)
    assert (_only(daemon).status, _only(daemon).retries) == ("success", 0)


def test_without_retries_a_failure_stands_at_once() -> None:
    clock = ManualClock()
    daemon = Daemon([Device(name="sw-01", outcome="custom")], clock=clock, retries=0)
    clock.advance(5)
    assert _only(daemon).status == "custom"


def test_the_queue_turns_and_only_due_heads_start() -> None:
    clock = ManualClock()
    daemon = Daemon(_devices("a", "b", "c"), clock=clock, threads=1, interval=100)
    assert _order(daemon) == ["b", "c", "a"]
    clock.advance(5)
    assert _order(daemon) == ["c", "a", "b"]
    clock.advance(10)
    assert _order(daemon) == ["a", "b", "c"]
    assert not any(node.running for node in daemon.nodes())
    clock.advance(89)
    assert _order(daemon) == ["a", "b", "c"], "a ended at 5 and is due at 105"
    clock.advance(1)
    assert _order(daemon) == ["b", "c", "a"]
    assert _by_name(daemon)["a"].running


def test_a_head_that_is_not_due_holds_up_those_behind_it() -> None:
    clock = ManualClock(0.0)
    daemon = Daemon(_devices("first"), clock=clock, threads=2, interval=100)
    clock.advance(55)
    daemon.set_outcome("first", Outcome.SUCCESS, job_seconds=70)
    daemon.add(Device(name="long", job_seconds=60))
    daemon.add(Device(name="quick", job_seconds=5))
    # quick ends at 60 and is due at 160. At 105 first takes the other thread, until 175; at 115 long ends, stands
    # at the head of the queue and is due at 215.
    clock.advance(214 - 55)
    assert _order(daemon) == ["long", "quick", "first"]
    assert not any(node.running for node in daemon.nodes())
    clock.advance(1)
    assert _by_name(daemon)["quick"].running


def test_a_running_head_is_passed_over() -> None:
    clock = ManualClock(0.0)
    daemon = Daemon([Device(name="slow", job_seconds=60), Device(name="quick")], clock=clock, threads=2)
    assert _order(daemon) == ["slow", "quick"]
    clock.advance(5)
    assert _order(daemon) == ["quick", "slow"]


def test_the_interval_counts_from_the_end_of_the_job() -> None:
    clock = ManualClock(0.0)
    daemon = Daemon(_devices("sw-01", job_seconds=50), clock=clock, interval=100)
    clock.advance(1000)
    last = _only(daemon).last
    assert last is not None
    assert (last.start, last.end) == (900, 950)


def test_an_interval_of_zero_runs_each_device_once() -> None:
    clock = ManualClock(0.0)
    daemon = Daemon(_devices("sw-01"), clock=clock, interval=0)
    clock.advance(86_400)
    assert _end_of_last(_only(daemon)) == 5
    daemon.next("sw-01")
    clock.advance(5)
    assert _end_of_last(_only(daemon)) == 86_405


@pytest.mark.parametrize("threads, running", [(1, 1), (3, 3), (30, 8)])
def test_no_more_jobs_than_threads(threads: int, running: int) -> None:
    clock = ManualClock()
    daemon = Daemon(_devices(*"abcdefgh", job_seconds=7), clock=clock, threads=threads)
    assert sum(node.running for node in daemon.nodes()) == running
    clock.advance(7)
    assert sum(node.last is not None for node in daemon.nodes()) == running


def test_a_job_that_never_ends_keeps_the_old_result_and_its_thread() -> None:
    clock = ManualClock(0.0)
    hanging = Device(name="hanging", hangs_after=2)
    daemon = Daemon([hanging, Device(name="other")], clock=clock, interval=100, threads=2)
    clock.advance(10 * 86_400)
    nodes = _by_name(daemon)
    assert (_end_of_last(nodes["hanging"]), nodes["hanging"].running) == (110, True)
    assert _end_of_last(nodes["other"]) > 10 * 86_400 - 200

    daemon.restart()
    clock.advance(5)
    assert _by_name(daemon)["hanging"].status == "success", "a restart frees what hung"


def test_as_many_hanging_jobs_as_threads_stop_the_daemon() -> None:
    clock = ManualClock(0.0)
    daemon = Daemon([*_devices("a", "b", job_seconds=math.inf), Device(name="c")], clock=clock, threads=2)
    clock.advance(86_400)
    assert {node.status for node in daemon.nodes()} == {"never"}


def test_a_queue_of_running_jobs_alone_does_not_turn_for_ever() -> None:
    clock = ManualClock(0.0)
    daemon = Daemon([Device(name="a", hangs_after=1)], clock=clock, interval=10, threads=30)
    clock.advance(1000)
    assert _end_of_last(_only(daemon)) == 5


def test_git_stores_what_has_changed_and_file_stores_always() -> None:
    clock = ManualClock(0.0)
    devices = (*_devices("sw-01"), Device(name="edge-01", group=""))
    git = Daemon(devices, clock=clock, interval=100)
    file = Daemon(devices, clock=clock, interval=100, output=Output.FILE)
    clock.advance(110)
    assert {name: node.mtime for name, node in _by_name(file).items()} == {"sw-01": 110, "/edge-01": 110}
    # A device in the empty group is committed at every run: recorded from 0.30.1 and 0.34.3.
    assert {name: node.mtime for name, node in _by_name(git).items()} == {"sw-01": 5, "/edge-01": 110}
    git.change_config("sw-01")
    clock.advance(105)
    assert _by_name(git)["sw-01"].mtime == 215


def test_a_change_after_a_restart_is_stored() -> None:
    clock = ManualClock(0.0)
    daemon = Daemon(_devices("sw-01"), clock=clock)
    clock.advance(5)
    daemon.restart()
    daemon.change_config("sw-01")
    clock.advance(5)
    assert _only(daemon).mtime == 10


def test_next_forgets_the_last_job_and_goes_first() -> None:
    clock = ManualClock()
    daemon = Daemon(_devices("a", "b", "c"), clock=clock, threads=3)
    clock.advance(60)
    daemon.next("c")
    assert _order(daemon) == ["a", "b", "c"], "moved to the head, started at once, and so put at the tail"
    assert (_by_name(daemon)["c"].status, _by_name(daemon)["c"].running) == ("never", True)
    clock.advance(5)
    assert _by_name(daemon)["c"].status == "success"


def test_next_waits_at_the_head_for_a_thread_and_leaves_a_running_device_alone() -> None:
    clock = ManualClock()
    daemon = Daemon(_devices("a", "b", "c"), clock=clock, threads=1)
    daemon.next("c")
    assert _order(daemon) == ["c", "b", "a"]
    daemon.next("a")
    assert _order(daemon) == ["c", "b", "a"]


def test_devices_come_and_go() -> None:
    clock = ManualClock(0.0)
    daemon = Daemon(_devices("a", "b"), clock=clock, threads=1)
    clock.advance(10)
    daemon.add(Device(name="c", group="new"))
    assert _by_name(daemon)["new/c"].running
    daemon.remove("new/c")
    assert _order(daemon) == ["a", "b"]
    clock.advance(5)
    daemon.restart()
    assert sorted(_order(daemon)) == ["a", "b"]
    with pytest.raises(KeyError, match="no device has the full name 'new/c'"):
        daemon.remove("new/c")


def test_a_device_that_is_removed_while_it_runs_leaves_no_trace_but_holds_its_thread() -> None:
    clock = ManualClock(0.0)
    daemon = Daemon([Device(name="a", outcome=Outcome.FAIL), Device(name="b")], clock=clock, threads=1)
    daemon.remove("a")
    clock.advance(4)
    assert not _only(daemon).running
    clock.advance(1)
    assert _only(daemon).running
    clock.advance(5)
    assert (_only(daemon).full_name, _end_of_last(_only(daemon))) == ("b", 10)


def test_the_same_name_in_two_groups_is_two_devices() -> None:
    clock = ManualClock()
    daemon = Daemon([Device(name="dup", group="access"), Device(name="dup", group="core")], clock=clock, retries=0)
    daemon.set_outcome("core/dup", Outcome.TIMELIMIT)
    clock.advance(5)
    assert {name: node.status for name, node in _by_name(daemon).items()} == {
        "access/dup": "success",
        "core/dup": "timelimit",
    }


def test_the_same_full_name_twice_is_two_rows() -> None:
    clock = ManualClock()
    daemon = Daemon([Device(name="dup", ip="192.0.2.1"), Device(name="dup", ip="192.0.2.2")], clock=clock, retries=0)
    daemon.set_outcome("dup", Outcome.FAIL)
    clock.advance(5)
    assert [(node.device.ip, node.status) for node in daemon.nodes()] == [("192.0.2.1", "fail"), ("192.0.2.2", "fail")]


@pytest.mark.parametrize(
    "group, full_name, shown",
    [(None, "sw-01", "default"), ("", "/sw-01", ""), ("dc1/core", "dc1/core/sw-01", "dc1/core")],
)
def test_full_names(group: str | None, full_name: str, shown: str) -> None:
    device = Device(name="sw-01", group=group)
    assert (device.full_name, device.shown_group) == (full_name, shown)


def test_an_unknown_full_name_is_named() -> None:
    daemon = Daemon(_devices("sw-01"), clock=ManualClock())
    for act in (daemon.change_config, daemon.next, daemon.remove):
        with pytest.raises(KeyError, match="no device has the full name 'sw-02'"):
            act("sw-02")
    with pytest.raises(KeyError, match="no device has the full name 'sw-02'"):
        daemon.set_outcome("sw-02", Outcome.FAIL)


def test_a_start_in_the_past_is_replayed_as_if_it_had_been_watched() -> None:
    devices = fleet(200, failing=0.1, stale=0.05)
    watched_clock = ManualClock(0.0)
    watched = Daemon(devices, clock=watched_clock)
    for _ in range(1000):
        watched_clock.advance(100)
        watched.nodes()
    replayed = Daemon(devices, clock=ManualClock(100_000.0), started=0.0)
    assert replayed.nodes() == watched.nodes()


def test_a_clock_that_steps_back_changes_nothing() -> None:
    times = [100.0]
    daemon = Daemon(_devices("sw-01"), clock=lambda: times[-1])
    times.append(105.0)
    before = daemon.nodes()
    times.append(0.0)
    assert daemon.nodes() == before
    daemon.next("sw-01")
    times.append(110.0)
    last = _only(daemon).last
    assert last is not None
    assert (last.start, last.end) == (105, 110)


def test_a_daemon_of_no_devices() -> None:
    clock = ManualClock()
    daemon = Daemon([], clock=clock)
    clock.advance(86_400)
    assert daemon.nodes() == ()


@pytest.mark.parametrize("seconds", [-1.0, math.inf, math.nan])
def test_a_manual_clock_refuses_what_is_no_step_ahead(seconds: float) -> None:
    with pytest.raises(ValueError, match="advances by a finite number"):
        ManualClock().advance(seconds)


@pytest.mark.parametrize("interval", [-1.0, 0.5, math.inf, math.nan])
def test_intervals_out_of_range(interval: float) -> None:
    with pytest.raises(ValueError, match="interval is 0, or 1 second or more"):
        Daemon([], interval=interval)


@pytest.mark.parametrize("retries, threads", [(-1, 30), (3, 0)])
def test_retries_and_threads_out_of_range(retries: int, threads: int) -> None:
    with pytest.raises(ValueError, match="retries"):
        Daemon([], retries=retries, threads=threads)


@pytest.mark.parametrize("started", [100.1, math.nan, -math.inf])
def test_starts_that_cannot_be(started: float) -> None:
    with pytest.raises(ValueError, match="starts now"):
        Daemon([], clock=ManualClock(100.0), started=started)


@pytest.mark.parametrize("job_seconds", [0.0, -1.0, math.nan])
def test_durations_that_no_job_has(job_seconds: float) -> None:
    with pytest.raises(ValueError, match="a job takes"):
        Device(name="sw-01", job_seconds=job_seconds)


def test_a_device_cannot_hang_after_fewer_than_no_jobs() -> None:
    with pytest.raises(ValueError, match="hangs after zero or more"):
        Device(name="sw-01", hangs_after=-1)


def test_secrets_stay_out_of_a_devices_representation() -> None:
    assert "s3cr3t" not in repr(Device(name="sw-01", vars={"enable": "s3cr3t"}))
