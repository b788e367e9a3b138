"""Each check notices what it is there for: the code is broken on purpose, and an input that is sound shows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pytest

from oxidized_exporter.errors import BadParameterError, Fault
from oxidized_exporter.oxidized import decode, nodes, stats
from oxidized_exporter.oxidized.models import Row
from oxidized_exporter.targets import url
from tests.fuzz.exposition import is_sampled
from tests.fuzz.files import names_files_elsewhere
from tests.fuzz.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable

_LIST: Final = b'[{"name":"a","full_name":"g/a","ip":"1","vars":{"enable":"hunter2"}},{"name":"b"}]'
_PAGE: Final = (
    b"<table id=statsTable><tr><th>Name<th>Total Runs<th>Total Failures<th>Last Update<th>Last Failure"
    b"<tr><td>a<td>1<td>1<td>never<td>never</table>"
)
_WEB: Final = b"basic_auth_users: {alice: hunter2}\n"
_CHECKS: Final = {name: target.check() for name, target in TARGETS.items()}  # loaded before anything is broken


def breaks(name: str, data: bytes, message: str) -> None:
    with pytest.raises(AssertionError, match=re.escape(message)):
        _CHECKS[name](data)


def after(wrapped: Callable[..., Any], change: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a function that changes what another one returns."""
    return lambda *args, **kwargs: change(wrapped(*args, **kwargs))


def test_a_row_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "_without_duplicates", lambda devices, **_: devices[:1])
    monkeypatch.setattr(nodes, "len", lambda _: 0, raising=False)
    breaks("nodes", _LIST, "a row is lost or made up")


def test_an_exception_of_another_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "_SPLIT", None)
    with pytest.raises(AttributeError):
        TARGETS["nodes"].check()(b'[{"name":1}]')


def test_a_secret_that_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "_exposes_secrets", lambda _: False)
    breaks("nodes", _LIST, "secrets are shown and not told of")


def test_a_list_whose_order_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "_precedence", lambda _: 0)
    breaks("nodes", b'[{"name":"a","ip":"1"},{"name":"a","ip":"2"}]', "the order of the list means something")


def test_what_is_read_row_by_row_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "_read_last", lambda _: None)
    breaks("nodes", b'[{"name":"a","last":{"status":"fail"}}]', "one odd row changes others")


def test_half_of_json_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "_ESCAPES", re.compile(rb"(\\u[dD][89a-fA-F]..)"))
    breaks("nodes", rb'[{"name":"\ud80("}]', "what is no JSON is taken")


def sampled(data: bytes) -> bytes:
    """Make an input one of those of which the exposition is read back."""
    return next(padded for spaces in range(1000) if is_sampled(padded := data + b" " * spaces))


def test_a_variable_in_a_label(monkeypatch: pytest.MonkeyPatch) -> None:
    def show(found: Any) -> Any:
        return found._replace(rows=[Row(name=row.name, ip="hunter2", vars=row.vars) for row in found.rows])

    monkeypatch.setattr(nodes, "decode_rows", after(decode.decode_rows, show))
    breaks("nodes", sampled(_LIST), "a variable is shown")


def test_a_label_that_is_not_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oxidized_exporter.metrics.encoder._escape", lambda text: text)
    with pytest.raises((AssertionError, ValueError, IndexError)):
        TARGETS["nodes"].check()(sampled(rb'[{"name":"a\"}\n#"}]'))


def test_a_column_that_is_mistaken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "_HEADERS", ("name", "total failures", "total runs", "last update", "last failure"))
    breaks("stats", _PAGE, "what was written is not what is read")


def test_a_piece_of_a_page_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "_pieces", lambda body, begin: iter([(begin, min(len(body), begin + 32768))]))
    many = b"\n".join(b"sw%d" % number for number in range(2000))
    breaks(
        "stats", next(padded for n in range(1000) if is_sampled((padded := many + b"\n" * n)[1:])), "what was written"
    )


def test_a_page_that_was_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "_pieces", lambda body, begin: iter([(begin, len(body))]))
    breaks("stats", _PAGE, "a table that was cut is taken")


def test_rows_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "TooLargeError", StopIteration)
    with pytest.raises(StopIteration):
        TARGETS["stats"].check()(_PAGE.replace(b"</table>", b"<tr><td>b" * 3 + b"</table>"))


@pytest.mark.parametrize(
    "text,message",
    [
        ("http://a/..%2fb", "it leads elsewhere"),
        ("http://a/%2e%2e", "it leads elsewhere"),
        ("http://a/b%252e", "it leads elsewhere by way of a proxy"),
        ("http://a/node/next", "it is no read"),
    ],
)
def test_a_path_that_leads_elsewhere(text: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(url, "_checked_prefix", lambda path: path)
    breaks("target", text.encode(), message.partition(" by")[0])


def test_an_address_that_passes_for_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(url, "parse_ipv4_host", lambda _: None)
    breaks("target", b"http://0x7f.1", "the system takes a name for an address")


def test_an_address_that_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(url, "forbidden", lambda _: None)
    breaks("target", b"http://169.254.169.254", "an address that is never asked is accepted")


def test_a_device_that_leads_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oxidized_exporter.oxidized.configuration._DOTS", re.compile("never"))
    breaks("target", b"http://a.b\n..\nnext", "Oxidized reads another path")


def test_a_message_that_repeats_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    def repeat(path: str) -> str:
        raise BadParameterError(f"is no path: {path}")

    monkeypatch.setattr(url, "_checked_prefix", repeat)
    breaks("target", b"http://a.b/hunter2", "a message repeats")


def test_a_configuration_s_secret_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oxidized_exporter.config.loader.is_connection_key", lambda _: True)
    breaks("config", b"connections: [{basic_auth: {hunter2: x}}]", "a secret is shown")


def test_a_configuration_s_secret_that_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oxidized_exporter.config.secret.HIDDEN", "hunter2")
    breaks("config", b"connections: [{targets: ['https://a'], basic_auth: {username: u, password: x}}]", "is shown")


@pytest.mark.parametrize("name,data", [("config", b"x: 1\n"), ("web_config", _WEB)])
def test_a_fault_without_its_line(name: str, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oxidized_exporter.config.document.Document.line", lambda *_: 99)
    breaks(name, data, "a fault has a line that is not there")


def test_a_hash_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def tell(fault: Fault) -> str:
        return f"{fault.file}: {fault.message}: hunter2"

    monkeypatch.setattr(Fault, "__str__", tell)
    breaks("web_config", _WEB, "a secret is shown")


def test_an_interval_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oxidized_exporter.web.web_config_values._MOST_SECONDS", float("inf"))
    breaks("web_config", b"rate_limit: {interval: " + b"9" * 400 + b"h, burst: 1}", "an interval has no end")


def test_a_protection_that_an_empty_file_takes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    check = TARGETS["web_config"].check()
    monkeypatch.setattr("tests.fuzz.web_config.opened", lambda *_, **__: ())
    with pytest.raises(AssertionError):
        check(b"tls_server_config: {cert_file: server.crt, key_file: server.key}")


@pytest.mark.parametrize(
    "data",
    [
        b"ca_file: /etc/passwd",
        b"{ca_file:/etc/passwd}",
        b'{"ca_file":"/dev/tty"}',
        b'{"ca_file"://etc/passwd}',
        b"a: ../b",
        rb'"\x2fdev"',
        b"/dev/tty",
        b"- >\n  /dev/tty",
    ],
)
def test_files_of_the_machine_are_left_alone(data: bytes) -> None:
    assert names_files_elsewhere(data)


@pytest.mark.parametrize("data", [b"targets: ['https://*.a.b/c/d', http://a]", b"ca_file: folder/x", b"10.0.0.0/8"])
def test_what_names_no_file_is_not_taken_for_one(data: bytes) -> None:
    assert not names_files_elsewhere(data)
