"""``make stops``: stops under load and restarts behind a balancer, counted into docs/reliability.md.

``python -m tests.stops [STOPS [RESTARTS]]``
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.marked import show
from tests.stops.client import SIZES, kinds
from tests.stops.figures import PAGE, PART, Figures
from tests.stops.stopping import make_tls, stop_under_load, stop_unread
from tests.stops.upgrade import upgrade
from tests.stops.upstream import upstream

if TYPE_CHECKING:
    from tests.stops.judging import Stop


async def run(*, stops: int, restarts: int) -> Figures:
    """Stop so many times, without TLS and with it in turn, then restart so many times."""
    with TemporaryDirectory() as directory:
        tls = make_tls(Path(directory))
        async with upstream(*SIZES) as oxidized:
            plain: list[Stop] = []
            secured: list[Stop] = []
            for number in range(max(stops // 2, 1)):
                for made, web_config, seed in ((plain, None, 2 * number), (secured, tls, 2 * number + 1)):
                    made.append(
                        await stop_under_load(seed=seed, upstream=oxidized, tls=web_config, kinds=kinds(number))
                    )
            unread, unread_tls, upgraded = await asyncio.gather(
                stop_unread(upstream=oxidized, tls=None),
                stop_unread(upstream=oxidized, tls=tls),
                upgrade(restarts=restarts, upstream=oxidized),
            )
            return Figures(plain=plain, tls=secured, unread=(unread, unread_tls), upgrade=upgraded)


def main() -> None:
    """Count, print and write; exits with 1 where a bar is missed."""
    stops, restarts = [int(given) for given in sys.argv[1:]] + [100, 20][len(sys.argv) - 1 :]
    figures = asyncio.run(run(stops=stops, restarts=restarts))
    print("\n".join([figures.tables(), *figures.troubles()]))  # noqa: T201 - what `make stops` is for
    show(figures.tables(), page=PAGE, part=PART)
    sys.exit(0 if figures.met else 1)


if __name__ == "__main__":
    main()
