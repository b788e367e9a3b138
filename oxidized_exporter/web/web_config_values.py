"""What may stand under the keys of a web configuration, and what of it Python cannot do as Go does."""

from __future__ import annotations

import platform
import re
import ssl
from dataclasses import dataclass
from typing import Final

import bcrypt

from oxidized_exporter.config.secret import Secret
from oxidized_exporter.config.text import Text

NO_CLIENT_CERT: Final = "NoClientCert"
VERIFY_IF_GIVEN: Final = "VerifyClientCertIfGiven"
REQUIRE_AND_VERIFY: Final = "RequireAndVerifyClientCert"
_CLIENT_AUTH: Final = (NO_CLIENT_CERT, VERIFY_IF_GIVEN, REQUIRE_AND_VERIFY)
_UNVERIFIED: Final = frozenset({"RequestClientCert", "RequireAnyClientCert", "RequireClientCert"})

VERSIONS: Final = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_OLD_VERSIONS: Final = frozenset({"TLS10", "TLS11"})

# Go's names (tls.CipherSuites()) to OpenSSL's. Those of TLS 1.3 are always on, in Go as here.
CIPHERS: Final = {
    "TLS_AES_128_GCM_SHA256": None,
    "TLS_AES_256_GCM_SHA384": None,
    "TLS_CHACHA20_POLY1305_SHA256": None,
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
}
# Go's names to OpenSSL's.
CURVES: Final = {"CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1", "X25519": "X25519"}

_HASH: Final = re.compile(r"\$2[aby]\$(?P<cost>[0-9]{2})\$(?P<salt>[./A-Za-z0-9]{22})[./A-Za-z0-9]{31}")
_COSTS: Final = range(4, 17)  # each step more takes twice as long, one of 16 some seconds of a processor
_VISIBLE: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
_PART: Final = re.compile(r"([0-9]*\.?[0-9]+|[0-9]+\.)(h|ms|m|s|us|µs|μs|ns)")
_MOST_SECONDS: Final = (2**63 - 1) / 1e9  # what Go can hold
_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}


def parse_client_auth(text: str) -> str:
    """Return how clients show who they are.

    Raises:
        ValueError: it is no such policy, or one that Python's ssl has not.
    """
    if text in _UNVERIFIED:
        raise ValueError(
            "cannot be honoured: OpenSSL, as Python uses it, verifies every certificate that it asks for; "
            f"write {REQUIRE_AND_VERIFY} or {NO_CLIENT_CERT}"
        )
    if text not in _CLIENT_AUTH:
        raise ValueError(f"must be one of {', '.join(_CLIENT_AUTH)}")
    return text


def parse_version(text: str) -> str:
    """Return the name of a version of TLS.

    Raises:
        ValueError: it is none, or one that OpenSSL refuses.
    """
    if text in _OLD_VERSIONS:
        raise ValueError("cannot be honoured: OpenSSL refuses versions before TLS12; write TLS12 or TLS13")
    if text not in VERSIONS:
        raise ValueError(f"must be {' or '.join(VERSIONS)}")
    return text


def parse_cipher(text: str) -> str:
    """Return Go's name of a cipher suite.

    Raises:
        ValueError: it is none that Go holds for secure, or this OpenSSL has it not.
    """
    if text not in CIPHERS:
        raise ValueError("must be the name of a cipher suite that Go holds for secure (tls.CipherSuites)")
    if name := CIPHERS[text]:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ciphers(name)
        except ssl.SSLError:
            raise ValueError(f"cannot be honoured: {ssl.OPENSSL_VERSION} has no {name}") from None
    return text


def parse_curve(text: str) -> str:
    """Return Go's name of a curve.

    Raises:
        ValueError: it is none, or this OpenSSL has it not.
    """
    if text not in CURVES:
        raise ValueError(f"must be one of {', '.join(CURVES)}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ecdh_curve(CURVES[text])
    except (ssl.SSLError, ValueError):
        python = platform.python_version()  # of which 3.11.2, Debian 12's, cannot name X25519, which its OpenSSL has
        raise ValueError(
            f"cannot be honoured: Python {python} with {ssl.OPENSSL_VERSION} has no {CURVES[text]}"
        ) from None
    return text


def parse_alternative_name(text: str) -> str:
    """Return a name that a client's certificate must have.

    Raises:
        ValueError: it is empty, or not printable.
    """
    if not text or not text.isprintable():
        raise ValueError("must be a DNS name, an IP address, an e-mail address or a URI, as the certificate has it")
    return text


def parse_certificates(text: str) -> str:
    """Return certificates in PEM form.

    Raises:
        ValueError: there is none in ``text``.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, TypeError, ValueError):  # TypeError: not ASCII; ValueError: nothing
        raise ValueError("must be certificates in PEM form") from None
    return text


def parse_hash(text: str) -> Secret:
    """Return the bcrypt hash of a password.

    Raises:
        ValueError: it is none; the message does not repeat it.
    """
    matched = _HASH.fullmatch(text)
    if matched is None:
        raise ValueError("must be a bcrypt hash, as htpasswd -nB writes it behind the user: $2y$10$ and 53 characters")
    if int(matched["cost"]) not in _COSTS:
        raise ValueError(f"must be a bcrypt hash with a cost from {_COSTS[0]} to {_COSTS[-1]}; 10 is usual")
    try:
        bcrypt.hashpw(b"", f"$2b$04${matched['salt']}".encode())  # cheap, and reads the salt
    except ValueError:
        raise ValueError("must be a bcrypt hash; the salt of this one cannot be read") from None
    return Secret(text)


def parse_header(text: str) -> str:
    """Return the value of a header of answers; empty for one that is not set.

    Raises:
        ValueError: it cannot be sent.
    """
    if text and not _VISIBLE.fullmatch(text):
        raise ValueError("must be printable ASCII, without a space at either end")
    return text


def parse_interval(text: str) -> float:
    """Return the seconds of a duration as Go writes it: ``1s``, ``1m30s``, ``1.5s``, ``250ms``.

    Raises:
        ValueError: it is none.
    """
    parts = list(_PART.finditer(text))
    if "".join(part[0] for part in parts) != text or not text:
        raise ValueError("must be a duration such as 1s, 1.5s or 250ms, 0 or more, with its unit")
    seconds = sum(float(part[1]) * _SECONDS[part[2]] for part in parts)
    if seconds > _MOST_SECONDS:
        raise ValueError("must be a duration of less than 292 years")
    return seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOrZero(Text):
    """Annotation of a number that the file holds as text, or as ``0``."""

    def read(self, value: object) -> float:
        """Return what ``value`` is read as.

        Raises:
            ValueError: it is neither.
        """
        if value in {0, "0"} and not isinstance(value, bool):
            return 0.0
        number: float = Text.read(self, value)
        return number
