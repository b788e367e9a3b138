"""Whether an answer is what the matrix has, and the other target's as if there were no fault."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from oxidized_exporter.metrics.catalogue import CATALOGUE
from oxidized_exporter.metrics.definition import PROBE, TARGET_LABEL
from tests.faults.cells import ANSWERED, Cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.harness import Exposition, SamplesKey

    Samples = Mapping[SamplesKey, float]

_DURATIONS: Final = {
    "probe_duration_seconds",
    "oxidized_exporter_collect_duration",
    "oxidized_collector_duration_seconds",
}
_COLLECTORS: Final = {metric.name: metric.collector for metric in CATALOGUE}


def samples_of(answer: Exposition, target: str | None = None) -> Samples:
    """Return the samples of a target, without its label and without durations; None where there is only one target."""
    found = {}
    for (name, labels), value in answer.samples.items():
        own = dict(labels)
        if own.pop(TARGET_LABEL, None) == target and name not in _DURATIONS:
            found[name, frozenset(own.items())] = value
    return found


def of_collectors(samples: Samples, collectors: Iterable[str]) -> Samples:
    """Return the samples that some collectors yield."""
    wanted = set(collectors)
    return {key: value for key, value in samples.items() if _COLLECTORS[key[0]] in wanted}


def judge(cell: Cell, found: Samples, *, right: Samples, said: Mapping[str, str]) -> None:
    """Compare what was found of the target that has the fault with what the cell has.

    Args:
        cell: which one.
        found: of the target.
        right: without the fault.
        said: the reasons of the collectors that failed, from the log.
    """
    success = {
        dict(labels)["collector"]: value for (name, labels), value in found.items() if name.endswith("r_success")
    }
    assert set(success) == set(cell.asked)
    if cell.collector == "nodes" and cell.says != ANSWERED:
        assert found["oxidized_status", frozenset()] == 0
        assert found["probe_success", frozenset()] == 0
        assert _reasons(found) == [cell.says]
        assert set(success.values()) == {0}
        assert {_COLLECTORS[name] for name, _ in found} == {PROBE}, "nothing but that it failed"
        return
    assert found["oxidized_status", frozenset()] == 1
    assert not _reasons(found)
    assert success[cell.collector] == (cell.says == ANSWERED)
    assert said.get(cell.collector, ANSWERED) == cell.says
    others = set(cell.asked) & set(cell.fault.others) - {cell.collector}
    if cell.collector != "nodes":
        assert all(success[other] == 1 for other in others)
        assert of_collectors(found, others) == of_collectors(right, others), "the other collectors say what they do"
    if cell.says == ANSWERED and cell.fault.same:
        assert found == right
    assert {name: found[name, frozenset()] for name in cell.fault.samples} == cell.fault.samples
    assert {name: sum(known == name for known, _ in found) for name in cell.fault.series} == cell.fault.series


def _reasons(found: Samples) -> list[str]:
    return [dict(labels)["reason"] for name, labels in found if name == "oxidized_probe_failure_info"]


def said_of(lines: Iterable[str], target: str) -> dict[str, str]:
    """Return the reasons that the log has of the collectors of a target."""
    told = [
        line for line in lines if "collector failed" in line and re.search(f"target={re.escape(target)}( |$)", line)
    ]
    return {_value("collector", line): _value("reason", line) for line in told}


def _value(key: str, line: str) -> str:
    found = re.search(rf"\b{key}=(\w+)", line)
    assert found, line
    return found[1]
