"""Writes what the commands on docs/commands.md print: ``python -m tests.commands_page``.

Ages and durations are those of the moment: a page that differs in them alone is left as it is.
"""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from oxidized_exporter.demo import closed_port, daemons
from oxidized_exporter.simulator import ManualClock, create_app
from tests.harness import running
from tests.rule_files import ROOT
from tests.runbook_pages import with_commands_run
from tests.runbook_situations import Situations

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PAGE: Final = ROOT / "docs" / "commands.md"

_HEALTHY, _TROUBLED, _DOWN = 10889, 10890, 10891  # as the demo has them
_DEVICES: Final = 50
_OF_THE_MOMENT: Final = re.compile(r"\b\d+\.\d+s?|\b(?:\d+[wdhms])+\b")


@asynccontextmanager
async def _instances() -> AsyncIterator[Situations]:
    """Run the instances of the demo; their time stands still, so that the output is the same every time."""
    healthy, troubled = daemons(_DEVICES, clock=ManualClock(float(int(time.time()))))
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="commands-")))
        real = {f"127.0.0.1:{_DOWN}": f"127.0.0.1:{stack.enter_context(closed_port(0))}"}
        for port, daemon in {_HEALTHY: healthy, _TROUBLED: troubled}.items():
            url = await stack.enter_async_context(running(create_app(daemon)))
            real[f"127.0.0.1:{port}"] = url.removeprefix("http://")
        in_steps = {shown.replace(":", " port "): found.replace(":", " port ") for shown, found in real.items()}
        yield Situations(directory, real | in_steps)


async def page() -> str:
    """Return the page as it should be."""
    text = PAGE.read_text()
    async with _instances() as shown:
        return await with_commands_run(text, shown)


def lasting(text: str) -> str:
    """Return ``text`` without what differs from one moment to the next."""
    return re.sub(" +", " ", _OF_THE_MOMENT.sub("0", text))


def main() -> None:
    """Write the page, if it is not current."""
    text = asyncio.run(page())
    if lasting(text) != lasting(PAGE.read_text()):
        PAGE.write_text(text)


if __name__ == "__main__":
    main()
