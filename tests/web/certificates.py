"""Certificates and keys of the tests of TLS, as files of one directory."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD: Final = "hunter2"  # noqa: S105 - of the tests
HASH: Final = "$2b$04$/hvb7wpw09lifV5u/CPQBeO/HHUhOgKZ0NLIEu3ML5fq5B.SULiD2"
"""Of `PASSWORD`, at the least cost."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """An authority and what it has signed, written into a directory: ``server.crt``, ``server.key``, ``ca.pem``, …"""

    authority: trustme.CA
    directory: Path

    def copied(self, directory: Path) -> Certificates:
        """Return the same in another directory."""
        for name in ("ca.pem", "server.crt", "server.key"):
            (directory / name).write_bytes((self.directory / name).read_bytes())
        return Certificates(self.authority, directory)

    def write_server(self, *names: str) -> None:
        """Write a new certificate of the server and its key."""
        server = self.authority.issue_cert(*(names or ("localhost", "127.0.0.1")))
        (self.directory / "server.crt").write_bytes(b"".join(blob.bytes() for blob in server.cert_chain_pems))
        server.private_key_pem.write_to_path(self.directory / "server.key")

    def client(self, *names: str, authority: trustme.CA | None = None) -> ssl.SSLContext:
        """Return what a client connects with: it trusts the authority, and shows a certificate if it has names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.authority.configure_trust(context)
        if names:
            (authority or self.authority).issue_cert(*names).configure_cert(context)
        return context

    def write_odd_ones(self) -> None:
        """Write what does not serve: another key, an encrypted one, one that is too short, a pipe."""
        other = self.authority.issue_cert("other.example")
        other.private_key_pem.write_to_path(self.directory / "other.key")
        key = load_pem_private_key((self.directory / "server.key").read_bytes(), password=None)
        encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2"))
        (self.directory / "encrypted.key").write_bytes(encrypted)
        os.mkfifo(self.directory / "pipe")
        short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - it is to be refused
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "short.example")])
        begin = datetime(2020, 1, 1, tzinfo=UTC)
        certificate = (
            x509.CertificateBuilder(name, name, short.public_key(), 1, begin, begin + timedelta(days=36500))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(short, hashes.SHA256())
        )
        (self.directory / "short.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
        (self.directory / "short.key").write_bytes(
            short.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )


def make_certificates(directory: Path) -> Certificates:
    """Make an authority and a certificate of the server."""
    certificates = Certificates(trustme.CA(), directory)
    certificates.authority.cert_pem.write_to_path(directory / "ca.pem")
    certificates.write_server()
    return certificates
