"""To whom a row of the statistics page belongs, which has names alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxidized_exporter.config import Expression, Limits, Module, Selector
from oxidized_exporter.oxidized.models import Device, Devices, NodeList
from oxidized_exporter.scrape.nodes import summarise
from oxidized_exporter.scrape.stats import collect_stats
from tests.metrics.test_collector import device
from tests.oxidized.test_stats import row, table

if TYPE_CHECKING:
    from oxidized_exporter.scrape.snapshot import StatsSummary


def collected(rows: str, *devices: Device, module: Module | None = None) -> StatsSummary:
    nodes = summarise(NodeList(devices=Devices.of(devices)), module=module or Module(name="default"))
    return collect_stats(table(rows), nodes, limits=Limits())


def switch(name: str, *, group: str = "access") -> Device:
    return device(full_name=f"{group}/{name}", name=name, group=group)


def test_a_row_goes_to_the_device_of_its_name() -> None:
    found = collected(row("sw1", runs="3") + row("sw2", runs="4"), switch("sw2"), switch("sw1"), switch("sw3"))
    assert (found.runs, found.ambiguous) == ([4, 3, None], 0)


def test_a_namesake_that_the_module_does_not_show_makes_a_row_nobodys_too() -> None:
    module = Module(name="default", include=Selector(group=(Expression("access"),)))
    rows = row("sw1", runs="3") + row("sw2", runs="4")
    found = collected(rows, switch("sw1"), switch("sw2"), switch("sw1", group="core"), module=module)
    assert (found.runs, found.ambiguous) == ([None, 4], 1)


def test_a_name_with_several_rows_is_ambiguous_though_the_list_has_it_once() -> None:
    """As while a device that has gone from the source still has its row."""
    found = collected(row("sw1") + row("sw1") + row("sw2", runs="4"), switch("sw1"), switch("sw2"))
    assert (found.runs, found.ambiguous) == ([None, 4], 1)
