"""The web configuration: TLS, users, headers and a limit on requests, under the keys of Prometheus's exporter-toolkit.

These types are the file's form as well: its keys, their defaults and the documentation come from them.
"""
# Annotations are evaluated here: pydantic reads them.

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from oxidized_exporter.config.files import check_authorities, check_readable
from oxidized_exporter.config.headers import parse_username
from oxidized_exporter.config.secret import Secret
from oxidized_exporter.config.text import FileName, Text
from oxidized_exporter.web.web_config_values import (
    NO_CLIENT_CERT,
    TextOrZero,
    parse_alternative_name,
    parse_certificates,
    parse_cipher,
    parse_client_auth,
    parse_curve,
    parse_hash,
    parse_header,
    parse_interval,
    parse_version,
)

_Certificates = Annotated[str, Text(parse=parse_certificates, form="text")]
_CertificatesFile = Annotated[Path, FileName(check=check_authorities, example="server.crt")]
_KeyFile = Annotated[Path, FileName(check=check_readable, example="server.key")]
_Version = Annotated[str, Text(parse=parse_version, form="version of TLS", example="TLS12")]
_Header = Annotated[str, Text(parse=parse_header, form="text")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsServerConfig:
    """How connections are encrypted, and which certificates clients must show."""

    cert: _Certificates | None = field(
        default=None, metadata={"description": "Certificate of the server, those in between behind it (PEM)."}
    )
    key: Annotated[Secret, Text(parse=Secret, form="secret")] | None = field(
        default=None, metadata={"description": "Its key (PEM), not encrypted."}
    )
    client_ca: _Certificates | None = field(
        default=None, metadata={"description": "Certificates of the authorities of clients (PEM)."}
    )
    cert_file: _CertificatesFile | None = field(
        default=None, metadata={"description": "File that holds the certificate, in place of `cert`."}
    )
    key_file: _KeyFile | None = field(
        default=None, metadata={"description": "File that holds its key, in place of `key`."}
    )
    client_ca_file: _CertificatesFile | None = field(
        default=None, metadata={"description": "File that holds the authorities of clients, in place of `client_ca`."}
    )
    client_auth_type: Annotated[
        str, Text(parse=parse_client_auth, form="client policy", example="RequireAndVerifyClientCert")
    ] = field(
        default=NO_CLIENT_CERT,
        metadata={
            "description": "`NoClientCert`, `VerifyClientCertIfGiven` or `RequireAndVerifyClientCert`; the latter two "
            "need `client_ca` or `client_ca_file`. **Fault:** `RequestClientCert`, `RequireAnyClientCert` and "
            "`RequireClientCert`, since Python's ssl verifies every certificate that it asks for."
        },
    )
    client_allowed_sans: (
        tuple[Annotated[str, Text(parse=parse_alternative_name, form="text", example="prometheus.example.net")], ...]
        | None
    ) = field(
        default=None,
        metadata={
            "min_length": 1,
            "description": "Names of which the client's certificate must have one: a DNS name, an IP address, an "
            "e-mail address or a URI, letter by letter. Needs `RequireAndVerifyClientCert`.",
        },
    )
    min_version: _Version = field(
        default="TLS12",
        metadata={
            "description": "Oldest version of TLS. **Fault:** `TLS10` and `TLS11`, which OpenSSL refuses.",
        },
    )
    max_version: _Version = field(default="TLS13", metadata={"description": "Newest version of TLS."})
    cipher_suites: tuple[
        Annotated[
            str,
            Text(parse=parse_cipher, form="cipher suite", example="TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        ],
        ...,
    ] = field(
        default=(),
        metadata={
            "description": "Cipher suites of TLS 1.2, by Go's names; without it OpenSSL's own. Those of TLS 1.3 are "
            "always on, as in Go. **Fault:** names that Go holds for insecure, or that this OpenSSL has not."
        },
    )
    prefer_server_cipher_suites: bool = field(
        default=True,
        metadata={"description": "Whether the order of `cipher_suites` counts, or else the client's."},
    )
    curve_preferences: tuple[
        Annotated[str, Text(parse=parse_curve, form="curve", example="X25519")],
        ...,
    ] = field(
        default=(),
        metadata={
            "description": "The curve of key exchanges: `CurveP256`, `CurveP384`, `CurveP521` or `X25519`; without it "
            "OpenSSL's own list. **Fault:** more than one, since Python's ssl can be told of one only; one that this "
            "Python cannot name, as Debian 12's 3.11.2 cannot X25519."
        },
    )

    @property
    def serves_tls(self) -> bool:
        """Whether connections are encrypted: a section without any key changes nothing."""
        return self != TlsServerConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """Headers of every answer; an empty one is not set. The landing page keeps its own Content-Security-Policy."""

    content_security_policy: _Header | None = field(
        default=None, metadata={"alias": "Content-Security-Policy", "description": "Content-Security-Policy."}
    )
    x_frame_options: Literal["deny", "sameorigin"] | None = field(
        default=None, metadata={"alias": "X-Frame-Options", "description": "X-Frame-Options."}
    )
    x_content_type_options: Literal["nosniff"] | None = field(
        default=None, metadata={"alias": "X-Content-Type-Options", "description": "X-Content-Type-Options."}
    )
    x_xss_protection: _Header | None = field(
        default=None, metadata={"alias": "X-XSS-Protection", "description": "X-XSS-Protection."}
    )
    strict_transport_security: _Header | None = field(
        default=None, metadata={"alias": "Strict-Transport-Security", "description": "Strict-Transport-Security."}
    )

    def by_name(self) -> Mapping[str, str]:
        """Return those that are set."""
        return {header.metadata["alias"]: value for header in fields(self) if (value := getattr(self, header.name))}


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpServerConfig:
    """The HTTP protocol, and headers of answers."""

    http2: bool | None = field(
        default=None,
        metadata={
            "description": "`false`, or left out: this exporter speaks HTTP/1.1. **Fault:** `true`.",
        },
    )
    headers: Headers = field(default_factory=Headers, metadata={"description": "Headers of every answer."})


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """A limit on the requests of all callers together, `/-/healthy` and `/-/ready` not counted; above it 429."""

    interval: Annotated[float, TextOrZero(parse=parse_interval, form="duration", example="250ms")] = field(
        default=0.0,
        metadata={"description": "After which one request more is served, as Go writes durations; 0 for no limit."},
    )
    burst: int = field(
        default=0, metadata={"ge": 0, "description": "Requests that may come at once; 1 or more with an `interval`."}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WebConfig:
    """How the exporter's own port is served."""

    # For all below: no unknown key, no value that has to be converted, and none of them in pydantic's own messages.
    __pydantic_config__: ClassVar[Mapping[str, object]] = {
        "extra": "forbid",
        "strict": True,
        "hide_input_in_errors": True,
    }

    tls_server_config: TlsServerConfig = field(
        default_factory=TlsServerConfig, metadata={"description": "Certificate, and certificates of clients."}
    )
    http_server_config: HttpServerConfig = field(
        default_factory=HttpServerConfig, metadata={"description": "Protocol and headers."}
    )
    basic_auth_users: Mapping[
        Annotated[str, Text(parse=parse_username, form="text")],
        Annotated[Secret, Text(parse=parse_hash, form="secret")],
    ] = field(
        default_factory=dict,
        metadata={
            "description": "Users, each with the bcrypt hash of the password; without one, none is needed. "
            "`/-/healthy` and `/-/ready` need none."
        },
    )
    rate_limit: RateLimit = field(default_factory=RateLimit, metadata={"description": "A limit on requests."})

    def __post_init__(self) -> None:
        object.__setattr__(self, "basic_auth_users", MappingProxyType(dict(self.basic_auth_users)))
