"""What `make stops` counts is judged rightly, docs/reliability.md shows such tables, and a few stops lose nothing."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from tests.harness import running_raw
from tests.marked import shown
from tests.stops.client import SIZES, STEADY, Attempt, Kind, Scraper, kinds
from tests.stops.figures import PAGE, PART, Figures
from tests.stops.judging import Outcome, Stop, outcome
from tests.stops.stopping import make_tls, stop_under_load
from tests.stops.upgrade import Upgrade, upgrade
from tests.stops.upstream import upstream
from tests.system.held_port import held_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_BODY: Final = b"# HELP\noxidized_status 1.0\n"
_ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)

_ANSWERED: Final = Attempt(
    number="1", kept=True, reused=False, sent=9.5, begun=9.8, ended=10.5, refused=False, trouble=""
)
_CUT: Final = replace(_ANSWERED, number="2", trouble="IncompleteRead")
_RESET: Final = replace(_ANSWERED, number="3", begun=None, trouble="ConnectionResetError")
_CLOSED: Final = replace(_RESET, number="4", reused=True)
_REFUSED: Final = Attempt(
    number="5", kept=False, reused=False, sent=None, begun=None, ended=10.6, refused=True, trouble="refused"
)


@pytest.mark.parametrize(
    "attempt,taken,expected",
    [
        (_ANSWERED, True, Outcome.ANSWERED),
        (replace(_ANSWERED, reused=True), True, Outcome.ANSWERED),
        (_CUT, True, Outcome.LOST),
        (replace(_CUT, reused=True), False, Outcome.LOST),  # some of the answer came, whatever Oxidized says
        (_RESET, False, Outcome.LOST),  # on a new connection there is no excuse
        (replace(_RESET, sent=None), False, Outcome.LOST),  # nor before the request was written: in the handshake
        (_CLOSED, False, Outcome.CLOSED_IDLE),
        (_CLOSED, True, Outcome.LOST),  # Oxidized was asked, so that it was taken
        (_REFUSED, False, Outcome.REFUSED),
        (replace(_REFUSED, ended=9.9), False, Outcome.LOST),  # before the signal
    ],
)
def test_an_attempt_is_judged_by_what_its_client_and_oxidized_saw(
    attempt: Attempt, expected: Outcome, *, taken: bool
) -> None:
    assert outcome(attempt, taken=taken, signalled=10.0) is expected


_STOP: Final = Stop(
    attempts=(
        _ANSWERED,
        replace(_ANSWERED, number="6", begun=10.2),
        replace(_ANSWERED, number="7", ended=9.9),
        replace(_ANSWERED, number="8", sent=10.1, begun=10.2),
        _CLOSED,
        _REFUSED,
    ),
    taken=frozenset("1678"),
    signalled=10.0,
    exited=11.5,
    code=0,
)
_LOSING: Final = replace(_STOP, attempts=(*_STOP.attempts, _CUT), exited=10.5, code=1)
_FAILED: Final = replace(_CUT, kept=False)
_UPGRADE: Final = Upgrade(restarts=2, attempts=[*[_ANSWERED] * 1_200, *[replace(_ANSWERED, kept=False)] * 3])
_FIGURES: Final = Figures(
    plain=[_STOP, _STOP], tls=[_STOP, replace(_STOP, exited=13.0)], unread=(30_600.4, 35_000.0), upgrade=_UPGRADE
)

_TABLES: Final = """\
| stops under load | plain | TLS | bar |  |
| --- | ---: | ---: | ---: | --- |
| stops | 2 | 2 |  |  |
| probes accepted | 8 | 8 |  |  |
| of them in flight when the signal came | 6 | 6 |  |  |
| of these with an answer begun, and not read to its end | 2 | 2 |  |  |
| fewest in flight at a stop | 3 | 3 | ≥ 1 | met |
| **accepted probes lost** | 0 | 0 | ≤ 0 | met |
| closed between two requests, and made again | 2 | 2 |  |  |
| refused, since nobody listened any more | 2 | 2 |  |  |
| exit codes other than 0 | 0 | 0 | ≤ 0 | met |
| from the signal to the end of the process, median | 1,500 ms | 2,250 ms |  |  |
| the same, longest | 1,500 ms | 3,000 ms |  |  |
| the same, milliseconds, where a client does not read its answer | 30,600 | 35,000 | ≤ 35,000 | met |

| two replicas behind a balancer | a connection each | kept connections | bar |  |
| --- | ---: | ---: | ---: | --- |
| restarts | 2 | 2 |  |  |
| scrapes | 3 | 1,200 | ≥ 2 | met |
| **failed scrapes** | 0 | 0 | ≤ 0 | met |"""


def test_the_tables_say_what_was_counted() -> None:
    assert _FIGURES.tables() == _TABLES
    assert _FIGURES.met
    assert _FIGURES.troubles() == []


@pytest.mark.parametrize(
    "figures,missed",
    [
        (replace(_FIGURES, tls=[_STOP, _LOSING]), ["accepted probes lost", "exit codes other than 0"]),
        (replace(_FIGURES, plain=[replace(_STOP, attempts=[_REFUSED])]), ["fewest in flight at a stop"]),
        (
            replace(_FIGURES, upgrade=replace(_UPGRADE, attempts=[*_UPGRADE.attempts, _FAILED])),
            ["failed scrapes"],
        ),
        (replace(_FIGURES, upgrade=replace(_UPGRADE, attempts=[_ANSWERED] * 9)), ["scrapes"]),
        (
            replace(_FIGURES, unread=(30_600, 35_001)),
            ["the same, milliseconds, where a client does not read its answer"],
        ),
    ],
)
def test_a_bar_that_is_missed_is_told(figures: Figures, missed: list[str]) -> None:
    lines = [line for line in figures.tables().splitlines() if "missed" in line]
    assert [line.split("|")[1].strip(" *") for line in lines] == missed
    assert not figures.met


def test_each_loss_is_told() -> None:
    figures = replace(_FIGURES, plain=[_LOSING], upgrade=replace(_UPGRADE, attempts=[_RESET]))
    assert figures.troubles() == [
        "2: IncompleteRead (new connection, sent, answer begun)",
        "3: ConnectionResetError (new connection, sent, answer not begun)",
    ]


def test_the_page_shows_such_tables_with_every_bar_met() -> None:
    def first(tables: str) -> list[str]:
        return [line.split("|")[1] for line in tables.splitlines() if line]

    assert first(shown(PAGE, part=PART)) == first(_TABLES)
    assert "missed" not in shown(PAGE, part=PART)


@asynccontextmanager
async def _scraping(answer: bytes, *, reuse: bool = False) -> AsyncIterator[Scraper]:
    async with running_raw(answer) as url:
        scraper = Scraper(
            name="it", kind=Kind(reuse=reuse, devices=1), port=int(url.rpartition(":")[2]), upstream="http://x"
        )
        yield scraper
        scraper.close()


@pytest.mark.parametrize(
    "answer,trouble",
    [
        (_ANSWER, ""),
        (_ANSWER[:-1], "IncompleteRead(26 bytes read, 1 more expected)"),
        (_ANSWER[:30], "no length, so that nobody could tell whether it is complete"),
        (_ANSWER.replace(b"200 OK", b"503 No"), "status 503"),
        (_ANSWER.replace(b"1.0", b"0.0"), "not of Oxidized's devices"),
        (b"HTTP/1.1 20", "BadStatusLine('HTTP/1.1 20')"),
    ],
)
async def test_a_scraper_takes_no_answer_for_good_that_is_not(answer: bytes, trouble: str) -> None:
    async with _scraping(answer) as scraper:
        attempt = await asyncio.to_thread(scraper.scrape)
    assert attempt.trouble == trouble
    assert attempt.begun is not None


async def test_a_connection_that_the_server_has_closed_is_not_used_again() -> None:
    async with _scraping(_ANSWER, reuse=True) as scraper:
        attempts = [await asyncio.to_thread(scraper.scrape) for _ in range(3)]
    assert [(attempt.reused, attempt.trouble) for attempt in attempts] == [(False, "")] * 3


async def test_a_connection_that_is_closed_without_an_answer_is_no_refusal() -> None:
    async with _scraping(b"") as scraper:
        attempt = await asyncio.to_thread(scraper.scrape)
    assert not attempt.refused
    assert attempt.begun is None
    assert "RemoteDisconnected" in attempt.trouble


def test_where_nobody_listens_a_scraper_is_refused() -> None:
    with held_port() as port:
        scraper = Scraper(name="it", kind=Kind(reuse=True, devices=1), port=port, upstream="http://x")
        scraper.scrape_until_refused()
    assert [attempt.refused for attempt in scraper.attempts] == [True]


def _few(number: int) -> tuple[Kind, ...]:
    """Return one of each kind of a load."""
    return tuple(dict.fromkeys(kinds(number)))


@pytest.mark.timeout(120)
async def test_stops_and_restarts_lose_nothing(tmp_path: Path) -> None:
    tls = make_tls(tmp_path)
    async with upstream(*SIZES) as oxidized:
        stops = asyncio.gather(
            *(
                stop_under_load(seed=seed, upstream=oxidized, tls=tls if secured else None, kinds=_few(number))
                for seed, (number, secured) in enumerate(((0, False), (1, False), (3, True)))
            )
        )
        upgraded = upgrade(restarts=2, upstream=oxidized, kinds=tuple(dict.fromkeys(STEADY)))
        made, restarted = await asyncio.gather(stops, upgraded)
    figures = Figures(plain=made[:2], tls=made[2:], unread=(0, 0), upgrade=restarted)
    assert figures.troubles() == []
    assert figures.met, figures.tables()
