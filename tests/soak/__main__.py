"""``make soak MINUTES=10``: scrapes so long, prints, and writes docs/soak.csv, soak.png and reliability.md."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final

import click

from tests.marked import show
from tests.soak.figures import as_csv, bars, rows, tables
from tests.soak.plan import Setup, outages
from tests.soak.run import Run, run

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGE: Final = DOCS / "reliability.md"
PART: Final = "soak"
_FEWEST_MINUTES: Final = 3  # the second and the last are compared
_FAULTS_SHOWN: Final = 20


@click.command()
@click.option("--minutes", type=click.FloatRange(min=_FEWEST_MINUTES), default=10.0, show_default=True)
@click.option("--instances", type=click.IntRange(min=1), default=Setup().instances, show_default=True)
@click.option("--devices", type=click.IntRange(min=1), default=Setup().devices, show_default=True)
@click.option("--interval", type=click.FloatRange(min=Setup().timeout), default=Setup().interval, show_default=True)
@click.option("--seed", default=Setup().seed, show_default=True, help="Of the deaths.")
@click.option("--write/--no-write", default=True, help="Whether docs/ gets the results.")
def main(*, minutes: float, instances: int, devices: int, interval: float, seed: int, write: bool) -> None:
    """Scrape a fleet of simulated instances; exits with 1 where a bar is missed."""
    setup = Setup(instances=instances, devices=devices, seconds=minutes * 60, interval=interval, seed=seed)
    planned = outages(instances=instances, seconds=setup.seconds, seed=seed)
    sys.exit(report(asyncio.run(run(setup, planned=planned)), docs=DOCS if write else None))


def report(done: Run, *, docs: Path | None) -> int:
    """Print what came of a run, write it into a folder of pages where there is one, and return the exit code."""
    faults = [outcome for outcome in done.outcomes if outcome.faults]
    for outcome in faults[:_FAULTS_SHOWN]:
        click.echo(f"{outcome.second:.1f} s, instance {outcome.instance}: {'; '.join(outcome.faults)}")
    click.echo(tables(done))
    if docs is not None:
        from tests.soak.picture import draw  # noqa: PLC0415 - matplotlib is there where pictures are drawn

        (docs / "soak.csv").write_text(as_csv(rows(done)))
        draw(rows(done), docs / "soak.png")
        show(tables(done), page=docs / PAGE.name, part=PART)
    return 0 if all(bar.met for bar in bars(done)) else 1


if __name__ == "__main__":
    main()
