"""Files that a configuration names: what can be known of them before they are used.

Reading them blocks; they are small, and read while the configuration is, not while a target is asked.
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
    try:
        # Without O_NONBLOCK the opening of a named pipe would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise ValueError(f"cannot be read: {os.strerror(error.errno or 0).lower()}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("cannot be read: not a regular file")
    finally:
        os.close(descriptor)


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


def check_key_pair(certificate: Path, key: Path) -> None:
    """Make sure that two files hold a certificate and the key that belongs to it.

    Raises:
        ValueError: they do not.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=_no_password)
    except _EncryptedError:
        raise ValueError("must hold a key that is not encrypted") from None
    except OSError as error:
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            raise ValueError("must hold the key of the certificate in cert_file; this is another one") from None
        raise ValueError("must hold a key in PEM form, and cert_file its certificate") from None


class _EncryptedError(Exception):
    """A password is asked for."""


def _no_password() -> NoReturn:
    raise _EncryptedError
