"""What holds for every flag of every command, whoever adds one: its variable, and what Kubernetes puts there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click
import pytest
from click.core import ParameterSource
from click.testing import CliRunner

from oxidized_exporter.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMANDS: Final[dict[str, click.Command]] = {"": main, **main.commands}
_KUBERNETES: Final = ("tcp://10.0.0.1:80", "udp://10.0.0.1:80", "sctp://10.0.0.1:80")
# Of these each flag takes one.
_SAMPLES: Final = ("1", "debug", "json", "127.0.0.1:1", "/a", "https://a.example.net", "36h")


def _flags() -> Iterator[tuple[str, click.Option]]:
    for command, found in _COMMANDS.items():
        for option in found.params:
            if isinstance(option, click.Option) and not option.is_eager:
                yield command, option


def _variables(option: click.Option) -> tuple[str, ...]:
    return (option.envvar,) if isinstance(option.envvar, str) else tuple(option.envvar or ())


each_flag = pytest.mark.parametrize(
    "command, option",
    [pytest.param(command, option, id=f"{command} {option.opts[0]}".strip()) for command, option in _flags()],
)
each_variable = pytest.mark.parametrize(
    "command, option, variable",
    [
        pytest.param(command, option, variable, id=f"{command} {variable}".strip())
        for command, option in _flags()
        for variable in _variables(option)
    ],
)


def _parsed(command: str) -> click.Context:
    """Parse the command line with nothing on it but the arguments that are needed."""
    found = _COMMANDS[command]
    arguments = ["x" for each in found.params if isinstance(each, click.Argument) and each.required]
    # A command remembers its --help as it was first asked for, and that is as its parent has it.
    parent = click.Context(main, **main.context_settings) if command else None
    return found.make_context(command or "oxidized-exporter", arguments, parent=parent)


def _sample(command: str, option: click.Option) -> tuple[str, Any]:
    """Return a text that the flag takes and that is not its default, and what it is read as."""
    context = click.Context(_COMMANDS[command])
    for sample in _SAMPLES:
        try:
            read = option.type_cast_value(context, (sample,) if option.multiple else sample)
        except click.BadParameter:
            continue
        if read != option.get_default(context):
            return sample, read
    pytest.fail(f"{option.opts[0]} takes none of {_SAMPLES}: add one that it does take")


@each_flag
def test_it_has_a_variable_and_help(command: str, option: click.Option) -> None:
    name = next((opt for opt in option.opts if "." in opt), option.opts[0]).removeprefix("--")
    variable = name.replace(".", "_").replace("-", "_")
    own = f"{command}_{variable}".replace("-", "_")
    assert {f"OXIDIZED_EXPORTER_{each}".upper() for each in (variable, own)} & {*_variables(option)}
    assert option.help
    assert option.help.endswith(".")


@each_variable
def test_its_variable_sets_it(
    command: str, option: click.Option, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert option.name is not None
    sample, read = _sample(command, option)
    monkeypatch.setenv(variable, sample)
    context = _parsed(command)
    assert context.params[option.name] == read
    assert context.get_parameter_source(option.name) is ParameterSource.ENVIRONMENT


@each_variable
def test_what_kubernetes_sets_is_ignored_with_a_warning(
    command: str,
    option: click.Option,
    variable: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert option.name is not None
    without = _parsed(command).params
    for value in _KUBERNETES:
        monkeypatch.setenv(variable, value)
        context = _parsed(command)
        assert context.params == without
        assert context.get_parameter_source(option.name) is not ParameterSource.ENVIRONMENT
        warnings = capsys.readouterr().err.splitlines()
        assert warnings
        shown = "what it holds" if option.hide_input else repr(value)
        assert all(line.startswith(f"Warning: {variable} is ignored: {shown}") for line in warnings)


@pytest.mark.parametrize("command", ["", "healthcheck"])
@pytest.mark.parametrize(
    "flag, said",
    [
        ("--web.external-url=exporter.example.net", "'--web.external-url'"),
        ("--web.external-url=https://a.example.net/?x", "'--web.external-url'"),
        ("--web.external-url=", "'--web.external-url'"),
        ("--web.route-prefix=/a/../b", "'--web.route-prefix'"),
        ("--web.route-prefix=http://a.example.net", "'--web.route-prefix'"),
    ],
)
def test_a_wrong_url_or_prefix_is_told_with_what_would_be_right(command: str, flag: str, said: str) -> None:
    done = CliRunner().invoke(main, [command, flag] if command else [flag])
    assert done.exit_code == 2
    *_, error = done.output.splitlines()
    assert error.startswith(f"Error: Invalid value for {said}")
    assert "must " in error


def test_a_password_in_a_url_is_not_repeated() -> None:
    done = CliRunner().invoke(main, ["--web.external-url=https://a:hunter2@b.example.net"])
    assert done.exit_code == 2
    assert "may not hold user information" in done.output
    assert "hunter2" not in done.output
