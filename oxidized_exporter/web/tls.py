"""What a web configuration says of TLS, as OpenSSL understands it. All of it reads files, and so blocks."""

from __future__ import annotations

import ipaddress
import os
import ssl
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from oxidized_exporter.config.files import EncryptedKeyError, load_key_pair
from oxidized_exporter.web.web_config_values import CIPHERS, CURVES, NO_CLIENT_CERT, REQUIRE_AND_VERIFY, VERSIONS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from oxidized_exporter.web.web_config import TlsServerConfig

_REFUSED: Final = {
    "EE_KEY_TOO_SMALL": "the certificate's key is too short for OpenSSL",
    "CA_KEY_TOO_SMALL": "the key of a certificate in between is too short for OpenSSL",
    "CA_MD_TOO_WEAK": "a certificate's signature is too weak for OpenSSL",
}


def server_context(config: TlsServerConfig) -> ssl.SSLContext:
    """Make the context that connections are served with.

    Raises:
        ValueError: certificate and key cannot be used; the message shows neither.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = VERSIONS[config.min_version], VERSIONS[config.max_version]
    context.options |= ssl.OP_NO_RENEGOTIATION
    if not config.prefer_server_cipher_suites:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    if config.cipher_suites:
        if names := [name for suite in config.cipher_suites if (name := CIPHERS[suite])]:
            context.set_ciphers(":".join(names))
        else:  # none for TLS 1.2
            context.minimum_version = ssl.TLSVersion.TLSv1_3
    for curve in config.curve_preferences:
        context.set_ecdh_curve(CURVES[curve])
    load_pair(context, certificate=config.cert_file or config.cert or "", key=config.key_file or _inline_key(config))
    if config.client_auth_type != NO_CLIENT_CERT:
        # As in Go, what is listed is trusted, whether or not somebody else has signed it.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cafile=config.client_ca_file, cadata=config.client_ca)
        required = config.client_auth_type == REQUIRE_AND_VERIFY
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    return context


def load_pair(context: ssl.SSLContext, *, certificate: Path | str, key: Path | str) -> None:
    """Load a certificate and its key into ``context``, each from a file or as it is.

    Raises:
        ValueError: they cannot be used, or do not belong together.
    """
    with ExitStack() as stack:
        certificate_path, key_path = (
            part if isinstance(part, Path) else stack.enter_context(_as_file(part)) for part in (certificate, key)
        )
        try:
            load_key_pair(context, certificate_path, key_path)
        except EncryptedKeyError:
            raise ValueError("must be a key that is not encrypted") from None
        except OSError as error:
            reason = getattr(error, "reason", None)
            if reason == "KEY_VALUES_MISMATCH":
                raise ValueError("must be the key of the certificate; this is another one") from None
            if reason in _REFUSED:
                raise ValueError(f"cannot be used: {_REFUSED[reason]}") from None
            raise ValueError("must be a key in PEM form, and beside it its certificate") from None


def names_of(certificate: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the alternative names of a certificate as ``getpeercert`` tells them, addresses in their usual form.

    What is no address of a known length is passed over, which ``getpeercert`` tells as ``<invalid>``.
    """
    for kind, name in (certificate or {}).get("subjectAltName", ()):
        if kind == "IP Address":
            with suppress(ValueError):
                address = ipaddress.ip_address(name.strip())
                yield str(getattr(address, "ipv4_mapped", None) or address)
        elif kind in {"DNS", "email", "URI"}:
            yield name


def is_allowed(certificate: Mapping[str, Any] | None, *, names: Collection[str] | None) -> bool:
    """Tell whether ``certificate`` has one of ``names``; all have where there are none."""
    return names is None or any(name in names for name in names_of(certificate))


def _inline_key(config: TlsServerConfig) -> str:
    return config.key.reveal() if config.key else ""


@contextmanager
def _as_file(text: str) -> Iterator[Path]:
    """Give ``text`` a name for OpenSSL, which reads keys from files only; it never leaves the memory."""
    descriptor = os.memfd_create("pem")
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(text.encode("utf-8", "surrogatepass"))
        yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
