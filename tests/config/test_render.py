from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
import yaml

from oxidized_exporter.config import Config
from oxidized_exporter.config.loader import parse_config
from oxidized_exporter.config.render import render
from oxidized_exporter.config.text import Place

_WITHOUT_FILES: Final = Place(directory=Path("/etc/oxidized"), check_files=False)

_WITH_SECRETS: Final = """\
connections:
  - targets: ["HTTPS://*.Example.net:*/x/"]
    basic_auth: {username: prometheus, password: hunter2}
    http_headers:
      X-Scope: {values: [hunter2], secrets: [hunter2, hunter2x], files: [token]}
    tls_config: {ca_file: ca.pem, cert_file: /run/client.pem, key_file: /run/key.pem}
    proxy_url: http://proxy
  - targets: ["https://b"]
    authorization: {credentials: hunter2}
"""


def test_secrets_and_values_of_headers_are_hidden_and_files_are_named() -> None:
    text = render(parse_config(_WITH_SECRETS, file="f", place=_WITHOUT_FILES))
    assert "hunter2" not in text
    one, other = yaml.safe_load(text)["connections"]
    assert one == {
        "targets": ["HTTPS://*.Example.net:*/x/"],
        "basic_auth": {"username": "prometheus", "password": "<secret>"},
        "tls_config": {
            "ca_file": "/etc/oxidized/ca.pem",
            "cert_file": "/run/client.pem",
            "key_file": "/run/key.pem",
            "insecure_skip_verify": False,
            "min_version": "TLS12",
        },
        "http_headers": {
            "X-Scope": {
                "values": ["<secret>"],
                "secrets": ["<secret>", "<secret>"],
                "files": ["/etc/oxidized/token"],
            }
        },
        "proxy_url": "http://proxy",
        "follow_redirects": False,
    }
    assert other["authorization"] == {"type": "Bearer", "credentials": "<secret>"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "modules: {a: {timeout: 1m30s, devices: none, include: {group: ['(?i)x', y]}, exclude: {ip: ['10.*']}}}",
        "targets: {a: {url: 'HTTPS://A:443/x/', labels: {x: ' é\\n: #', y: 'yes'}}}",
        "access: {allow: ['http://*.b:*/x', 10.0.0.0/8], deny: ['2001:db8::/32']}",
        "connections: [{targets: ['https://a'], tls_config: {ca_file: a.pem, min_version: TLS13}, host_header: x}]",
        "limits: {body_bytes: 5}",
    ],
)
def test_what_is_shown_is_read_back_as_the_same(text: str) -> None:
    config = parse_config(text, file="f", place=_WITHOUT_FILES)
    shown = render(config)
    assert parse_config(shown, file="f", place=_WITHOUT_FILES) == config
    assert shown.replace("\n", "").isprintable()


def test_defaults_are_shown() -> None:
    shown = yaml.safe_load(render(Config()))
    assert list(shown) == ["modules", "targets", "access", "limits"]
    assert shown["modules"]["default"]["max_devices"] == 100_000
    assert shown["limits"]["label_bytes"] == 1024
