from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from oxidized_exporter.config import Config, load_config
from oxidized_exporter.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def directory(tmp_path: Path, authority: trustme.CA) -> Path:
    """Return a directory with an authority, a client certificate and its key, another key, and that key encrypted."""
    client, other = authority.issue_cert("client.example"), authority.issue_cert("other.example")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    client.cert_chain_pems[0].write_to_path(tmp_path / "client.pem")
    client.private_key_pem.write_to_path(tmp_path / "client-key.pem")
    other.private_key_pem.write_to_path(tmp_path / "other-key.pem")
    key = load_pem_private_key(client.private_key_pem.bytes(), password=None)
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2"))
    (tmp_path / "encrypted.pem").write_bytes(encrypted)
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


def load(directory: Path, connection: str) -> Config:
    path = directory / "config.yml"
    path.write_text(f'connections:\n  - {{targets: ["https://a.example"], {connection}}}\n')
    return load_config(str(path))


def fault(directory: Path, connection: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(directory, connection)
    (only,) = caught.value.faults
    return f"{only.key_path.removeprefix('connections[0].')}: {only.message}"


def test_files_beside_the_configuration(directory: Path) -> None:
    config = load(
        directory,
        "tls_config: {ca_file: ca.pem, cert_file: client.pem, key_file: client-key.pem},"
        "basic_auth: {username: x, password_file: ca.pem}",
    )
    (connection,) = config.connections
    assert connection.tls_config.ca_file == directory / "ca.pem"
    assert connection.tls_config.cert_file == directory / "client.pem"
    assert connection.tls_config.key_file == directory / "client-key.pem"
    assert connection.basic_auth
    assert connection.basic_auth.password_file == directory / "ca.pem"


def test_an_absolute_name_is_taken_as_it_is(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (connection,) = load(elsewhere, f"tls_config: {{ca_file: {directory}/ca.pem}}").connections
    assert connection.tls_config.ca_file == directory / "ca.pem"


@pytest.mark.parametrize(
    "connection,expected",
    [
        (
            "tls_config: {cert_file: client.pem, key_file: other-key.pem}",
            "tls_config.key_file: must hold the key of the certificate in cert_file; this is another one",
        ),
        (
            "tls_config: {cert_file: client.pem, key_file: encrypted.pem}",
            "tls_config.key_file: must hold a key that is not encrypted",
        ),
        (
            "tls_config: {cert_file: client.pem, key_file: ca.pem}",
            "tls_config.key_file: must hold a key in PEM form, and cert_file its certificate",
        ),
        (
            "tls_config: {cert_file: client-key.pem, key_file: client-key.pem}",
            "tls_config.key_file: must hold a key in PEM form, and cert_file its certificate",
        ),
        ("tls_config: {ca_file: client-key.pem}", "tls_config.ca_file: must hold certificates in PEM form"),
        ("tls_config: {ca_file: pipe}", "tls_config.ca_file: cannot be read: not a regular file"),
        (
            "basic_auth: {username: x, password_file: pipe}",
            "basic_auth.password_file: cannot be read: not a regular file",
        ),
        (
            "authorization: {credentials_file: ca.pem/x}",
            "authorization.credentials_file: cannot be read: not a directory",
        ),
        (
            'http_headers: {X-A: {files: ["ca\\0"]}}',
            "http_headers.X-A.files[0]: must be a file name such as /run/secrets/oxidized",
        ),
    ],
)
def test_a_file_that_does_not_serve(directory: Path, connection: str, expected: str) -> None:
    assert fault(directory, connection) == expected


def test_a_key_that_is_encrypted_is_not_asked_for(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL would ask for the password on the terminal, and wait."""
    monkeypatch.setattr("sys.stdin", None)
    assert "not encrypted" in fault(directory, "tls_config: {cert_file: client.pem, key_file: encrypted.pem}")


def test_a_file_that_may_not_be_read(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = os.open

    def refuse(path: Path, flags: int) -> int:  # root may read everything
        if path.name == "ca.pem":
            raise PermissionError(errno.EACCES, "")
        return genuine(path, flags)

    monkeypatch.setattr("oxidized_exporter.config.files.os.open", refuse)
    assert fault(directory, "tls_config: {ca_file: ca.pem}") == "tls_config.ca_file: cannot be read: permission denied"
