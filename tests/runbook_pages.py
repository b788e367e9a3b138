"""Writes what is generated in docs/runbooks/: ``python -m tests.runbook_pages``.

The pages are written by hand, but for three things: what the rules say (`<!-- rule -->`), which situation is simulated
(`<!-- shown -->`), and what the commands in ```` ```console ```` blocks print. The index is generated as a whole.
"""

from __future__ import annotations

import asyncio
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.rule_files import ALERTS, PROMETHEUS, ROOT, read
from tests.runbook_situations import EXPORTER_PORT, SITUATIONS, Situations, situations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

RUNBOOKS: Final = ROOT / "docs" / "runbooks"
INDEX: Final = RUNBOOKS / "README.md"

SECTIONS: Final = ("Meaning", "Impact", "Diagnosis", "Mitigation")

_CONSOLE: Final = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
_ADDRESS: Final = re.compile(r"127\.0\.0\.1:(\d+)")
_ALERT_NAME: Final = re.compile(r'alertname=~?"([\w|]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhibition:
    """While one of the sources fires, the targets notify nobody, where the labels ``equal`` are the same."""

    sources: Sequence[str]
    targets: Sequence[str]
    equal: Sequence[str]


def inhibitions() -> list[Inhibition]:
    """Return the inhibitions of the Alertmanager's configuration."""
    return [
        Inhibition(
            sources=_alert_names(rule["source_matchers"]),
            targets=_alert_names(rule["target_matchers"]),
            equal=rule["equal"],
        )
        for rule in read(PROMETHEUS / "alertmanager.yml")["inhibit_rules"]
    ]


def _alert_names(matchers: Sequence[str]) -> list[str]:
    [matcher] = matchers
    named = _ALERT_NAME.fullmatch(matcher)
    assert named, f"not understood: {matcher}"
    return named[1].split("|")


async def pages() -> dict[Path, str]:
    """Return every page as it should be, the index included.

    Raises:
        FileNotFoundError: an alert has no page.
        AssertionError: a page has no place for what is generated, or a command of it shows nothing.
    """
    texts = {alert: _page_of(alert).read_text() for alert in ALERTS}
    async with situations() as shown, asyncio.TaskGroup() as group:
        written = {alert: group.create_task(_page(alert, text, shown)) for alert, text in texts.items()}
    return {INDEX: _index(texts)} | {_page_of(alert): page.result() for alert, page in written.items()}


def _page_of(alert: str) -> Path:
    return RUNBOOKS / f"{alert}.md"


async def _page(alert: str, text: str, shown: Situations) -> str:
    try:
        text = _fill(text, "rule", "\n".join(_rule(alert)))
        text = _fill(text, "shown", _what_is_shown(text))
        return await with_commands_run(text, shown)
    except AssertionError as error:
        error.add_note(f"in {_page_of(alert).name}")
        raise


async def with_commands_run(text: str, shown: Situations) -> str:
    """Return a page with what its commands print now."""
    blocks = [await _run_again(block, shown) for block in _CONSOLE.findall(text)]
    return _CONSOLE.sub(lambda _: blocks.pop(0), text)


def _fill(text: str, name: str, content: str) -> str:
    parts = re.split(rf"(?<=^<!-- {name} -->$)(.*?)(?=^<!-- /{name} -->$)", text, flags=re.DOTALL | re.MULTILINE)
    assert len(parts) == 3, f"<!-- {name} --> … <!-- /{name} --> has to stand once, each on a line of its own"
    return f"{parts[0]}\n{content}\n{parts[2]}"


def _rule(alert: str) -> Iterator[str]:
    rule = ALERTS[alert]
    yield f"Severity **{rule.fields['labels']['severity']}**, once this has held for **{rule.fields['for']}**"
    yield f"([{rule.file.name}](../../deploy/prometheus/rules/{rule.file.name})):"
    yield ""
    yield "```promql"
    yield rule.expression.rstrip()
    yield "```"
    by = {name: held for held in inhibitions() if alert in held.targets for name in held.sources}
    of = {name: held for held in inhibitions() if alert in held.sources for name in held.targets}
    for told, names in (
        ("It notifies nobody while one of these fires", by),
        ("While it fires, these notify nobody", of),
    ):
        if names:
            yield ""
            yield f"{told} ([alertmanager.yml](../../deploy/prometheus/alertmanager.yml)):"
            yield ""
            for name, held in names.items():
                yield f"- [{name}]({name}.md), of the same {', '.join(f'`{label}`' for label in held.equal)}"


def _what_is_shown(text: str) -> str:
    blocks = "".join(_CONSOLE.findall(text))
    ports = sorted({int(port) for port in _ADDRESS.findall(blocks)} - {EXPORTER_PORT})
    assert set(ports) <= set(SITUATIONS), f"nothing is simulated at {ports}"
    simulated = [f"`127.0.0.1:{port}` is {SITUATIONS[port]}" for port in ports]
    beside = f"Simulated here: {'; '.join(simulated)}. " if simulated else ""
    told = f"{beside}The exporter is `127.0.0.1:{EXPORTER_PORT}`. Put your own addresses in their place."
    return textwrap.fill(told, width=120, break_long_words=False, break_on_hyphens=False)


async def _run_again(block: str, shown: Situations) -> str:
    return "".join([f"$ {command}\n{await shown.run(command)}" for command in _commands(block)])


def _commands(block: str) -> list[str]:
    """Return the commands of a block: each begins with ``$`` and goes on as the shell would have it go on."""
    found: list[str] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(line[2:])
        elif found and _goes_on(found[-1]):
            found[-1] += f"\n{line}"
    assert found, f"a block without a command: {block}"
    return found


def _goes_on(command: str) -> bool:
    return command.endswith((" |", " \\")) or command.count("'") % 2 == 1


def console_blocks(text: str) -> list[str]:
    """Return what stands in the blocks whose commands are run."""
    return _CONSOLE.findall(text)


def _index(texts: Mapping[str, str]) -> str:
    return "\n".join(
        [
            "# Runbooks",
            "",
            "<!-- Written by `make docs` from the rules in deploy/prometheus/rules/ and the pages; do not edit. -->",
            "",
            "*critical* wakes somebody, *warning* is for working hours, *info* only keeps others back.",
            "",
            "| alert | severity | for | what is broken |",
            "| --- | --- | --- | --- |",
            *(_index_row(alert, text) for alert, text in texts.items()),
            "",
        ]
    )


def _index_row(alert: str, text: str) -> str:
    fields = ALERTS[alert].fields
    return f"| [{alert}]({alert}.md) | {fields['labels']['severity']} | {fields['for']} | {_what_is_broken(text)} |"


def _what_is_broken(text: str) -> str:
    """Return the first paragraph below a page's title."""
    return text.split("\n\n")[1].replace("\n", " ")


def main() -> None:
    """Write all pages."""
    for path, text in asyncio.run(pages()).items():
        path.write_text(text)


if __name__ == "__main__":
    main()
