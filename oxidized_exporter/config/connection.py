"""How targets are reached: credentials, TLS, headers and proxy, under the keys that Prometheus's HTTP clients have."""
# Annotations are evaluated here: pydantic reads them.

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from oxidized_exporter.config.files import check_authorities, check_readable
from oxidized_exporter.config.headers import (
    parse_header_name,
    parse_header_value,
    parse_host_header,
    parse_scheme,
    parse_server_name,
    parse_username,
)
from oxidized_exporter.config.secret import Secret
from oxidized_exporter.config.text import FileName, Text
from oxidized_exporter.config.urls import parse_proxy_url
from oxidized_exporter.targets.pattern import TargetPattern
from oxidized_exporter.targets.url import Target

_SecretFile = Annotated[Path, FileName(check=check_readable, example="/run/secrets/oxidized")]
_PemFile = Annotated[Path, FileName(check=check_readable, example="client.pem")]
_HeaderValue = Annotated[Secret, Text(parse=parse_header_value, form="secret")]
_HeaderName = Annotated[str, Text(parse=parse_header_name, form="header name", example="X-Scope")]


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicAuth:
    """User name and password; each either here or in a file, which is read when it is used."""

    username: Annotated[str, Text(parse=parse_username, form="text")] | None = field(
        default=None, metadata={"description": "User name."}
    )
    username_file: _SecretFile | None = field(default=None, metadata={"description": "File that holds the user name."})
    password: Annotated[Secret, Text(parse=Secret, form="secret")] | None = field(
        default=None, metadata={"description": "Password."}
    )
    password_file: _SecretFile | None = field(default=None, metadata={"description": "File that holds the password."})


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """The header Authorization; the credentials either here or in a file, which is read when it is used."""

    type: Annotated[str, Text(parse=parse_scheme, form="text")] = field(
        default="Bearer", metadata={"description": "What stands in front of the credentials; not Basic."}
    )
    credentials: _HeaderValue | None = field(default=None, metadata={"description": "Credentials."})
    credentials_file: _SecretFile | None = field(
        default=None, metadata={"description": "File that holds the credentials."}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsConfig:
    """How servers are verified, and what is shown to them; without it the system's authorities count."""

    ca_file: Annotated[Path, FileName(check=check_authorities, example="ca.pem")] | None = field(
        default=None,
        metadata={"description": "Certificates of the authorities (PEM) that count in place of the system's."},
    )
    cert_file: _PemFile | None = field(
        default=None, metadata={"description": "Client certificate (PEM), with those in between behind it."}
    )
    key_file: _PemFile | None = field(default=None, metadata={"description": "Its key (PEM), not encrypted."})
    server_name: Annotated[str, Text(parse=parse_server_name, form="host", example="oxidized.internal")] | None = field(
        default=None, metadata={"description": "Name that the server's certificate must have, and that it is asked by."}
    )
    insecure_skip_verify: bool = field(
        default=False, metadata={"description": "Accept any certificate: whoever is in between can read the traffic."}
    )
    min_version: Literal["TLS12", "TLS13"] = field(
        default="TLS12", metadata={"description": "Oldest version of TLS; OpenSSL refuses those before TLS12."}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpHeader:
    """The values of one header, all of which are sent; none of them is shown anywhere."""

    values: tuple[_HeaderValue, ...] = field(default=(), metadata={"description": "Values."})
    secrets: tuple[_HeaderValue, ...] = field(
        default=(), metadata={"description": "Values that are never sent in clear to a target that a wildcard matched."}
    )
    files: tuple[_SecretFile, ...] = field(
        default=(), metadata={"description": "Files that hold such values, read when they are used."}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How the targets that match one of its patterns are reached; the first connection that has one serves a target."""

    targets: tuple[
        Annotated[
            TargetPattern,
            Text(parse=TargetPattern.parse, form="target pattern", example="https://*.example.net:8888/oxidized"),
        ],
        ...,
    ] = field(
        metadata={
            "min_length": 1,
            "description": "Origins, with a prefix of whole path segments where wanted; "
            '"*" stands for exactly one label of a host name, or for any port.',
        }
    )
    basic_auth: BasicAuth | None = field(default=None, metadata={"description": "User name and password."})
    authorization: Authorization | None = field(
        default=None, metadata={"description": "Another Authorization header; not together with basic_auth."}
    )
    tls_config: TlsConfig = field(
        default_factory=TlsConfig, metadata={"description": "Authorities, client certificate, verification."}
    )
    http_headers: Mapping[_HeaderName, HttpHeader] = field(
        default_factory=dict, metadata={"description": "Headers to send, by name."}
    )
    host_header: Annotated[str, Text(parse=parse_host_header, form="host", example="oxidized.internal")] | None = field(
        default=None,
        metadata={"description": "Host header in place of the URL's, for an Oxidized with a strict vhosts setting."},
    )
    proxy_url: Annotated[str, Text(parse=parse_proxy_url, form="URL", example="http://proxy:3128")] | None = field(
        default=None,
        metadata={
            "description": "Proxy that requests go through. It resolves the names: of access only URLs count then, "
            "networks neither allow nor deny."
        },
    )
    follow_redirects: bool = field(
        default=False,
        metadata={"description": "Follow redirects within the same origin and to the same route; else they fail."},
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "http_headers", MappingProxyType(dict(self.http_headers)))

    @property
    def reads_secrets(self) -> bool:
        """Whether a file is read for the headers of a request."""
        auth, authorization = self.basic_auth, self.authorization
        return (
            (auth is not None and (auth.username_file is not None or auth.password_file is not None))
            or (authorization is not None and authorization.credentials_file is not None)
            or any(header.files for header in self.http_headers.values())
        )

    def serves(self, target: Target) -> bool:
        """Tell whether one of the patterns matches ``target``."""
        return any(pattern.matches(target) for pattern in self.targets)
