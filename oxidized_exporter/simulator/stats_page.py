"""The statistics, as a page and as what became of their JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from oxidized_exporter.simulator.clock import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oxidized_exporter.simulator.release import Release
    from oxidized_exporter.simulator.state import NodeStats

_HEADERS = (
    "Name",
    "Total Runs",
    "Total Failures",
    "Failure Rate",
    "Average Run Time",
    "Last Status",
    "Last Update",
    "Last Failure",
)

# Per cent of a row's jobs; the higher one first.
_ROW_CLASSES = ((75, "danger"), (50, "warning"))

_FIRST_ADDRESS = 0x7F85_AE2C_B6A0
_NEXT_ADDRESS = 40


def stats_html(stats: Mapping[str, NodeStats], release: Release) -> bytes:
    """Spell out /nodes/stats: the recorded table, on a page of its own kind. Names are not escaped, as in Oxidized."""
    # All that is written here is double-quoted, and only attributes are quoted.
    head = "".join(f"<th>{header}</th>\n" for header in _HEADERS)
    before = (
        '<!DOCTYPE html>\n<html lang="en">\n<head><title>Oxidized</title></head>\n<body>\n'
        '<div class="table-responsive">\n'
        f'<table class="table table-sm table-striped table-hover" id="statsTable">\n<thead>\n<tr>\n{head}</tr>\n'
        "</thead>\n<tbody>\n"
    )
    after = (
        '</tbody>\n</table>\n</div>\n<footer class="py-2">\n'
        f"Oxidized-web v.{release.web}, Oxidized v.{release.oxidized}\n</footer>\n</body>\n</html>\n"
    )
    quote = release.quote
    parts = [before.replace('"', quote)]
    parts += [_row(name, row, quote, epochs=release.epochs) for name, row in stats.items()]
    parts.append(after.replace('"', quote))
    return "".join(parts).encode(errors="surrogateescape")


def stats_json(stats: Mapping[str, NodeStats]) -> bytes:
    """Spell out /nodes/stats.json as every version since 0.10.1 does: names, and no statistics at all."""
    shown = {
        name: f"#<Oxidized::Node::Stats:0x{_FIRST_ADDRESS + number * _NEXT_ADDRESS:016x}>"
        for number, name in enumerate(stats)
    }
    return json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogateescape")


def _row(name: str, stats: NodeStats, q: str, *, epochs: bool) -> str:
    # A device that has not run yet has zero of zero failures, which Ruby spells NaN and compares with nothing.
    rate = stats.failures / stats.runs * 100 if stats.runs else None
    row_class = "" if rate is None else next((shown for least, shown in _ROW_CLASSES if rate >= least), "")
    status = stats.shown_status
    update = _cell(stats.last_success, "never", q, epochs=epochs)
    # Recorded: a device that never succeeded, and failed otherwise than by its connection, has an empty last failure.
    failure = _cell(stats.last_no_connection, "" if stats.last_success is None else "never", q, epochs=epochs)
    return (
        f"<tr class={q}{row_class}{q}>\n<td>{name}</td>\n<td>{stats.runs}</td>\n<td>{stats.failures}</td>\n"
        f"<td>{'NaN' if rate is None else f'{rate:.2f}'}%</td>\n<td>{stats.average_seconds:.2f}</td>\n<td>\n"
        f"<div class={q}{status}{q} title={q}{status}{q}>\n<span style={q}visibility: hidden{q}>{status}</span>\n"
        f"</div>\n</td>\n{update}{failure}</tr>\n"
    )


def _cell(seconds: float | None, otherwise: str, q: str, *, epochs: bool) -> str:
    shown = otherwise if seconds is None else timestamp(int(seconds))
    epoch = f" epoch={q}{0 if seconds is None else int(seconds)}{q}" if epochs else ""
    return f"<td class={q}time{q}{epoch}>{shown}</td>\n"
