"""The flags of single-instance mode, and the variables: what they make of a configuration, and what they refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

import pytest
from click.testing import CliRunner

from oxidized_exporter import cli, compose
from oxidized_exporter.config import BasicAuth, Config, Secret
from oxidized_exporter.config.render import render
from oxidized_exporter.errors import ListenError
from oxidized_exporter.web import server
from oxidized_exporter.web.app import create_app
from oxidized_exporter.web.listen_address import DEFAULT_PORT, ListenAddress
from oxidized_exporter.web.state import METRICS_PATH, Settings
from tests.harness import running_exporter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from aiohttp import web
    from click.testing import Result

_URL: Final = "https://oxidized.example.net/oxidized"
_PASSWORD: Final = "hunter2"  # noqa: S105 - of nobody
_WITH_USER: Final = (f"--url={_URL}", "--user=me")


@dataclass(slots=True)
class Served:
    """What would have been served, and where."""

    config: Config
    settings: Settings
    addresses: Sequence[ListenAddress] = ()
    level: str = ""


def _run(*arguments: str, environment: Mapping[str, str] | None = None) -> Result:
    return CliRunner().invoke(cli.main, arguments, env=dict(environment or {}))


@pytest.fixture(autouse=True)
def _nothing_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not refused must not serve until the test's time is over."""

    async def not_served(*_: object, **_more: object) -> NoReturn:
        raise ListenError("not refused")

    monkeypatch.setattr(server, "serve", not_served)
    monkeypatch.setattr(cli, "log_the_uncaught", lambda: None)  # it would last beyond the test


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Served]:
    """Return what starts the command and stops it short of listening."""
    seen: list[Served] = []

    async def not_served(_: web.Application, *, addresses: Sequence[ListenAddress], **_more: Any) -> NoReturn:
        seen[-1].addresses = addresses
        raise ListenError("far enough")

    opened = compose.open_exporter

    def open_exporter(*, config: Config, settings: Settings, **more: Any) -> Any:
        seen.append(Served(config, settings))
        return opened(config=config, settings=settings, **more)

    def configure_logging(level: str, *, form: str) -> None:
        assert form == "logfmt"
        levels.append(level)

    levels: list[str] = []
    monkeypatch.setattr(compose, "open_exporter", open_exporter)
    monkeypatch.setattr(server, "serve", not_served)
    monkeypatch.setattr(cli, "configure_logging", configure_logging)

    def serve(*arguments: str, **environment: str) -> Served:
        done = _run(*arguments, environment=environment)
        assert done.output.splitlines()[-1] == "Error: far enough"
        seen[-1].level = levels[-1]
        return seen[-1]

    return serve


@pytest.fixture
def refuse() -> Callable[..., str]:
    """Return what requires a usage error in which nothing secret stands, and returns it."""

    def refuse(*arguments: str, **environment: str) -> str:
        done = _run(*arguments, environment=environment)
        assert done.exit_code == 2
        assert _PASSWORD not in done.output
        return done.output.strip().splitlines()[-1].removeprefix("Error: ")

    return refuse


@pytest.mark.parametrize(
    "arguments, environment",
    [
        (["--oxidized.url", _URL], {}),
        ([f"--url={_URL}"], {}),
        (["-U", _URL], {}),
        ([f"-U{_URL}"], {}),
        (["-vdU", _URL], {}),
        ([], {"OXIDIZED_EXPORTER_OXIDIZED_URL": _URL}),
        ([], {"OXIDIZED_EXPORTER_URL": _URL}),
        ([], {"OXIDIZED_EXPORTER_URL": _URL, "OXIDIZED_EXPORTER_OXIDIZED_URL": "tcp://10.0.0.1:8888"}),
        (["-U", _URL], {"OXIDIZED_EXPORTER_URL": "http://other.example.net"}),
    ],
)
def test_every_spelling_of_the_url_names_the_target(
    arguments: list[str], environment: dict[str, str], serve: Callable[..., Served]
) -> None:
    served = serve(*arguments, **environment)
    [entry] = served.config.targets.values()
    assert (entry.name, entry.target.base, entry.target.label) == ("oxidized", _URL, "oxidized")
    module = served.config.modules[entry.module]
    assert (module.name, module.collectors) == ("single", ("nodes", "configs"))
    assert served.config.modules["default"].collectors == ("nodes",)
    assert served.config.connections == ()


def test_without_the_url_nothing_changes(serve: Callable[..., Served]) -> None:
    served = serve()
    assert served.config == Config()
    assert served.settings == Settings()
    assert served.addresses == (ListenAddress(None, DEFAULT_PORT),)
    assert served.level == "info"


@pytest.mark.parametrize(
    "arguments, environment",
    [
        (["--user", "me", "--pass", _PASSWORD], {}),
        (["-u", "me", "-p", _PASSWORD], {}),
        (["-u", "me"], {"OXIDIZED_EXPORTER_PASS": _PASSWORD}),
        ([], {"OXIDIZED_EXPORTER_USER": "me", "OXIDIZED_EXPORTER_PASS": _PASSWORD}),
    ],
)
def test_user_and_password_go_to_that_target_alone(
    arguments: list[str], environment: dict[str, str], serve: Callable[..., Served]
) -> None:
    served = serve("-U", _URL, *arguments, **environment)
    [connection] = served.config.connections
    assert connection.basic_auth == BasicAuth(username="me", password=Secret(_PASSWORD))
    assert [str(pattern) for pattern in connection.targets] == [_URL]
    assert "password: <secret>" in render(served.config)
    assert _PASSWORD not in f"{render(served.config)} {served!r}"


def test_a_password_file_is_read_when_it_is_used(tmp_path: Path, serve: Callable[..., Served]) -> None:
    (tmp_path / "password").write_text(f"{_PASSWORD}\n")
    served = serve(*_WITH_USER, f"--oxidized.password-file={tmp_path / 'password'}")
    [connection] = served.config.connections
    assert connection.basic_auth == BasicAuth(username="me", password_file=tmp_path / "password")


def test_what_is_empty_is_not_there(serve: Callable[..., Served]) -> None:
    """As compose files write it, for what somebody may set or not."""
    served = serve(f"--url={_URL}", "--user=", "--pass=", OXIDIZED_EXPORTER_PATH="", OXIDIZED_EXPORTER_PORT="")
    assert served.config.connections == ()
    assert served.settings.metrics_path == METRICS_PATH
    assert served.addresses == (ListenAddress(None, DEFAULT_PORT),)


@pytest.mark.parametrize(
    "arguments, environment, level",
    [
        (["--verbose"], {}, "info"),
        (["-v"], {}, "info"),
        (["--debug"], {}, "debug"),
        (["-d"], {}, "debug"),
        (["-v", "-d"], {}, "debug"),
        ([], {"OXIDIZED_EXPORTER_DEBUG": "true"}, "debug"),
        ([], {"OXIDIZED_EXPORTER_DEBUG": "1"}, "debug"),
        ([], {"OXIDIZED_EXPORTER_DEBUG": "false"}, "info"),
        ([], {"OXIDIZED_EXPORTER_VERBOSE": "true"}, "info"),
        (["--log.level=warning"], {"OXIDIZED_EXPORTER_VERBOSE": "0"}, "warning"),
        (["--log.level=warning"], {"OXIDIZED_EXPORTER_DEBUG": "true"}, "warning"),
        (["--debug"], {"OXIDIZED_EXPORTER_LOG_LEVEL": "warning"}, "debug"),
    ],
)
def test_the_log_is_as_loud_as_it_was(
    arguments: list[str], environment: dict[str, str], level: str, serve: Callable[..., Served]
) -> None:
    assert serve(*arguments, **environment).level == level


@pytest.mark.parametrize(
    "arguments, environment",
    [(["--port=8080"], {}), (["--port", "8080"], {}), ([], {"OXIDIZED_EXPORTER_PORT": "8080"})],
)
def test_the_port_is_that_of_every_interface(
    arguments: list[str], environment: dict[str, str], serve: Callable[..., Served]
) -> None:
    assert serve(*arguments, **environment).addresses == (ListenAddress(None, 8080),)


def test_the_command_line_outranks_the_environment(serve: Callable[..., Served]) -> None:
    """As the chart's flags do: whoever comes over keeps the variables."""
    served = serve("--web.listen-address=:2", OXIDIZED_EXPORTER_PORT="1")
    assert served.addresses == (ListenAddress(None, 2),)
    served = serve("--port=1", OXIDIZED_EXPORTER_WEB_LISTEN_ADDRESS=":2")
    assert served.addresses == (ListenAddress(None, 1),)


@pytest.mark.parametrize("path", ["/metrics", "/oxidized/metrics", "/m-1.2_3~4", "/probes", "/.well-known/x"])
def test_the_path(path: str, serve: Callable[..., Served]) -> None:
    assert serve("-U", _URL, "--path", path).settings.metrics_path == path


_NO_PATH: Final = "must be a path such as /metrics: letters, digits, . _ ~ - between slashes"


@pytest.mark.parametrize(
    "arguments, environment, named, message",
    [
        (["--url=oxidized:8888"], {}, "--oxidized.url", "must be absolute: http[s]://host[:port][/prefix]"),
        ([], {"OXIDIZED_EXPORTER_URL": "nonsense"}, "OXIDIZED_EXPORTER_URL", "must be absolute: http[s]://host"),
        (
            [f"--url=http://me:{_PASSWORD}@oxidized.example.net"],
            {},
            "--oxidized.url",
            "may not hold user information (…@); give --user and --oxidized.password-file",
        ),
        (["--url=http://169.254.169.254"], {}, "--oxidized.url", "is "),
        (["--url=http://a.example.net/?x"], {}, "--oxidized.url", "may not hold a query (?)"),
        (["--user=me"], {}, "--user", "is for the Oxidized that --oxidized.url names"),
        (
            [],
            {"OXIDIZED_EXPORTER_PASS": _PASSWORD},
            "OXIDIZED_EXPORTER_PASS",
            "is for the Oxidized that --oxidized.url",
        ),
        (["--oxidized.password-file=x"], {}, "--oxidized.password-file", "is for the Oxidized that --oxidized.url"),
        (["--oxidized.module=x"], {}, "--oxidized.module", "is for the Oxidized that --oxidized.url"),
        (["--path=/metrics"], {}, "--path", "is for the Oxidized that --oxidized.url"),
        (_WITH_USER, {}, "--user", "needs --oxidized.password-file or --pass"),
        ([f"--url={_URL}", f"--pass={_PASSWORD}"], {}, "--pass", "needs --user"),
        ([f"--url={_URL}", "--oxidized.password-file=x"], {}, "--oxidized.password-file", "needs --user"),
        (
            [*_WITH_USER, "--oxidized.password-file=x"],
            {"OXIDIZED_EXPORTER_PASS": _PASSWORD},
            "--pass",
            "may not stand beside --oxidized.password-file",
        ),
        ([*_WITH_USER, "--oxidized.password-file=/no/such"], {}, "password-file", "cannot be read: no such file"),
        ([f"--url={_URL}", "--user=a:b", f"-p{_PASSWORD}"], {}, "--user", "must be a user name: not empty, no colon"),
        ([*_WITH_USER, f"--pass={_PASSWORD}\udcff"], {}, "--pass", "must be UTF-8"),
        (
            ["--port=1", "--web.listen-address=:2"],
            {},
            "--port",
            "may not stand beside '--web.listen-address' (env var: 'OXIDIZED_EXPORTER_WEB_LISTEN_ADDRESS')",
        ),
        (
            [],
            {"OXIDIZED_EXPORTER_PORT": "1", "OXIDIZED_EXPORTER_WEB_LISTEN_ADDRESS": ":2"},
            "--port",
            "may not stand beside",
        ),
        (["healthcheck", "--port=1", "--web.listen-address=:2"], {}, "--port", "may not stand beside"),
        (["--port=65536"], {}, "--port", "65536 is not in the range"),
        (["--port=http"], {}, "--port", "'http' is not a valid integer"),
        (["--debug", "--log.level=info"], {}, "--debug", "may not stand beside '--log.level'"),
        (
            [],
            {"OXIDIZED_EXPORTER_LOG_LEVEL": "info", "OXIDIZED_EXPORTER_VERBOSE": "true"},
            "VERBOSE",
            "may not stand beside '--log.level'",
        ),
        (["--port=1", "demo"], {}, "--port", "is for serving"),
        ([f"--url={_URL}", "demo"], {}, "--oxidized.url", "is for serving"),
        *(
            ([f"--url={_URL}", f"--path={path}"], {}, "--path", _NO_PATH)
            for path in ("metrics", "/", "/metrics/", "//x", "/a/../b", "/.", "/{x}", "/a?b", "/%41", "/x y")
        ),
    ],
)
def test_what_makes_no_sense_is_a_usage_error_that_says_so(
    arguments: Sequence[str], environment: dict[str, str], named: str, message: str, refuse: Callable[..., str]
) -> None:
    said = refuse(*arguments, **environment)
    assert named in said
    assert message in said


async def test_no_path_that_serves_something_else_is_taken() -> None:
    async with running_exporter() as exporter:
        paths = {resource.canonical for resource in create_app(exporter.exporter).router.resources()} - {METRICS_PATH}
    assert paths
    for path in paths:
        done = _run(f"--url={_URL}", f"--path={path}")
        assert done.exit_code == 2, path
        assert "--path" in done.output


def test_a_password_that_looks_like_a_service_is_ignored_and_not_shown() -> None:
    done = _run(*_WITH_USER, environment={"OXIDIZED_EXPORTER_PASS": f"tcp://{_PASSWORD}"})
    assert "Warning: OXIDIZED_EXPORTER_PASS is ignored" in done.output
    assert _PASSWORD not in done.output


_FILE: Final = """\
targets:
  other: {url: "http://other.example.net:8888"}
"""


def test_a_configuration_file_keeps_all_that_it_says(tmp_path: Path, serve: Callable[..., Served]) -> None:
    (tmp_path / "config.yml").write_text(
        _FILE + "modules: {single: {collectors: [stats]}, mine: {}}\n"
        "connections: [{targets: ['http://other.example.net:8888'], host_header: a}]\n"
    )
    served = serve(f"--config.file={tmp_path / 'config.yml'}", *_WITH_USER, f"-p{_PASSWORD}")
    assert list(served.config.targets) == ["other", "oxidized"]
    assert served.config.modules[served.config.targets["oxidized"].module].collectors == ("stats",)
    assert [connection.host_header for connection in served.config.connections] == [None, "a"]


def test_another_module_can_be_named(tmp_path: Path, serve: Callable[..., Served]) -> None:
    (tmp_path / "config.yml").write_text("modules: {mine: {collectors: [nodes, stats]}}\n")
    served = serve(f"--config.file={tmp_path / 'config.yml'}", f"--url={_URL}", "--oxidized.module=mine")
    assert served.config.targets["oxidized"].module == "mine"


def test_a_connection_of_the_file_serves_the_target_where_no_user_is_given(
    tmp_path: Path, serve: Callable[..., Served]
) -> None:
    (tmp_path / "config.yml").write_text("connections: [{targets: ['https://*.example.net'], host_header: a}]\n")
    served = serve(f"--config.file={tmp_path / 'config.yml'}", f"--url={_URL}")
    connection = served.config.connection_for(served.config.targets["oxidized"].target)
    assert connection is served.config.connections[0]


@pytest.mark.parametrize(
    "text, arguments, fault",
    [
        (
            "targets: {oxidized: {url: 'http://a.example.net'}}\n",
            (),
            "FILE: targets.oxidized: is the name that --oxidized.url gives its target; choose another one",
        ),
        (
            f"targets: {{same: {{url: '{_URL}/'}}}}\n",
            (),
            "FILE: targets.same.url: is what --oxidized.url says too; leave one of the two out",
        ),
        (
            "access: {deny: ['http://a.example.net', 'https://*.example.net']}\n",
            (),
            "FILE: access.deny[1]: refuses what --oxidized.url says",
        ),
        (
            "connections: [{targets: ['http://a.example.net']}, {targets: ['https://*.example.net']}]\n",
            ("--user=me", f"--pass={_PASSWORD}"),
            (
                "FILE: connections[1]: serves what --oxidized.url says too; write basic_auth here, in place of --user "
                "and its password"
            ),
        ),
        (
            "{}\n",
            ("--oxidized.module=x",),
            "--oxidized.module: no module of this name is configured; there are: default, single",
        ),
    ],
)
def test_a_file_that_is_at_odds_with_the_flags_is_not_served(
    text: str, arguments: tuple[str, ...], fault: str, tmp_path: Path
) -> None:
    path = tmp_path / "config.yml"
    path.write_text(text)
    done = _run(f"--config.file={path}", f"--url={_URL}", *arguments)
    assert (done.exit_code, done.output) == (1, fault.replace("FILE", str(path)) + "\n")
