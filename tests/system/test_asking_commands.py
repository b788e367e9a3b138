"""``probe``, ``check`` and ``status`` as users run them: what they print, how they end, what they never show."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import shlex
from dataclasses import replace
from signal import SIGINT
from typing import TYPE_CHECKING, NoReturn

import pytest
from aiohttp import web
from click.testing import CliRunner

from oxidized_exporter.cli import main
from oxidized_exporter.scrape import scraping
from oxidized_exporter.simulator import Device, fleet
from tests.harness import Exposition
from tests.system.oxidized import Gate
from tests.system.program import COMMAND
from tests.system.terminal import running_on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp.typedefs import Handler

    from tests.system.conftest import Run, StartOxidized
    from tests.system.oxidized import Instance
    from tests.system.program import Program

PASSWORD = "s3cr3t-of-mine"  # noqa: S105 - of no account
_AUTHORIZATION = "Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode()
HOSTILE = Device(name="x|y=1\n\x1b[31m[red]\u202e", group="g\x07|", outcome="no\x1b[2Jway|", configuration="a\nb\n")
_MODULES = """
modules:
  audit:
    collectors: [nodes, configs, stats]
    configs:
      checks:
        ends: {must_match: 'end'}
"""


@web.middleware
async def _with_password(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.headers.get("Authorization") != _AUTHORIZATION:
        return web.Response(status=401, text=f"no {request.headers.get('Authorization')}")
    return await handler(request)


@pytest.fixture
async def down(start_oxidized: StartOxidized) -> Instance:
    instance = await start_oxidized()
    await instance.stop()
    return instance


async def ended(program: Program) -> tuple[int, str, str]:
    code = await program.exit_code()
    return code, "\n".join(program.out.seen), "\n".join(program.err.seen)


async def inside(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run a command in a thread of this process, which takes a tenth of the time."""
    done = await asyncio.to_thread(CliRunner().invoke, main, arguments, env=environment)
    return done.exit_code, done.stdout.rstrip("\n"), done.stderr.rstrip("\n")


async def test_probe_prints_what_the_server_would_answer(start_oxidized: StartOxidized, run: Run) -> None:
    oxidized = await start_oxidized(*fleet(5))
    code, out, err = await ended(await run(*COMMAND, "probe", oxidized.url))
    assert (code, err) == (0, "")
    exposition = Exposition.parse(f"{out}\n")
    assert exposition.value("oxidized_status") == 1
    assert len(exposition.all("oxidized_device_status")) == 5


async def test_probe_of_one_that_is_down_says_why_and_fails(down: Instance, run: Run) -> None:
    code, out, err = await ended(await run(*COMMAND, "probe", down.url))
    assert code == 1
    assert Exposition.parse(f"{out}\n").reason() == "connect"
    assert err == f"Error: {down.url}: connect: no connection: Connection refused"


async def test_probe_tells_its_steps(down: Instance, start_oxidized: StartOxidized, run: Run) -> None:
    code, out, err = await ended(await run(*COMMAND, "probe", down.url, "--steps"))
    assert code == 1
    text, metrics = out.split("Metrics that would have been returned:\n\n")
    assert text.startswith("Time: 10 s (the default, since --timeout is not given)\n\n")
    assert f"\nTarget {down.url}: failed, connect: no connection: Connection refused\n" in text
    assert re.search(r"^ +\d\.\d{4}  #1 GET /nodes\.json$", text, re.MULTILINE)
    assert "\nModule:\n\nmodules:\n  default:\n" in text
    assert Exposition.parse(f"{metrics}\n").reason() == "connect"
    assert err == f"Error: {down.url}: connect: no connection: Connection refused"
    oxidized = await start_oxidized(*fleet(3))
    code, out, err = await inside("probe", oxidized.url, OXIDIZED_EXPORTER_PROBE_STEPS="true")
    assert (code, err) == (0, "")
    assert "the node list has 3 devices, 3 of them are shown\n" in out
    assert "\noxidized_status 1.0\n" in out


@pytest.mark.parametrize(
    "flags, said",
    [
        ((), "3 s (the timeout of the module, since --timeout is not given)"),
        (("--timeout=8",), "3 s (the timeout of the module; --timeout is 8 s)"),
        (("--timeout=2",), "2 s (--timeout is 2 s)"),
    ],
)
async def test_the_steps_say_which_time_there_was(
    flags: tuple[str, ...], said: str, down: Instance, tmp_path: Path
) -> None:
    (tmp_path / "config.yml").write_text("modules: {default: {timeout: 3s}}\n")
    _, out, _ = await inside("probe", down.url, "--steps", f"--config.file={tmp_path / 'config.yml'}", *flags)
    assert out.startswith(f"Time: {said}\n")


async def test_probe_asks_by_module_and_collector_with_credentials_that_it_never_shows(
    start_oxidized: StartOxidized, tmp_path: Path
) -> None:
    oxidized = await start_oxidized(*fleet(3), middleware=_with_password)
    config = tmp_path / "config.yml"
    config.write_text(
        f"{_MODULES}"
        f"targets: {{mine: {{url: '{oxidized.url}'}}}}\n"
        f"connections: [{{targets: ['{oxidized.url}'], basic_auth: {{username: me, password: {PASSWORD}}}}}]\n"
    )
    probe = ("probe", "mine", "--module=audit", f"--config.file={config}")
    code, out, err = await inside(*probe, "--collect=stats", "--collect=nodes")
    assert (code, err) == (0, "")
    assert {info["collector"] for info, _ in Exposition.parse(f"{out}\n").all("oxidized_collector_success")} == {
        "nodes",
        "stats",
    }
    by_variables = await inside(
        "probe",
        "mine",
        OXIDIZED_EXPORTER_CONFIG_FILE=str(config),
        OXIDIZED_EXPORTER_PROBE_MODULE="audit",
        OXIDIZED_EXPORTER_PROBE_COLLECT="nodes",
    )
    assert by_variables[0] == 0
    status = await inside("status", "mine", f"--config.file={config}", "--json")
    check = await inside("check", "mine", f"--config.file={config}")
    assert (status[0], check[0]) == (0, 0)

    config.write_text(config.read_text().replace(PASSWORD, f"{PASSWORD}-old"))
    failed = [
        await inside(*arguments, f"--config.file={config}")
        for arguments in (
            ("probe", "mine"),
            ("probe", "mine", "--steps"),
            ("status", "mine"),
            ("status", "mine", "--json"),
            ("check", "mine"),
        )
    ]
    assert [code for code, _, _ in failed] == [1, 1, 1, 1, 2]
    assert failed[0][2] == "Error: mine: auth: the answer was 401: credentials are missing or wrong"
    said = "".join(out + err for _, out, err in [(code, out, err), by_variables, status, check, *failed])
    for secret in (PASSWORD, _AUTHORIZATION, _AUTHORIZATION.removeprefix("Basic ")):
        assert secret not in said


async def test_probe_names_a_collector_that_failed(start_oxidized: StartOxidized, tmp_path: Path) -> None:
    @web.middleware
    async def without_statistics(request: web.Request, handler: Handler) -> web.StreamResponse:
        return web.Response(status=404) if request.path == "/nodes/stats" else await handler(request)

    oxidized = await start_oxidized(*fleet(3), middleware=without_statistics)
    (tmp_path / "config.yml").write_text(_MODULES)
    code, out, err = await inside("probe", oxidized.url, "--module=audit", f"--config.file={tmp_path / 'config.yml'}")
    assert code == 0
    assert Exposition.parse(f"{out}\n").value("oxidized_collector_success", collector="stats") == 0
    assert re.fullmatch(rf"Warning: {oxidized.url}: collector stats: http_status: .*404.*", err)


async def test_a_bug_is_unknown_and_its_message_is_not_shown(run: Run) -> None:
    python, *_ = COMMAND
    program = await run(
        python,
        "-c",
        "from oxidized_exporter import cli\n"
        "from oxidized_exporter.commands import check\n"
        f"def broken(*_, **__): raise RuntimeError({PASSWORD!r})\n"
        "check.check = broken\n"
        "cli.main(['check', 'http://a:1'])",
    )
    code, out, err = await ended(program)
    assert (code, err) == (3, "")
    assert out.startswith("OXIDIZED UNKNOWN - unexpected RuntimeError < ")
    assert PASSWORD not in out


async def test_a_bug_in_a_scrape_is_unknown_and_told_in_the_one_line_alone(
    start_oxidized: StartOxidized, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> NoReturn:
        raise RuntimeError(PASSWORD)

    monkeypatch.setattr(scraping, "collect_nodes", broken)
    oxidized = await start_oxidized(*fleet(3))
    code, out, err = await inside("check", oxidized.url)
    assert (code, err) == (3, "")
    assert out.startswith(f"OXIDIZED UNKNOWN - {oxidized.url}: protocol: unexpected RuntimeError | time=")
    assert "\n" not in out
    code, _, err = await inside("probe", oxidized.url)
    assert code == 1
    assert "bug: unexpected exception while scraping" in err
    assert PASSWORD not in err


async def test_check_says_ok_warning_and_critical(start_oxidized: StartOxidized, down: Instance, run: Run) -> None:
    fine, troubled = await start_oxidized(*fleet(5)), await start_oxidized(*fleet(5, failing=0.4))
    cases = (
        ([fine.url], 0, r"OXIDIZED OK - 0 of 5 devices in trouble: .* \| trouble=0;0;;0;5 .*"),
        ([troubled.url], 1, r"OXIDIZED WARNING - 2 of 5 devices in trouble: 2 failing, .* \| trouble=2;0;;0;5 .*"),
        ([troubled.url, "-w2", "-c5"], 0, r"OXIDIZED OK - 2 of 5 .* \| trouble=2;2;5;0;5 .*"),
        ([troubled.url, "--critical=1"], 2, r"OXIDIZED CRITICAL - 2 of 5 .* \| trouble=2;0;1;0;5 .*"),
        ([fine.url, "--max-age=1s"], 1, r"OXIDIZED WARNING - 5 of 5 devices in trouble: 0 failing, 5 stale, .*"),
        ([down.url], 2, r"OXIDIZED CRITICAL - \S+: connect: .* \| time=.*"),
    )
    for number, (arguments, state, text) in enumerate(cases):
        by_process = number == 1
        code, out, err = (
            await ended(await run(*COMMAND, "check", *arguments)) if by_process else await inside("check", *arguments)
        )
        assert (code, err) == (state, "")
        assert re.fullmatch(text, out)


async def test_check_waits_no_longer_than_it_is_told(start_oxidized: StartOxidized, run: Run) -> None:
    hanging = await start_oxidized(middleware=Gate().hold)
    code, out, _ = await ended(await run(*COMMAND, "check", hanging.url, "-t", "0.25"))
    assert code == 2
    assert out.startswith(f"OXIDIZED CRITICAL - {hanging.url}: timeout: no complete answer within 0.25 s")


async def test_a_check_that_is_interrupted_knows_nothing(start_oxidized: StartOxidized, run: Run) -> None:
    gate = Gate()
    hanging = await start_oxidized(middleware=gate.hold)
    program = await run(*COMMAND, "check", hanging.url)
    await gate.arrivals(1)
    program.send(SIGINT)
    assert await ended(program) == (3, "OXIDIZED UNKNOWN - interrupted", "")


async def test_check_counts_all_that_the_module_selects_and_fetches_no_configuration(
    start_oxidized: StartOxidized, tmp_path: Path
) -> None:
    asked: list[str] = []

    @web.middleware
    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        asked.append(request.path)
        return await handler(request)

    devices = [replace(device, group="lab" if number < 2 else "live") for number, device in enumerate(fleet(6))]
    oxidized = await start_oxidized(*devices, middleware=note)
    config = tmp_path / "config.yml"
    config.write_text(
        "modules: {live: {collectors: [configs, stats], devices: none, max_devices: 1, exclude: {group: [lab]}}}\n"
    )
    code, out, _ = await inside("check", oxidized.url, "--module=live", f"--config.file={config}")
    assert code == 0
    assert " 0 of 4 devices in trouble" in out
    assert sorted(asked) == ["/nodes.json", "/nodes/stats"]


async def test_status_shows_every_target_and_fails_where_one_is_down(
    start_oxidized: StartOxidized, down: Instance, run: Run
) -> None:
    troubled = await start_oxidized(*fleet(5, failing=0.4))
    code, out, err = await ended(await run(*COMMAND, "status", down.url, troubled.url))
    assert (code, err) == (1, "")
    first, blank, second, *table = out.splitlines()
    assert first == f"{down.url} does not answer: connect: no connection: Connection refused"
    assert blank == ""
    assert second == f"{troubled.url}: 5 devices: 2 failing, 0 stale, 0 never, 0 waiting, 3 ok"
    assert all(any(device.name in line for line in table) for device in fleet(5, failing=0.4))
    assert "\x1b" not in out
    code, _, _ = await ended(await run(*COMMAND, "status", troubled.url))
    assert code == 0


async def test_status_as_json(start_oxidized: StartOxidized, down: Instance, run: Run, tmp_path: Path) -> None:
    oxidized = await start_oxidized(*fleet(5), HOSTILE)
    (tmp_path / "config.yml").write_text(_MODULES)
    # jobs are an hour and some seconds apart
    flags = ("--module=audit", f"--config.file={tmp_path / 'config.yml'}", "--json", "--max-age=2h")
    code, out, err = await ended(await run(*COMMAND, "status", oxidized.url, down.url, *flags))
    assert (code, err) == (1, "")
    assert out.isascii()
    found = json.loads(out)
    assert (found["module"], found["max_age_seconds"]) == ("audit", 7200)
    up, other = found["targets"]
    assert (up["answered"], other["answered"], other["failure"]["reason"]) == (True, False, "connect")
    assert len(up["devices"]) == 6
    by_name = {device["name"]: device for device in up["devices"]}
    assert by_name[HOSTILE.name]["condition"] == "failing"
    assert up["counts"] == {"failing": 1, "stale": 0, "never": 0, "waiting": 0, "ok": 5}
    one = by_name[fleet(5)[0].name]
    assert one["configuration"]["bytes"] > one["configuration"]["lines"] > 0
    assert isinstance(one["configuration"]["checks"]["ends"], bool)
    assert one["jobs"] >= 1


async def test_colours_are_for_terminals(start_oxidized: StartOxidized) -> None:
    oxidized = await start_oxidized(*fleet(5, failing=0.4), HOSTILE)
    async with running_on_terminal(*COMMAND, "status", oxidized.url) as program:
        out, err = await program.out.end(), await program.err.end()
        assert (await program.exit_code(), err) == (0, "")
    assert re.search(r"\x1b\[31mfailing", out)
    assert re.search(r"\x1b\[32mok", out)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
    assert all(line.isprintable() for line in plain.split("\r\n"))
    assert r"x|y=1\n\x1b[31m[red]\u202e" in plain
    async with running_on_terminal(*COMMAND, "status", oxidized.url, NO_COLOR="1") as program:
        out = await program.out.end()
    assert not re.search(r"\x1b\[[0-9;]*[349][0-9]", out)


@pytest.mark.parametrize("form", [[], ["--steps"]])
async def test_probe_drives_no_terminal(form: list[str], start_oxidized: StartOxidized) -> None:
    oxidized = await start_oxidized(HOSTILE)
    async with running_on_terminal(*COMMAND, "probe", *form, oxidized.url) as program:
        out, err = await program.out.end(), await program.err.end()
        assert (await program.exit_code(), err) == (0, "")
    assert "oxidized_device_status{" in out
    assert all(line.isprintable() for line in out.split("\r\n"))


@pytest.mark.parametrize("form", [[], ["--json"]])
async def test_a_bar_on_the_terminals_errors_shows_how_many_configurations_were_had(
    form: list[str], start_oxidized: StartOxidized, tmp_path: Path
) -> None:
    gate = Gate()

    @web.middleware
    async def hold_configurations(request: web.Request, handler: Handler) -> web.StreamResponse:
        fetches = request.path.startswith("/node/fetch")
        return await (gate.hold(request, handler) if fetches else handler(request))

    oxidized = await start_oxidized(*fleet(7), middleware=hold_configurations)
    (tmp_path / "config.yml").write_text(_MODULES)
    flags = ("--module=audit", f"--config.file={tmp_path / 'config.yml'}", *form)
    async with running_on_terminal(*COMMAND, "status", oxidized.url, *flags) as program:
        await program.err.shows("0/7")
        assert f"{oxidized.url} configurations" in program.err.text
        assert program.out.text == ""
        gate.open()
        out, err = await program.out.end(), await program.err.end()
        assert await program.exit_code() == 0
    assert err.endswith("\x1b[?25h\r\x1b[1A\x1b[2K")  # the cursor is back, the bar is gone
    assert "Bytes" in out or json.loads(out)


async def test_an_encoding_that_lacks_a_character_gets_an_escape(start_oxidized: StartOxidized, run: Run) -> None:
    oxidized = await start_oxidized(Device(name="東京", outcome="fail"))
    programs = [
        await run(*COMMAND, command, oxidized.url, PYTHONIOENCODING="latin-1") for command in ("status", "check")
    ]
    for program, code in zip(programs, (0, 1), strict=True):
        found, out, err = await ended(program)
        assert (found, err) == (code, "")
        assert r"\u6771\u4eac" in out


async def test_the_commands_know_the_one_oxidized_of_the_command_line(start_oxidized: StartOxidized) -> None:
    oxidized = await start_oxidized(*fleet(3), middleware=_with_password)
    variables = {
        "OXIDIZED_EXPORTER_URL": oxidized.url,
        "OXIDIZED_EXPORTER_USER": "me",
        "OXIDIZED_EXPORTER_PASS": PASSWORD,
    }
    flags = [f"--oxidized.url={oxidized.url}", "--user=me", f"--pass={PASSWORD}"]
    for target in ("oxidized", oxidized.url):
        for command in ("probe", "check", "status"):
            assert (await inside(command, target, **variables))[0] == 0, command
            assert (await inside(*flags, command, target))[0] == 0, command
    _, out, _ = await inside("probe", "oxidized", **variables)
    assert len(Exposition.parse(f"{out}\n").all("oxidized_device_config_size")) == 3, "by the target's own module"
    refused = await inside("probe", "http://127.0.0.1:1", **variables)
    assert refused[0] == 2
    assert "is neither a configured target nor listed by access.allow" in refused[2]
    half = {name: value for name, value in variables.items() if name != "OXIDIZED_EXPORTER_PASS"}
    assert (await inside("probe", "oxidized", **half))[0] == 2
    code, out, err = await inside("check", "oxidized", **half)
    assert (code, err) == (3, "")
    assert out.startswith("OXIDIZED UNKNOWN - ")
    assert "needs --oxidized.password-file or --pass" in out


async def test_without_a_module_it_is_that_of_the_target(start_oxidized: StartOxidized, tmp_path: Path) -> None:
    oxidized = await start_oxidized(*fleet(3))
    config = tmp_path / "config.yml"
    config.write_text(
        f"{_MODULES}targets: {{one: {{url: '{oxidized.url}', module: audit}}, two: {{url: '{oxidized.url}/x'}}}}\n"
    )
    code, out, _ = await inside("status", "one", "--json", f"--config.file={config}")
    assert (code, json.loads(out)["module"]) == (0, "audit")
    code, _, err = await inside("status", "one", "two", "--json", f"--config.file={config}")
    assert code == 2
    assert "--module: missing, and the targets do not agree: one has 'audit', two has 'default'" in err


@pytest.mark.parametrize("command,code", [("probe", 2), ("check", 3), ("status", 2)])
@pytest.mark.parametrize("where", [">/dev/full", ">&-"])
async def test_where_nothing_can_be_written_it_says_so_and_ends(
    command: str, code: int, where: str, start_oxidized: StartOxidized, run: Run
) -> None:
    oxidized = await start_oxidized(*fleet(3))
    line = shlex.join([*COMMAND, command, oxidized.url])
    ended_with, out, err = await ended(await run("sh", "-c", f"exec {line} {where}"))
    assert (ended_with, out) == (code, "")
    assert "Traceback" not in err
    assert len(err.splitlines()) == (command != "check"), err


@pytest.mark.parametrize("flag", ["--warning", "--critical"])
async def test_an_empty_range_is_none(flag: str) -> None:
    code, out, _ = await inside("check", "http://127.0.0.1:1", flag, "")
    assert code == 3
    assert "'' is no range" in out
