"""What ``status`` prints for people: a table for each target."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple, TextIO

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from oxidized_exporter.commands.ages import format_age
from oxidized_exporter.commands.asking import collectors_that_failed, said
from oxidized_exporter.commands.condition import TROUBLE, Condition, conditions, so_many_devices
from oxidized_exporter.commands.cutting import cut
from oxidized_exporter.errors import printable
from oxidized_exporter.targets.url import is_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oxidized_exporter.oxidized.models import Device
    from oxidized_exporter.scrape.snapshot import Snapshot, TargetScrape

_STYLES: Final = {
    Condition.FAILING: "red",
    Condition.STALE: "yellow",
    Condition.NEVER: "yellow",
    Condition.WAITING: "cyan",
    Condition.OK: "green",
}
_ORDER: Final = tuple(Condition)
_NAME_CHARACTERS: Final = 80
_STATUS_CHARACTERS: Final = 30
_WIDEST: Final = 10_000  # where no terminal ends the line


class _Row(NamedTuple):
    """One device, and where its columns lie in what else is known."""

    device: Device
    condition: Condition
    last_success: float | None
    place: int


def print_status(snapshot: Snapshot, *, out: TextIO, now: float, max_age: float) -> None:
    """Print what is known of every target, in the caller's order.

    Args:
        snapshot: what the targets gave.
        out: colours are used where it is a terminal, if NO_COLOR is not set; elsewhere lines are as long as they are.
        now: Unix seconds.
        max_age: seconds; a device whose last success is older is stale.
    """
    terminal = out.isatty()
    console = Console(file=out, force_terminal=terminal, markup=False, emoji=False, highlight=False)
    width, widest = console.width, console.options.update(width=_WIDEST)
    for number, scrape in enumerate(snapshot.scrapes):
        if number:
            console.print()
        found = conditions(scrape, now=now, max_age=max_age)
        for line in _heading(scrape, found):
            console.print(line, soft_wrap=True)
        if found:
            table = _table(scrape, found, now=now)
            # On a narrow terminal lines go on below; rich would rather cut cells, or leave columns out.
            natural = Measurement.get(console, widest, table).maximum
            console.width = max(width, natural) if terminal else natural
            with console.capture() as captured:
                console.print(table)
            out.writelines(f"{line.rstrip(' ')}\n" for line in captured.get().splitlines())


def _heading(scrape: TargetScrape, found: list[Condition]) -> Iterator[Text]:
    name = Text.assemble((scrape.target.label, "bold"))
    if is_name(scrape.target.label):
        name.append(f" ({scrape.target.base})")
    if scrape.failure is not None:
        yield name + _text(f" does not answer: {said(scrape.failure)}", "red")
        return
    counted = Counter(found)
    counts = ", ".join(f"{counted[condition]} {condition}" for condition in Condition)
    yield name + _text(f": {so_many_devices(len(found))}: {counts}")
    if scrape.summary is not None and (invalid := scrape.summary.nodes.invalid):
        yield _text(f"{invalid} rows of the list could not be read", "yellow")
    for failed in collectors_that_failed(scrape):
        yield _text(f"collector {failed}", "yellow")
    if scrape.configs is not None and scrape.configs.pending:
        yield _text(f"{scrape.configs.pending} configurations were not had in time", "yellow")


def _table(scrape: TargetScrape, found: list[Condition], *, now: float) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for heading in ("Group and device", "Model", "Condition", "Last success", "Last job"):
        table.add_column(heading, no_wrap=True)
    if scrape.configs is not None:
        for heading in ("Bytes", "Lines"):
            table.add_column(heading, no_wrap=True, justify="right")
        if scrape.configs.checks:
            table.add_column("Failed checks", no_wrap=True)
    for group, rows in _groups(scrape, found):
        table.add_row(_text(group, "bold"))
        for row in rows:
            table.add_row(*_cells(scrape, row, now=now), end_section=row is rows[-1])
    return table


def _groups(scrape: TargetScrape, found: list[Condition]) -> list[tuple[str, list[_Row]]]:
    """Return the rows by group: groups with the most trouble first, and in each of them the worst devices."""
    if scrape.summary is None:
        return []
    rows: defaultdict[str, list[_Row]] = defaultdict(list)
    told = zip(scrape.summary.shown, found, scrape.last_successes(), strict=True)
    for place, (device, condition, last_success) in enumerate(told):
        rows[device.group].append(_Row(device, condition, last_success, place))
    for group in rows.values():
        group.sort(key=lambda row: (_ORDER.index(row.condition), row.device.full_name))
    return sorted(rows.items(), key=lambda item: (-sum(row.condition in TROUBLE for row in item[1]), item[0]))


def _cells(scrape: TargetScrape, row: _Row, *, now: float) -> Iterator[Text]:
    device = row.device
    yield _text(f"  {cut(printable(device.name), most=_NAME_CHARACTERS)}")
    yield _text(cut(printable(device.model), most=_NAME_CHARACTERS))
    failing = row.condition is Condition.FAILING
    why = f": {cut(printable(device.status), most=_STATUS_CHARACTERS)}" if failing else ""
    yield _text(f"{row.condition}{why}", _STYLES[row.condition])
    yield _age(row.last_success, now)
    yield _age(device.end, now)
    if scrape.configs is not None:
        yield _number(scrape.configs.size[row.place])
        yield _number(scrape.configs.lines[row.place])
        if scrape.configs.checks:
            failed = [name for name, column in scrape.configs.checks.items() if column[row.place] is False]
            yield _text(", ".join(failed), "red")


def _age(time: float | None, now: float) -> Text:
    return Text("-" if time is None else format_age(now - time))


def _number(number: int | None) -> Text:
    return Text("-" if number is None else str(number))


def _text(text: str, style: str = "") -> Text:
    """Return ``text`` as it is, of which nothing can drive the terminal: neither its characters nor rich's markup."""
    return Text(printable(text), style=style)
