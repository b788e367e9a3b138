from __future__ import annotations

from collections import Counter

import pytest

from oxidized_exporter.simulator import Daemon, ManualClock, Outcome, fleet


def test_a_fleet_is_the_same_at_every_call_and_another_by_another_seed() -> None:
    assert fleet(500, seed=3, failing=0.1, stale=0.1) == fleet(500, seed=3, failing=0.1, stale=0.1)
    assert fleet(500, seed=3) != fleet(500, seed=4)


def test_names_and_addresses_are_unique() -> None:
    devices = fleet(20_000)
    assert len({device.full_name for device in devices}) == len({device.ip for device in devices}) == 20_000


def test_a_fleet_is_mixed() -> None:
    devices = fleet(500)
    groups = {device.group for device in devices}
    assert None in groups
    assert any(group is not None and "/" in group for group in groups)
    assert len({device.model for device in devices}) >= 8
    assert any(device.vars == {"enable": "s3cr3t"} for device in devices)
    assert any(device.vars == {} for device in devices)


def test_the_shares_are_kept_to_the_device() -> None:
    devices = fleet(200, failing=0.1, stale=0.05)
    assert sum(device.outcome != Outcome.SUCCESS for device in devices) == 20
    assert sum(device.hangs_after is not None for device in devices) == 10
    assert len(fleet(5, failing=0.5, stale=0.5)) == 5


def test_a_healthy_fleet_is_all_success_and_fresh_after_two_hours() -> None:
    clock = ManualClock()
    nodes = Daemon(fleet(200), clock=clock, started=clock() - 7200).nodes()
    assert Counter(node.status for node in nodes) == {"success": 200}
    assert all(node.last is not None and clock() - node.last.end < 3700 for node in nodes)


def test_stale_devices_show_a_success_that_is_days_old() -> None:
    clock = ManualClock()
    nodes = Daemon(fleet(100, stale=0.1), clock=clock, started=clock() - 4 * 86_400).nodes()
    old = [node for node in nodes if node.last is not None and clock() - node.last.end > 3 * 86_400]
    assert len(old) == 10
    assert all(node.status == "success" and node.running for node in old)


@pytest.mark.parametrize("count, failing, stale", [(-1, 0.0, 0.0), (1, -0.1, 0.0), (1, 0.0, 1.1), (1, 0.6, 0.6)])
def test_what_is_no_share_is_refused(count: int, failing: float, stale: float) -> None:
    with pytest.raises(ValueError, match=r"a fleet has|the shares"):
        fleet(count, failing=failing, stale=stale)
