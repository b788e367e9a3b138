"""What is read when it is used, and what is kept of it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from oxidized_exporter.config import Authorization, BasicAuth, Connection, HttpHeader, Secret, TlsConfig
from oxidized_exporter.errors import AuthError, TlsError
from oxidized_exporter.oxidized.request_settings import NO_SETTINGS, SettingsReader
from oxidized_exporter.targets.pattern import TargetPattern

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    return path


def connection(**settings: object) -> Connection:
    return Connection(targets=(TargetPattern.parse("https://a"),), **settings)  # type: ignore[arg-type]


async def test_where_no_file_is_named_no_thread_is_needed() -> None:
    """A pool that is shut down stands for one whose threads all hang."""
    pool = ThreadPoolExecutor()
    pool.shutdown()
    settings_reader = SettingsReader(pool)
    assert await settings_reader.read(None) is NO_SETTINGS
    inline = connection(basic_auth=BasicAuth(username="me", password=Secret("x")))
    assert [name for name, _ in (await settings_reader.read(inline)).headers] == ["Authorization"]


async def test_a_context_is_kept_until_its_file_or_the_configuration_changes(
    pool: ThreadPoolExecutor, ca_file: Path
) -> None:
    settings_reader = SettingsReader(pool)
    used = connection(tls_config=TlsConfig(ca_file=ca_file))
    first = (await settings_reader.read(used)).tls
    assert (await settings_reader.read(used)).tls is first
    settings_reader.forget_all_but((used,))
    assert (await settings_reader.read(used)).tls is first
    settings_reader.forget_all_but(())
    second = (await settings_reader.read(used)).tls
    assert second is not first
    trustme.CA().cert_pem.write_to_path(str(ca_file))
    assert (await settings_reader.read(used)).tls is not second


async def test_a_named_pipe_is_refused_and_never_waited_for(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    settings_reader = SettingsReader(pool)
    with pytest.raises(AuthError, match="pipe cannot be read: not a regular file"):
        await settings_reader.read(connection(authorization=Authorization(credentials_file=pipe)))
    with pytest.raises(TlsError, match="pipe cannot be read: not a regular file"):
        await settings_reader.read(connection(tls_config=TlsConfig(ca_file=pipe)))


async def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_a_password(
    pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    issued = trustme.CA().issue_cert("client")
    certificate, key = tmp_path / "client.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    plain = serialization.load_pem_private_key(issued.private_key_pem.bytes(), password=None)
    key.write_bytes(
        plain.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
        )
    )
    with pytest.raises(TlsError, match="the key is encrypted; it must not be"):
        await SettingsReader(pool).read(connection(tls_config=TlsConfig(cert_file=certificate, key_file=key)))


@pytest.mark.parametrize("content", ["a:b", "", "a\nb"])
async def test_a_user_name_that_cannot_be_one(pool: ThreadPoolExecutor, tmp_path: Path, content: str) -> None:
    file = tmp_path / "user"
    file.write_text(content)
    with pytest.raises(AuthError, match=f"^{file} must be"):
        await SettingsReader(pool).read(connection(basic_auth=BasicAuth(username_file=file)))


async def test_a_secret_that_is_too_long_is_refused_not_cut(pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    file = tmp_path / "long"
    file.write_text("x" * (64 * 1024 + 1))
    with pytest.raises(AuthError, match="is longer than 65536 bytes"):
        await SettingsReader(pool).read(connection(http_headers={"X": HttpHeader(files=(file,))}))


async def test_the_settings_show_no_secret(pool: ThreadPoolExecutor) -> None:
    settings = await SettingsReader(pool).read(connection(authorization=Authorization(credentials=Secret("s3cr3t"))))
    assert "s3cr3t" not in repr(settings)
    assert settings.headers[0][1].reveal() == "Bearer s3cr3t"
