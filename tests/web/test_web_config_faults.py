"""Each file in bad_web_config/ has one fault, and beside it the exact lines that tell of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxidized_exporter.config.text import Place
from oxidized_exporter.errors import ConfigError
from oxidized_exporter.web.web_config_loader import load_web_config, parse_web_config, read_web_config
from tests.web.certificates import HASH, make_certificates

BAD: Final = Path(__file__).parent / "bad_web_config"
FILES: Final = sorted(BAD.glob("*.yml"))
SECRETS: Final = ("hunter2", "271828", "X0h1gDsPszWURQaxFh", "ZZZZZZ")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("bad_web_config")
    make_certificates(directory).write_odd_ones()
    return directory


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_fault_is_told_in_these_words(path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shutil.copy(path, directory) and directory)
    with pytest.raises(ConfigError) as caught:
        load_web_config(path.name)
    assert f"{caught.value}\n" == path.with_suffix(".txt").read_text()
    assert not any(secret in str(caught.value) for secret in SECRETS)


def test_every_file_has_its_lines() -> None:
    assert {path.stem for path in FILES} == {path.stem for path in BAD.glob("*.txt")}


def test_secrets_stand_in_the_files_that_show_none() -> None:
    """Else the check above would prove nothing."""
    assert sum(any(secret in path.read_text() for secret in SECRETS) for path in FILES) > 15


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (fault,) = read_web_config(str(tmp_path / "web.yml")).faults
    assert str(fault) == f"{tmp_path}/web.yml: cannot be read: no such file or directory"


@pytest.mark.parametrize(
    "text",
    [
        "basic_auth_users: {alice:s3cr3t}",
        "basic_auth_users: {alice: {s3cr3t: x}}",
        "basic_auth_users: {'s3cr3t!': alice}",
        "basic_auth_users:s3cr3t",
        "s3cr3t: x",
        "s3cr3ttls_server_config: {}",
        "rate_limits3cr3t: {}",
        "tls_server_config:\n  key: |\n  s3cr3t: x\n",
        "tls_server_config: {s3cr3t: {x: y}}",
        "http_server_config: {headers: {'X-Token:s3cr3t': x}}",
    ],
)
def test_a_secret_that_became_a_key_is_not_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "web.yml"
    path.write_text(text)
    faults = read_web_config(str(path)).faults
    assert faults
    assert "s3cr3t" not in "".join(map(str, faults))


_EXAMPLE: Final = f"""\
tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [prometheus]
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
  curve_preferences: [X25519]
http_server_config: {{http2: false, headers: {{X-Frame-Options: deny}}}}
basic_auth_users: {{alice: {HASH}}}
rate_limit: {{interval: 1s, burst: 20}}
"""


@given(st.integers(0, len(_EXAMPLE)), st.integers(0, 40), st.text("ab01:-[]{}&*!'\" \n\0", max_size=5))
def test_a_file_with_a_hole_is_a_web_configuration_or_has_faults(start: int, length: int, text: str) -> None:
    reading = parse_web_config(
        _EXAMPLE[:start] + text + _EXAMPLE[start + length :], file="web.yml", place=Place(directory=BAD)
    )
    assert (reading.loaded is None) == bool(reading.faults)
    assert all(str(fault).isprintable() for fault in reading.faults)
