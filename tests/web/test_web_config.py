"""What a web configuration without faults means."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Final

import pytest

from oxidized_exporter.config.text import Place
from oxidized_exporter.errors import ConfigError
from oxidized_exporter.web import web_config_values
from oxidized_exporter.web.web_config import WebConfig
from oxidized_exporter.web.web_config_loader import LoadedWebConfig, load_web_config, parse_web_config
from tests.web.certificates import HASH
from tests.web.serving import MUTUAL, PAIR, write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.certificates import Certificates

# The sample of the exporter-toolkit's documentation, by its keys.
_SAMPLE: Final = """\
tls_server_config:
  cert_file: server.crt
  key_file: server.key
basic_auth_users:
  alice: $2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze
  bob: $2y$10$hLqFl9jSjoAAy95Z/zw8Ye8wkdMBM8c5Bn1ptYqP/AXyV0.oy0S8m
rate_limit:
  interval: "1s"
  burst: 20
"""


def loaded(web_config_path: Path, config: Any) -> LoadedWebConfig:
    write(web_config_path, config)
    found = load_web_config(str(web_config_path)).loaded
    assert found
    return found


def context(web_config_path: Path, tls: dict[str, Any]) -> ssl.SSLContext:
    made = loaded(web_config_path, {"tls_server_config": tls}).context
    assert made
    return made


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", "tls_server_config: {}", "basic_auth_users:\nrate_limit:\n"])
def test_a_file_that_says_nothing_changes_nothing(web_config_path: Path, text: str) -> None:
    web_config_path.write_text(text)
    reading = load_web_config(str(web_config_path))
    assert reading.loaded == LoadedWebConfig(config=WebConfig(), context=None)
    assert reading.summary == "no TLS, 0 users"


def test_the_sample_of_the_exporter_toolkit(certificates: Certificates, web_config_path: Path) -> None:
    web_config_path.write_text(_SAMPLE)
    reading = load_web_config(str(web_config_path))
    assert reading.summary == "TLS, 2 users"
    assert reading.loaded
    config = reading.loaded.config
    assert config.tls_server_config.cert_file == certificates.directory / "server.crt"
    assert sorted(config.basic_auth_users) == ["alice", "bob"]
    assert (config.rate_limit.interval, config.rate_limit.burst) == (1.0, 20)


def test_no_secret_is_shown(certificates: Certificates, web_config_path: Path) -> None:
    key = (certificates.directory / "server.key").read_text()
    tls = {"cert_file": "server.crt", "key": key}
    found = loaded(web_config_path, {"tls_server_config": tls, "basic_auth_users": {"alice": HASH}})
    shown = f"{found!r} {found}"
    assert HASH not in shown
    assert key.splitlines()[1] not in shown
    assert shown.count("<secret>") == 4


def test_certificate_key_and_authorities_may_stand_in_the_file(
    certificates: Certificates, web_config_path: Path
) -> None:
    texts = {
        name: (certificates.directory / file).read_text()
        for name, file in (("cert", "server.crt"), ("key", "server.key"), ("client_ca", "ca.pem"))
    }
    made = context(web_config_path, {**texts, "client_auth_type": "RequireAndVerifyClientCert"})
    assert made.cert_store_stats()["x509_ca"] == 1


@pytest.mark.usefixtures("certificates")
def test_versions(web_config_path: Path) -> None:
    made = context(web_config_path, PAIR)
    assert (made.minimum_version, made.maximum_version) == (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    assert made.options & ssl.OP_NO_RENEGOTIATION, "each costs the server more than the client"
    assert context(web_config_path, {**PAIR, "min_version": "TLS13"}).minimum_version == ssl.TLSVersion.TLSv1_3
    assert context(web_config_path, {**PAIR, "max_version": "TLS12"}).maximum_version == ssl.TLSVersion.TLSv1_2


def old_ciphers(made: ssl.SSLContext) -> list[str]:
    return [cipher["name"] for cipher in made.get_ciphers() if cipher["protocol"] != "TLSv1.3"]


@pytest.mark.usefixtures("certificates")
def test_every_cipher_suite_of_go_has_its_name_in_openssl(web_config_path: Path) -> None:
    for go, name in web_config_values.CIPHERS.items():
        made = context(web_config_path, {**PAIR, "cipher_suites": [go]})
        if name:
            assert old_ciphers(made) == [name]
        else:
            assert made.minimum_version == ssl.TLSVersion.TLSv1_3


@pytest.mark.usefixtures("certificates")
def test_cipher_suites_keep_their_order(web_config_path: Path) -> None:
    suites = [
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    ]
    made = context(web_config_path, {**PAIR, "cipher_suites": suites})
    assert old_ciphers(made) == ["ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256"]
    assert made.minimum_version == ssl.TLSVersion.TLSv1_2
    assert made.options & ssl.OP_CIPHER_SERVER_PREFERENCE
    made = context(web_config_path, {**PAIR, "prefer_server_cipher_suites": False})
    assert not made.options & ssl.OP_CIPHER_SERVER_PREFERENCE


def test_a_cipher_suite_that_this_openssl_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(web_config_values.CIPHERS, "TLS_X", "NO-SUCH-SUITE")
    with pytest.raises(ValueError, match=r"^cannot be honoured: OpenSSL .* has no NO-SUCH-SUITE$"):
        web_config_values.parse_cipher("TLS_X")


def test_a_curve_that_this_openssl_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(web_config_values.CURVES, "CurveX", "nosuchcurve")
    with pytest.raises(ValueError, match=r"^cannot be honoured: Python [\d.]+ with OpenSSL .* has no nosuchcurve$"):
        web_config_values.parse_curve("CurveX")


@pytest.mark.parametrize("curve", web_config_values.CURVES)
@pytest.mark.usefixtures("certificates")
def test_each_curve_can_be_used_that_this_python_can_name(web_config_path: Path, curve: str) -> None:
    config = {**PAIR, "curve_preferences": [curve]}
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ecdh_curve(web_config_values.CURVES[curve])
    except ssl.SSLError:
        assert curve == "X25519"
        with pytest.raises(ConfigError, match=r"cannot be honoured: Python 3\.11"):
            context(web_config_path, config)
    else:
        context(web_config_path, config)


@pytest.mark.usefixtures("certificates")
def test_client_policies(web_config_path: Path) -> None:
    assert context(web_config_path, PAIR).verify_mode == ssl.CERT_NONE
    assert context(web_config_path, {**PAIR, "client_auth_type": "NoClientCert"}).verify_mode == ssl.CERT_NONE
    optional = context(web_config_path, {**MUTUAL, "client_auth_type": "VerifyClientCertIfGiven"})
    assert optional.verify_mode == ssl.CERT_OPTIONAL
    assert context(web_config_path, MUTUAL).verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    "text,seconds",
    [
        *(("1s", 1.0), ("1m30s", 90.0), ("1.5s", 1.5), (".5s", 0.5), ("250ms", 0.25), ("1h", 3600.0), ("100us", 1e-4)),
        ("2562047h47m16.8s", 9223372036.8),  # nearly the longest of Go's
    ],
)
def test_intervals_are_written_as_go_writes_them(web_config_path: Path, text: str, seconds: float) -> None:
    rate = loaded(web_config_path, {"rate_limit": {"interval": text, "burst": 1}}).config.rate_limit
    assert rate.interval == pytest.approx(seconds)


@pytest.mark.parametrize("interval", [0, "0", "0s"])
def test_an_interval_of_0_is_no_limit(web_config_path: Path, interval: object) -> None:
    assert loaded(web_config_path, {"rate_limit": {"interval": interval, "burst": 0}}).config.rate_limit.interval == 0


def test_a_header_that_is_blank_is_not_set(web_config_path: Path) -> None:
    given = {"Content-Security-Policy": "", "X-XSS-Protection": "0", "X-Content-Type-Options": "nosniff"}
    headers = loaded(
        web_config_path, {"http_server_config": {"http2": False, "headers": given}}
    ).config.http_server_config.headers
    assert headers.by_name() == {"X-XSS-Protection": "0", "X-Content-Type-Options": "nosniff"}


def test_files_need_not_be_there_where_that_is_said() -> None:
    reading = parse_web_config(_SAMPLE, file="web.yml", place=Place(check_files=False))
    assert reading.loaded
    assert reading.loaded.context is None
