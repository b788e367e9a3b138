"""What a connection adds to a request; secrets in files are read when they are used, so rotating them needs nothing."""

from __future__ import annotations

import asyncio
import base64
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from oxidized_exporter.config import Authorization, BasicAuth, Connection, Secret, TlsConfig
from oxidized_exporter.config.files import EncryptedKeyError, check_readable, load_key_pair, read_start
from oxidized_exporter.config.headers import parse_header_value, parse_username
from oxidized_exporter.errors import AuthError, TlsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Executor
    from pathlib import Path

_VERSIONS: Final = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_Parsed = TypeVar("_Parsed")
_MAX_SECRET_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSettings:
    """What every request to one target carries; its ``repr`` shows no secret.

    Attributes:
        headers: names and values.
        tls: how the server is verified and what is shown to it; None for the system's authorities.
        server_name: name that the certificate must have, where it is not the URL's.
        proxy: URL of a proxy.
        follow_redirects: whether a redirect to the same route of the same origin is followed.
    """

    headers: tuple[tuple[str, Secret], ...] = ()
    tls: ssl.SSLContext | None = None
    server_name: str | None = None
    proxy: str | None = None
    follow_redirects: bool = False


NO_SETTINGS: Final = RequestSettings()
"""For a target that no connection serves."""


class SettingsReader:
    """Reads what connections name; keeps nothing but TLS contexts, until the files behind them change."""

    def __init__(self, worker: Executor) -> None:
        """Read files in ``worker``, which belongs to the caller: a file system that hangs holds its threads."""
        self._worker = worker
        self._lock = threading.Lock()
        self._contexts: dict[TlsConfig, tuple[object, ssl.SSLContext]] = {}

    async def read(self, connection: Connection | None) -> RequestSettings:
        """Read what ``connection`` names, in a thread if it names a file.

        Raises:
            AuthError: a file with a secret cannot be read, or what it holds cannot be sent.
            TlsError: a certificate or key cannot be read.
        """
        if connection is None:
            return NO_SETTINGS
        if connection.tls_config == TlsConfig() and not connection.reads_secrets:
            return self._settings_of(connection)
        return await asyncio.get_running_loop().run_in_executor(self._worker, self._settings_of, connection)

    def forget_all_but(self, connections: tuple[Connection, ...]) -> None:
        """Drop the contexts that no connection needs any more."""
        needed = [connection.tls_config for connection in connections]
        with self._lock:
            self._contexts = {config: kept for config, kept in self._contexts.items() if config in needed}

    def _settings_of(self, connection: Connection) -> RequestSettings:
        return RequestSettings(
            headers=tuple(_headers(connection)),
            tls=self._context(connection.tls_config),
            server_name=connection.tls_config.server_name,
            proxy=connection.proxy_url,
            follow_redirects=connection.follow_redirects,
        )

    def _context(self, config: TlsConfig) -> ssl.SSLContext | None:
        if config == TlsConfig():
            return None
        try:
            files = [file for file in (config.ca_file, config.cert_file, config.key_file) if file is not None]
            _check_all(files)
            signature = tuple((s.st_mtime_ns, s.st_size, s.st_ino) for s in (file.stat() for file in files))
            with self._lock:
                known = self._contexts.get(config)
            if known is None or known[0] != signature:
                known = (signature, _tls_context(config))
                with self._lock:
                    self._contexts[config] = known
        except EncryptedKeyError:
            raise TlsError("tls_config: the key is encrypted; it must not be") from None
        except ssl.SSLError as error:
            raise TlsError(f"tls_config: OpenSSL does not take the files: {error.reason or 'unknown'}") from None
        except OSError as error:
            raise TlsError(f"tls_config: {error.filename or 'a file'}: {error.strerror}") from None
        return known[1]


def _check_all(files: Iterable[Path]) -> None:
    """Make sure that all can be read: OpenSSL would wait for ever at a named pipe."""
    for file in files:
        try:
            check_readable(file)
        except ValueError as error:
            raise TlsError(f"tls_config: {file} {error}") from None


def _tls_context(config: TlsConfig) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=None if config.ca_file is None else str(config.ca_file))
    context.minimum_version = _VERSIONS[config.min_version]
    if config.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if config.cert_file is not None:
        load_key_pair(context, config.cert_file, config.key_file)
    return context


def _headers(connection: Connection) -> Iterator[tuple[str, Secret]]:
    for name, header in connection.http_headers.items():
        yield from ((name, value) for value in (*header.values, *header.secrets))
        yield from ((name, _read(file, parse_header_value)) for file in header.files)
    if connection.basic_auth is not None:
        yield "Authorization", _basic(connection.basic_auth)
    if connection.authorization is not None:
        yield "Authorization", _authorization(connection.authorization)
    if connection.host_header is not None:
        yield "Host", Secret(connection.host_header)


def _basic(auth: BasicAuth) -> Secret:
    username = auth.username
    if username is None:
        username = "" if auth.username_file is None else _read(auth.username_file, parse_username)
    password = auth.password
    if password is None:
        password = Secret("") if auth.password_file is None else _read(auth.password_file, Secret)
    pair = f"{username}:{password.reveal()}".encode()  # RFC 7617, with UTF-8
    return Secret(f"Basic {base64.b64encode(pair).decode()}")


def _authorization(authorization: Authorization) -> Secret:
    credentials = authorization.credentials
    if credentials is None:
        file = authorization.credentials_file
        credentials = Secret("") if file is None else _read(file, parse_header_value)
    return Secret(f"{authorization.type} {credentials.reveal()}".strip())


def _read(file: Path, parse: Callable[[str], _Parsed]) -> _Parsed:
    """Read what a file holds, without the white space around it, as Prometheus does.

    Raises:
        AuthError: it cannot be read, or what it holds cannot be sent.
    """
    try:
        found = read_start(file, _MAX_SECRET_BYTES + 1)
        if len(found) <= _MAX_SECRET_BYTES:
            return parse(found.decode().strip())
        why = f"is longer than {_MAX_SECRET_BYTES} bytes"
    except UnicodeDecodeError:
        why = "is not UTF-8"
    except ValueError as error:
        why = str(error)
    raise AuthError(f"{file} {why}")
