"""Files that a configuration names, and its own: how they are read, and what can be known of them before they are used.

Reading them blocks; call it in a thread where a loop runs.
"""

from __future__ import annotations

import os
import ssl
import stat
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from pathlib import Path


def check_readable(path: Path) -> None:
    """Make sure that ``path`` is a file that can be read.

    Raises:
        ValueError: it is not. The message does not name it: whoever takes ``password_file`` for ``password`` has
            written a secret there.
    """
    read_start(path, 0)


def read_start(path: Path, count: int) -> bytes:
    """Return the first ``count`` bytes of a regular file, or all of a shorter one.

    Raises:
        ValueError: it cannot be read. The message does not name it.
    """
    try:
        # Without O_NONBLOCK the opening of a named pipe would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            found = os.read(descriptor, count) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ValueError(f"cannot be read: {os.strerror(error.errno or 0).lower()}") from None
    except ValueError:  # a NUL in its name
        raise ValueError("cannot be read: not a file name") from None
    if found is None:
        raise ValueError("cannot be read: not a regular file")
    return found


def check_authorities(path: Path) -> None:
    """Make sure that ``path`` holds certificates of authorities.

    Raises:
        ValueError: it does not.
    """
    check_readable(path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except OSError:
        raise ValueError("must hold certificates in PEM form") from None


def load_key_pair(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    """Load a certificate and its key into ``context``; never asks for a password on the terminal, as OpenSSL would.

    Raises:
        EncryptedKeyError: the key is encrypted.
        OSError: one of the files cannot be read, or is not what it should be (`ssl.SSLError`).
    """
    context.load_cert_chain(certificate, key, password=_no_password)


def check_key_pair(certificate: Path, key: Path) -> None:
    """Make sure that two files hold a certificate and the key that belongs to it.

    Raises:
        ValueError: they do not.
    """
    try:
        load_key_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate, key)
    except EncryptedKeyError:
        raise ValueError("must hold a key that is not encrypted") from None
    except OSError as error:
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            raise ValueError("must hold the key of the certificate in cert_file; this is another one") from None
        raise ValueError("must hold a key in PEM form, and cert_file its certificate") from None


class EncryptedKeyError(Exception):
    """A key wants a password."""


def _no_password() -> NoReturn:
    raise EncryptedKeyError
