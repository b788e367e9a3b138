"""Each file in bad/ has one fault, and beside it the exact lines that tell of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxidized_exporter.config import load_config
from oxidized_exporter.config.loader import parse_config
from oxidized_exporter.config.schema import json_schema
from oxidized_exporter.config.text import Place
from oxidized_exporter.errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

BAD: Final = Path(__file__).parent / "bad"
EXAMPLE: Final = Path(__file__).parents[2] / "config.example.yml"
FILES: Final = sorted(BAD.glob("*.yml"))
SECRETS: Final = ("hunter2", "271828")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_fault_is_told_in_these_words(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    with pytest.raises(ConfigError) as caught:
        load_config(path.name)
    assert f"{caught.value}\n" == path.with_suffix(".txt").read_text()
    assert [str(fault) for fault in caught.value.faults] == str(caught.value).split("\n")
    assert not any(secret in str(caught.value) for secret in SECRETS)


def test_every_file_has_its_lines() -> None:
    assert {path.stem for path in FILES} == {path.stem for path in BAD.glob("*.txt")} - {"not_pem"}


def test_secrets_stand_in_the_files_that_show_none() -> None:
    """Else the check above would prove nothing."""
    assert sum(any(secret in path.read_text() for secret in SECRETS) for path in FILES) > 10


def fault(path: Path | str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(str(path))
    (only,) = caught.value.faults
    return str(only)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert fault(tmp_path / "x.yml") == f"{tmp_path}/x.yml: cannot be read: no such file or directory"


def test_a_directory(tmp_path: Path) -> None:
    assert fault(tmp_path) == f"{tmp_path}: cannot be read: not a regular file"


def test_no_name_of_a_file() -> None:
    assert fault("\0") == "\\x00: cannot be read: not a file name"


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_bytes(b"modules: {}\n# caf\xe9\n")
    assert fault(path) == f"{path}:2: is not UTF-8"


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_text("#" * (1024 * 1024 + 1))
    assert fault(path) == f"{path}: is larger than 1048576 bytes"


@pytest.mark.parametrize("message", ["a\nb", "a\x1b[31m", "a\u2028b", "a\u202eb"])
def test_a_fault_is_one_printable_line(message: str) -> None:
    text = str(Fault(file="f\n", line=1, key_path="k\r", message=message))
    assert text.isprintable()
    assert text.startswith("f\\n:1: k\\r: a")


def parsed(text: str) -> None:
    faults = None
    try:
        parse_config(text, file="f", place=Place(directory=BAD))
    except ConfigError as error:
        faults = error.faults
    assert faults is None or (faults and all(str(fault).isprintable() for fault in faults))


@given(st.text(max_size=200) | st.text("abm:-[]{}&*!|>'\"%@#, \n\t<\\xuU09", max_size=60))
def test_any_text_is_a_configuration_or_has_faults(text: str) -> None:
    parsed(text)


_KNOWN: Final = sorted(
    {*json_schema()["properties"], *(k for d in json_schema()["$defs"].values() for k in d["properties"]), "name", "x"}
)
_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(
        ["nodes", "30s", "http://*.a", "http://a:1/x", "10.0.0.0/8", "not_pem.txt", "TLS12", "failing", "(", "default"]
    )
)
_data = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KNOWN), inner, max_size=4),
    max_leaves=20,
)


@st.composite
def _shaped(draw: st.DrawFn) -> Any:
    """Draw data that is wrong further inside."""

    def below(schema: Mapping[str, Any]) -> Any:
        if draw(st.integers(0, 9)) == 0:
            return draw(_data)
        schema = whole["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        if "properties" in schema:
            return {key: below(inner) for key, inner in schema["properties"].items() if draw(st.booleans())}
        if schema.get("type") == "object":
            entry = next(iter(schema.get("patternProperties", {"": schema.get("additionalProperties")}).values()))
            return {key: below(entry) for key in draw(st.sets(st.sampled_from(["a", "default", "X-A", "a.b"])))}
        if schema.get("type") == "array":
            return [below(schema["items"]) for _ in range(draw(st.integers(0, 2)))]
        return draw(st.sampled_from(schema["enum"]) if "enum" in schema else _scalars)

    whole = json_schema()
    return below(whole)


@given(_data | _shaped())
def test_any_data_is_a_configuration_or_has_faults(data: Any) -> None:
    parsed(json.dumps(data))


@given(st.integers(0, len(EXAMPLE.read_text())), st.integers(0, 30), st.text("ab:-[]{}&*!'\" \n", max_size=5))
def test_the_example_with_a_hole_is_a_configuration_or_has_faults(start: int, length: int, text: str) -> None:
    example = EXAMPLE.read_text()
    parsed(example[:start] + text + example[start + length :])


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x]\n" * 2000,
        "".join(f"a{n}: &a{n} {{<<: *a{n - 1}}}\n" if n else "a0: &a0 {x: y}\n" for n in range(5000)),
        "a: &a {x: y}\nb: &b {<<: [" + "*a, " * 1000 + "*a]}\nc: &c {<<: [" + "*b, " * 1000 + "*b]}\n",
        "".join(f"a{n}: &a{n} [*a{n - 1}]\n" if n else "a0: &a0 [x]\n" for n in range(3000)),
        "a: &a {" + ", ".join(f"k{n}: x" for n in range(500)) + "}\n"
        "b: &b {<<: [" + "*a, " * 1000 + "]}\nc: {<<: [" + "*b, " * 1000 + "]}\n",
        "a: &a {<<: *a}\n",
        "[" * 100_000,
        "- " * 20_000,
        "? " * 20_000,
        "a: " + "'x' " * 20_000,
        f"modules: {{default: {{max_devices: {'9' * 10_000}}}}}",
        f"modules: {{default: {{max_devices: 0x{'f' * 10_000}}}}}",
        f"modules: {{default: {{timeout: {'9' * 10_000}s}}}}",
        f"modules: {{default: {{include: {{name: ['{'(a{1,1000}' * 200}']}}}}}}",
        f"a: &a {'x' * 100_000}\nb: [{'*a, ' * 20_000}]\n",
    ],
    ids=lambda text: text[:20],
)
@pytest.mark.timeout(20)
def test_nothing_makes_it_hang(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_config(text, file="f", place=Place())


def test_what_is_too_large_with_its_aliases_is_not_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oxidized_exporter.config.document._Walk", None)
    assert fault(BAD / "yaml_alias_bomb.yml").endswith(
        ": is too large with its aliases (*…) replaced by what they stand for"
    )


def test_aliases_of_what_they_stand_in_are_counted_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their size is not known before: each stands for all others."""
    monkeypatch.setattr("oxidized_exporter.config.document._MAX_SIZE", 20_000)
    text = f"x: &a [&b [{'*a, ' * 50}], {'*b, ' * 50}]\ny: *b\n"
    with pytest.raises(ConfigError, match="is too large with its aliases"):
        parse_config(text, file="f", place=Place())


def test_without_a_file_nothing_is_loaded_that_reads_one() -> None:
    heavy = {"pydantic", "pydantic_core", "yaml", "re2"}
    code = f"import sys, oxidized_exporter.cli; print(*({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - this Python, a text of ours
    assert done.stdout == "\n"


@pytest.mark.parametrize(
    "text",
    [
        "connections: [{targets: ['https://a'], basic_auth: {username: u, password:s3cr3t}}]",
        "connections: [{targets: ['https://a'], basic_auth: {username: u, password: abc,s3cr3t}}]",
        "connections: [{targets: ['https://a'], authorization: {credentials:s3cr3t}}]",
        "connections: [{targets: ['https://a'], authorization: {credentials: a,s3cr3t}}]",
        "connections: [{targets: ['https://a'], http_headers: {X-Token:s3cr3t}}]",
        "connections: [{targets: ['https://a'], http_headers: {X-Token: {s3cr3t}}}]",
        "connections: [{targets: ['https://a'], http_headers: {'X-Token: s3cr3t': {}}}]",
        "connections: [{targets: ['https://a'], s3cr3tbasic_auth: {}}]",
        "connections: [{targets: ['https://a'], proxy_url: {'http://u:s3cr3t@p':}}]",
        "connections: [{targets: ['https://a'], oauth2: {client_secret:s3cr3t}}]",
        "connections:\n- targets: ['https://a']\n  authorization:\n    credentials: |\n    s3cr3t: x\n",
        "targets: {https://u:s3cr3t@h: {url: x}}",
        "'http://u:s3cr3t@h': 1",
    ],
)
def test_a_secret_that_became_a_key_is_not_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.yml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(str(path), check_files=False)
    assert "s3cr3t" not in str(caught.value)
    assert str(caught.value).startswith(f"{path}:")


@pytest.mark.parametrize(
    "key,shown", [("basicauth", True), ("basicc_autth", True), ("xybasic_auth", True), ("xyzbasic_auth", False)]
)
def test_a_key_of_a_connection_is_shown_only_where_it_is_mistyped(key: str, *, shown: bool) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(f"connections: [{{targets: ['https://a'], {key}: {{}}}}]", file="f", place=Place())
    assert (key in str(caught.value)) is shown
