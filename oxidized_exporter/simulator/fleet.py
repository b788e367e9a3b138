"""Made-up fleets of devices: realistic in their mix, the same at every call."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from oxidized_exporter.simulator.device import Device, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

_SITES = ("dc1", "dc2", "ams", "fra", "lon", "nyc")

# Role, group below the site (None: the device has no group), models.
_ROLES: tuple[tuple[str, str | None, tuple[str, ...]], ...] = (
    ("sw", "access", ("IOS", "IOS", "EOS", "ProCurve", "AOSCX")),
    ("sw", "access", ("IOS", "EOS", "JunOS")),
    ("rtr", "core", ("IOSXR", "JunOS", "IOS")),
    ("leaf", "fabric", ("EOS", "NXOS")),
    ("fw", "edge", ("FortiOS", "PanOS", "ASA")),
    ("oob", None, ("OpenGear", "RouterOS")),
)

_VARS: tuple[Mapping[str, object], ...] = (
    {},
    {},
    {"enable": ""},
    {"ssh_port": 22},
    {"enable": "s3cr3t"},
)

_FAILURES = (Outcome.NO_CONNECTION, Outcome.NO_CONNECTION, Outcome.NO_CONNECTION, Outcome.TIMELIMIT, Outcome.FAIL)

# Seconds: Oxidized's own time-outs (`timeout: 20`, `timelimit: 300`); a model that fails does so at once.
_FAILURE_SECONDS = {Outcome.NO_CONNECTION: 20.0, Outcome.TIMELIMIT: 300.0, Outcome.FAIL: 1.5}

_LAST_HANG = 6


def fleet(count: int, *, seed: int = 0, failing: float = 0.0, stale: float = 0.0) -> tuple[Device, ...]:
    """Make up `count` devices; the same arguments give the same devices.

    Args:
        count: how many; full names and addresses are unique up to 65,536.
        seed: another seed, another fleet.
        failing: share (0 to 1) of devices whose jobs all fail; rounded to whole devices.
        stale: share of devices that succeed a few times (1 to 6), then hang: the job that never ends leaves the
            old `last` in place, so a daemon that started days ago shows a success that is days old. Each one
            holds a thread of the daemon for good, as in Oxidized: as many as it has threads stop it altogether.

    Raises:
        ValueError: a negative count, or shares that are negative or exceed 1 together.
    """
    if count < 0:
        raise ValueError(f"a fleet has zero or more devices, not {count}")
    if not (failing >= 0 and stale >= 0 and failing + stale <= 1):
        raise ValueError(f"the shares failing ({failing}) and stale ({stale}) lie between 0 and 1 together")
    rng = random.Random(seed)  # noqa: S311 - names of made-up devices, no keys
    hanging = round(count * stale)
    broken = min(round(count * failing), count - hanging)
    chosen = rng.sample(range(count), hanging + broken)
    hangs, fails = frozenset(chosen[:hanging]), frozenset(chosen[hanging:])
    return tuple(_device(index, rng, fails=index in fails, hangs=index in hangs) for index in range(count))


def _device(index: int, rng: random.Random, *, fails: bool, hangs: bool) -> Device:
    site = rng.choice(_SITES)
    role, kind, models = rng.choice(_ROLES)
    outcome = rng.choice(_FAILURES) if fails else Outcome.SUCCESS
    return Device(
        name=f"{site}-{role}-{index + 1:05d}",
        group=None if kind is None else f"{site}/{kind}",
        model=rng.choice(models),
        ip=f"10.{20 + _SITES.index(site)}.{index // 256 % 256}.{index % 256}",
        vars=rng.choice(_VARS),
        outcome=outcome,
        job_seconds=_FAILURE_SECONDS.get(outcome, round(rng.uniform(1.5, 20.0), 3)),
        hangs_after=rng.randint(1, _LAST_HANG) if hangs else None,
    )
