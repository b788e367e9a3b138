"""Users and their passwords, and the limit on requests."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import aiohttp
import bcrypt
import pytest

from oxidized_exporter.config import Secret
from oxidized_exporter.errors import TooManyChecksError
from oxidized_exporter.web import users as users_module
from oxidized_exporter.web.landing import POLICY
from oxidized_exporter.web.rate import TokenBucket
from oxidized_exporter.web.users import Credentials, Users, parse_authorization, share_of
from tests.web.certificates import HASH, PASSWORD
from tests.web.serving import as_user, serving, until, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USERS: Final = {"basic_auth_users": {"alice": HASH, "bob": bcrypt.hashpw(b"other", bcrypt.gensalt(5)).decode()}}
ALICE: Final = as_user("alice", PASSWORD)
_REJECTED: Final = "oxidized_exporter_probes_rejected_total"


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> Counter[bytes]:
    """Count what is checked with bcrypt, by the hash."""
    counted: Counter[bytes] = Counter()
    genuine = bcrypt.checkpw

    def count(password: bytes, hash_: bytes) -> bool:
        counted[hash_] += 1
        assert threading.current_thread() is not threading.main_thread()
        return genuine(password, hash_)

    monkeypatch.setattr(bcrypt, "checkpw", count)
    return counted


async def test_who_is_known_is_let_in_and_nobody_else(web_config_path: Path) -> None:
    async with serving(web_config_path, USERS) as running:
        for path in ("/metrics", "/config", "/", "/probe?target=http://127.0.0.1:1", "/nowhere"):
            status, answer, text = await running.ask(path)
            assert (status, answer.headers["WWW-Authenticate"]) == (401, "Basic")
            assert text == "401 a user name and a password are needed\n"
            for name, password in (("alice", "other"), ("bob", PASSWORD), ("carol", PASSWORD), ("", ""), ("alice", "")):
                assert (await running.ask(path, headers=as_user(name, password)))[0] == 401
        assert (await running.ask("/metrics", headers=ALICE))[0] == 200
        assert (await running.ask("/metrics", headers=as_user("bob", "other")))[0] == 200
        assert (await running.ask("/nowhere", headers=ALICE))[0] == 404


async def test_who_watches_the_process_needs_no_user(web_config_path: Path, checked: Counter[bytes]) -> None:
    async with serving(web_config_path, USERS) as running:
        assert (await running.ask("/-/healthy"))[0] == 200
        assert (await running.ask("/-/ready"))[0] == 200
        assert (await running.ask("/-/healthy", headers=as_user("x", "y")))[0] == 200
        assert (await running.ask("/-/reload"))[0] == 401
        assert (await running.ask("/-/healthy/"))[0] == 401
    assert not checked


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ",
        f"Bearer {encoded('alice:hunter2')}",
        f"Basic\t{encoded('alice:hunter2')}",
        encoded("alice:hunter2"),
        "Basic alice:hunter2",
        f"Basic {encoded('alice')}",
        f"Basic {encoded('alice:hunter2').rstrip('=')}",
        f"Basic {encoded('alice:hunter2')} x",
        f"Basic {encoded('alice:hunter2')}, Basic {encoded('alice:hunter2')}",
        "Basic ====",
        "Basic YWxpY2U6aHVudGVyMg==Zg==",
    ],
)
async def test_a_malformed_header_is_refused_without_a_check(
    web_config_path: Path, header: str, checked: Counter[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(web_config_path, USERS) as running:
        assert (await running.ask(headers={"Authorization": header}))[0] == 401
    assert not checked
    shown = capsys.readouterr().out
    assert "hunter2" not in shown
    assert "aHVudGVyMg" not in shown


def test_one_header_in_its_form_is_read() -> None:
    good = f"bASIC   {encoded('alice:a:b')}"
    found = parse_authorization([good])
    assert found
    assert (found.name, found.password) == (b"alice", b"a:b")
    assert parse_authorization([good, good]) is None
    assert parse_authorization([]) is None
    empty = parse_authorization([f"Basic {encoded(':')}"])
    assert empty
    assert (empty.name, empty.password) == (b"", b"")
    assert repr(found) == "Credentials()"


async def test_a_password_that_was_right_costs_no_second_check(web_config_path: Path, checked: Counter[bytes]) -> None:
    async with serving(web_config_path, USERS) as running:
        for _ in range(5):
            assert (await running.ask(headers=ALICE))[0] == 200
        assert checked == {HASH.encode(): 1}
        for _ in range(3):
            assert (await running.ask(headers=as_user("alice", "wrong")))[0] == 401
        assert checked == {HASH.encode(): 4}


async def test_who_is_refused_is_counted_and_told_in_bounds(
    web_config_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a header nothing is told: so a browser begins."""
    async with serving(web_config_path, USERS) as running:
        assert await running.metric(_REJECTED, headers=ALICE, reason="unauthorized") == 0
        for _ in range(2):
            assert (await running.ask("/config"))[0] == 401
        assert "user refused" not in capsys.readouterr().out
        for _ in range(3):
            assert (await running.ask(headers=as_user("alice", "wrong")))[0] == 401
        assert await running.metric(_REJECTED, headers=ALICE, reason="unauthorized") == 5
    assert capsys.readouterr().out.count("user refused") == 1


async def test_scrapes_that_come_at_once_wait_for_one_check(web_config_path: Path, checked: Counter[bytes]) -> None:
    """Else the first scrapes of many targets would be more than may wait."""
    async with serving(web_config_path, USERS) as running:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            url = f"http://localhost:{running.port}/metrics"
            answers = await asyncio.gather(*(session.get(url, headers=ALICE) for _ in range(100)))
        assert [answer.status for answer in answers] == [200] * 100
    assert sum(checked.values()) < 5


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=1) as thread:
        yield thread


def known(hashes: dict[str, str], thread: ThreadPoolExecutor) -> Users:
    return Users({name: Secret(hash_) for name, hash_ in hashes.items()}, thread=thread)


async def test_who_is_no_user_costs_one_check_as_well(thread: ThreadPoolExecutor, checked: Counter[bytes]) -> None:
    """Not to be told from a user by the time: one check, of a hash that some user has."""
    hashes = USERS["basic_auth_users"]
    users = known(hashes, thread)
    for number in range(40):
        before = sum(checked.values())
        assert not await users.know(Credentials(name=b"u%d" % number, password=b"x"), client=None)
        assert sum(checked.values()) == before + 1
    assert set(checked) == {hash_.encode() for hash_ in hashes.values()}
    assert min(checked.values()) > 5


async def test_a_name_has_the_same_stand_in_each_time(thread: ThreadPoolExecutor, checked: Counter[bytes]) -> None:
    """Of two costs, who is no user would be told by having now the one and now the other."""
    users = known(USERS["basic_auth_users"], thread)
    for number in range(10):
        assert not await users.know(Credentials(name=b"carol", password=b"%d" % number), client=None)
    assert list(checked.values()) == [10]


async def test_who_is_no_user_is_refused_with_the_password_of_the_stand_in(thread: ThreadPoolExecutor) -> None:
    users = known({"alice": HASH}, thread)
    for _ in range(2):
        assert not await users.know(Credentials(name=b"carol", password=PASSWORD.encode()), client=None)
    assert await users.know(Credentials(name=b"alice", password=PASSWORD.encode()), client=None)
    assert not await users.know(Credentials(name=b"carol", password=PASSWORD.encode()), client=None)


async def test_name_and_password_are_not_confused(thread: ThreadPoolExecutor) -> None:
    """What is remembered is both, each for itself."""
    users = known({"ab": bcrypt.hashpw(b"c", bcrypt.gensalt(4)).decode()}, thread)
    assert await users.know(Credentials(name=b"ab", password=b"c"), client=None)
    assert not await users.know(Credentials(name=b"a", password=b"bc"), client=None)
    assert not await users.know(Credentials(name=b"abc", password=b""), client=None)


@pytest.mark.parametrize("password", ["x" * 72, "x" * 100, "p\0q", "\N{SNOWMAN}" * 30])
async def test_passwords_that_pythons_bcrypt_would_not_take(thread: ThreadPoolExecutor, password: str) -> None:
    """Go, and htpasswd, look at the first 72 bytes."""
    hash_ = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()
    for revision in ("$2a", "$2b", "$2y"):
        users = known({"alice": hash_.replace("$2b", revision)}, thread)
        assert await users.know(Credentials(name=b"alice", password=password.encode()), client=None)
        assert not await users.know(Credentials(name=b"alice", password=b"y" + password.encode()), client=None)


async def test_what_is_remembered_is_bounded_and_holds_no_password(
    thread: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, checked: Counter[bytes]
) -> None:
    monkeypatch.setattr(users_module, "_MOST_REMEMBERED", 2)
    names = ("a", "b", "c")
    users = known(dict.fromkeys(names, HASH), thread)
    for name in names:
        assert await users.know(Credentials(name=name.encode(), password=PASSWORD.encode()), client=None)
    assert await users.know(Credentials(name=b"c", password=PASSWORD.encode()), client=None)
    assert sum(checked.values()) == 3
    assert await users.know(Credentials(name=b"b", password=PASSWORD.encode()), client=None)
    assert sum(checked.values()) == 3, "the most recently used two are remembered"
    assert await users.know(Credentials(name=b"a", password=PASSWORD.encode()), client=None)
    assert sum(checked.values()) == 4
    assert await users.know(Credentials(name=b"b", password=PASSWORD.encode()), client=None)
    assert sum(checked.values()) == 4, "it was used after the other one"
    memory = users._memory  # noqa: SLF001 - nothing shows it
    held = repr([vars(users), *(getattr(memory, name) for name in memory.__slots__)])
    assert len(memory.right) == 2
    assert PASSWORD not in held
    assert PASSWORD.encode().hex() not in held


async def test_no_more_wait_than_may(
    web_config_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One more is told to come back; who is remembered is let in meanwhile, and the loop goes on."""
    gate = threading.Event()
    genuine = bcrypt.checkpw

    def held(password: bytes, hash_: bytes) -> bool:
        if password.startswith(b"wrong"):
            gate.wait(20)
        return genuine(password, hash_)

    monkeypatch.setattr(bcrypt, "checkpw", held)
    monkeypatch.setattr(users_module, "_MOST_WAITING", 3)
    async with serving(web_config_path, USERS) as running:
        assert (await running.ask(headers=ALICE))[0] == 200
        assert running.exporter.web_config
        users = running.exporter.web_config.present.users
        waiting = [asyncio.create_task(running.ask(headers=as_user("alice", f"wrong{number}"))) for number in range(3)]
        await until(lambda: users.waiting == 3)
        status, answer, _ = await running.ask(headers=as_user("alice", "wrong3"))
        assert (status, answer.headers["Retry-After"]) == (503, "1")
        assert (await running.ask(headers=as_user("alice", "wrong4")))[0] == 503
        assert await running.metric(_REJECTED, headers=ALICE, reason="too_many_checks") == 2
        assert (await running.ask(headers=ALICE))[0] == 200
        assert (await running.ask("/-/healthy"))[0] == 200
        gate.set()
        assert [status for status, *_ in await asyncio.gather(*waiting)] == [401] * 3
        assert users.waiting == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "request turned away" in line]
    assert len(told) == 1, "and not one for each"
    assert "too_many_checks" in told[0]
    assert "127.0.0.1" in told[0] or "::1" in told[0]


async def test_one_address_does_not_hold_all_places(
    thread: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user who is not remembered yet is let in, behind the few of it that wait."""
    gate = threading.Event()
    genuine = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda *given: gate.wait(20) and genuine(*given))
    users = known({"alice": HASH}, thread)

    def guess(number: int, client: str) -> asyncio.Task[bool]:
        wrong = Credentials(name=b"alice", password=b"%d" % number)
        return asyncio.create_task(users.know(wrong, client=client))

    few = users_module._MOST_WAITING_OF_ONE  # noqa: SLF001 - its default is meant
    guesses = [guess(number, f"2001:db8::{number:x}") for number in range(few)]
    await until(lambda: users.waiting == few)
    with pytest.raises(TooManyChecksError):
        await guess(few, "2001:db8::ffff")
    alice = Credentials(name=b"alice", password=PASSWORD.encode())
    let_in = asyncio.create_task(users.know(alice, client="2001:db8:0:1::1"))
    await until(lambda: users.waiting == few + 1)
    gate.set()
    assert await let_in
    assert not any(await asyncio.gather(*guesses))
    assert not await guess(few, "2001:db8::ffff"), "the places are free again"


@pytest.mark.parametrize(
    "client,share",
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, ""),
        ("x", ""),
    ],
)
def test_whose_share_a_client_uses(client: str | None, share: str) -> None:
    assert share_of(client) == share


async def test_who_is_known_stays_so_while_the_hash_is_the_same(web_config_path: Path, checked: Counter[bytes]) -> None:
    """A renewed certificate or another user costs no check; another hash, or none, does not let in."""
    other = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    async with serving(web_config_path, USERS) as running:
        for users, status, checks in (
            ({"alice": HASH}, 200, 1),
            ({"alice": HASH, "carol": HASH}, 200, 1),
            ({"alice": other}, 200, 2),
            ({"bob": HASH}, 401, 3),
            ({"alice": HASH, "bob": HASH}, 200, 3),
            ({"alice": USERS["basic_auth_users"]["bob"]}, 401, 4),
        ):
            write(web_config_path, {"basic_auth_users": users})
            assert (await running.ask(headers=ALICE))[0] == status
            assert sum(checked.values()) == checks


async def test_passwords_are_checked_one_at_a_time(web_config_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who tries many of them has one processor at most."""
    gate = threading.Event()
    begun: list[bytes] = []

    def held(password: bytes, _: bytes) -> bool:
        begun.append(password)
        return not gate.wait(20)

    monkeypatch.setattr(bcrypt, "checkpw", held)
    async with serving(web_config_path, USERS) as running:
        assert running.exporter.web_config
        users = running.exporter.web_config.present.users
        waiting = [asyncio.create_task(running.ask(headers=as_user("alice", f"wrong{number}"))) for number in range(3)]
        await until(lambda: users.waiting == 3 and begun)
        for _ in range(5):  # time enough for other threads, where there are any
            assert (await running.ask("/-/healthy"))[0] == 200
        assert len(begun) == 1
        gate.set()
        assert [status for status, *_ in await asyncio.gather(*waiting)] == [401] * 3
    assert len(begun) == 3


async def test_who_leaves_ends_the_check_for_nobody_else(
    thread: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    genuine = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda *given: gate.wait(20) and genuine(*given))
    users = known({"alice": HASH}, thread)
    alice = Credentials(name=b"alice", password=PASSWORD.encode())
    first, second = (asyncio.create_task(users.know(alice, client=None)) for _ in range(2))
    await until(lambda: users.waiting)
    first.cancel()
    await asyncio.wait([first])
    gate.set()
    assert await second


async def test_too_many_is_an_error_of_its_own(thread: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users_module, "_MOST_WAITING", 0)
    with pytest.raises(TooManyChecksError):
        await known({"alice": HASH}, thread).know(Credentials(name=b"a", password=b""), client=None)


async def test_headers_are_on_every_answer(web_config_path: Path) -> None:
    headers = {
        "Content-Security-Policy": "default-src *",
        "X-Frame-Options": "deny",
        "X-Content-Type-Options": "nosniff",
        "X-XSS-Protection": "0",
        "Strict-Transport-Security": "max-age=60",
    }
    async with serving(web_config_path, {**USERS, "http_server_config": {"headers": headers}}) as running:
        for path, sent, expected in (
            ("/-/healthy", {}, 200),
            ("/metrics", {}, 401),
            ("/metrics", ALICE, 200),
            ("/", ALICE, 200),
            ("/nowhere", ALICE, 404),
            ("/probe", ALICE, 400),
            ("/metrics", {"Expect": "x"}, 417),
        ):
            status, answer, _ = await running.ask(path, headers=sent)
            assert status == expected
            own = {"Content-Security-Policy": POLICY} if expected == 200 and path == "/" else {}
            assert {name: answer.headers.getall(name) for name in headers} == {
                name: [value] for name, value in (headers | own).items()
            }, "the landing page keeps its own policy"


def test_a_bucket_lets_a_burst_through_and_then_one_each_interval() -> None:
    now = 0.0
    bucket = TokenBucket(interval=0.5, burst=3, clock=lambda: now)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now = 0.4
    assert not bucket.take()
    now = 0.5
    assert [bucket.take(), bucket.take()] == [True, False]
    now = 60.0
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]


async def test_requests_above_the_limit_are_told_so(
    web_config_path: Path, checked: Counter[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    config = {**USERS, "rate_limit": {"interval": "1h", "burst": 2}}
    async with serving(web_config_path, config) as running:
        assert [(await running.ask(headers=ALICE))[0] for _ in range(3)] == [200, 200, 429]
        assert (await running.ask(headers=as_user("alice", "wrong")))[0] == 429
        assert (await running.ask("/-/healthy"))[0] == 200
        assert (await running.ask("/-/ready"))[0] == 200
        assert sum(checked.values()) == 1
        write(web_config_path, USERS)
        assert await running.metric(_REJECTED, reason="rate_limit", headers=ALICE) == 2
    told = [line for line in capsys.readouterr().out.splitlines() if "request turned away" in line]
    assert len(told) == 1, "and not one for each"
    assert "rate_limit" in told[0]
