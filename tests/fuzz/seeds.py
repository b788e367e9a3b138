"""What each fuzzer begins with: recorded answers, the suite's files with faults, and words that mean something."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from oxidized_exporter.config.schema import json_schema
from oxidized_exporter.web.web_config_loader import json_schema as web_json_schema
from oxidized_exporter.web.web_config_values import CIPHERS, CURVES
from tests.rule_files import ROOT
from tests.web.certificates import HASH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_TESTS: Final = ROOT / "tests"
_RECORDINGS: Final = _TESTS / "recordings"
_WORD_BYTES: Final = 60  # libFuzzer takes no longer ones

_ODD_LISTS: Final = (
    b"[]",
    b'[{"name":"a","vars":{"enable":"hunter2secret"}}]',
    b'[{"name":"a","vars":{"a":[{"password":"hunter2"}]}},{"name":"b"}]',
    b'[{"name":1},{"name":true},{"name":1.5},{"name":null},7]',
    b'[{"name":"a","ip":"1"},{"name":"a","ip":"2"}]',
    rb'[{"name":"\ud800\"\\\u00e9\n"},{"name":"b","last":{"end":"2026-11-22T08:03:50.5+01:00","time":1e400}}]',
    '[{"name":"ä€😀","full_name":"g/ä€😀","group":"g","last":[]}]'.encode(),
)
_ROW: Final = b"<tr><td>%s</td><td>3</td><td>1</td><td epoch='1795335968'>x</td><td>2026-11-22 08:26:08 UTC</td></tr>"
_HEAD: Final = (
    b"<table id='statsTable'><tr><th>Name</th><th>Total Runs</th><th>Total Failures</th><th>Last Update</th>"
    b"<th>Last Failure</th></tr>"
)
_PAGES: Final = (
    _HEAD + _ROW % b"sw1" + b"</table><footer>Oxidized-web v.0.18.1, Oxidized v.0.34.3</footer>",
    _HEAD + _ROW % b"sw1" + _ROW % b"sw1" + _ROW % b"<!-- c -->sw2" + b"<tr><td>short</td></tr></table>",
    _HEAD + _ROW % b"a&amp;b&#xD800;<b>c" + b"</table>",
    _HEAD + _ROW % b"a" + b"<table>",
    b"sw1\nsw2\n<td>&amp;</td>",
)
_TARGETS: Final = (
    "http://oxidized.example.net:8888/a/b/\naccess\nsw-1",
    "https://Oxidized.example.net.\n\nsw-1.json",
    "10.0.0.1:8888\na/b\nx.",
    "http://[2001:db8::1]:80/%41-~$&\n..\n..%2fnext",
    "http://0x7f.1/node/nextx\nnode\nnext",
    "http://169.254.169.254/",
    "http://a:hunter2@b.example/",
    "http://*.example.net:*/x",
    "https://a/b%2f..%5c..?x#y",
    "10.20.0.0/16",
    "fd00:ec2::254",
    "64:ff9b::a00:1/128",
    "xn--bcher-kva.example:1/\nA B\né?",
)
_WEB_CONFIGS: Final = (
    b"tls_server_config: {cert_file: server.crt, key_file: server.key}\n",
    (
        b"tls_server_config: {cert: @server.crt@, key: @server.key@, client_ca_file: ca.pem, "
        b"client_auth_type: RequireAndVerifyClientCert, client_allowed_sans: [a]}\n"
    ),
    b"tls_server_config: {cert: @server.crt@, key: @other.key@}\n",
    (
        b"tls_server_config: {cert_file: server.crt, key_file: server.key, min_version: TLS13, max_version: TLS13,\n"
        b"  curve_preferences: [X25519], cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]}\n"
    ),
    b"basic_auth_users: {alice: " + HASH.encode() + b"}\nrate_limit: {interval: 1s, burst: 20}\n",
    b"http_server_config: {http2: false, headers: {X-Frame-Options: deny, X-XSS-Protection: '0'}}\n",
)
_CONFIGS: Final = (
    b"connections: [{targets: ['https://*.example.net'], basic_auth: {username: a, password: hunter2}}]\n",
    (
        b"connections:\n- targets: ['http://a.example.net']\n  authorization: {credentials: hunter2}\n"
        b"  http_headers: {X-Scope: {values: [hunter2], secrets: [hunter2]}}\n"
        b"  tls_config: {cert_file: server.crt, key_file: server.key, ca_file: ca.pem}\n"
    ),
    b"x: &x {timeout: 1m30s}\nmodules: {a: *x, b: {<<: *x, devices: none}}\n",
)


def seeds(name: str, *, longest: int) -> Iterator[bytes]:
    """Yield the inputs to begin with; what is too long is cut."""
    for seed in _SEEDS[name]():
        yield seed[:longest]


def words(name: str) -> list[str]:
    """Return what a fuzzer would not guess, as lines of a libFuzzer dictionary."""
    found = dict.fromkeys(word.encode() for word in _WORDS[name]())
    return [f'"{_escaped(word)}"' for word in found if 0 < len(word) <= _WORD_BYTES]


def _escaped(word: bytes) -> str:
    return "".join(chr(byte) if chr(byte).isalnum() and byte < 128 else f"\\x{byte:02x}" for byte in word)


def _nodes() -> Iterator[bytes]:
    yield from _ODD_LISTS
    for path in sorted(_RECORDINGS.glob("*/nodes.json")):
        rows = json.loads(path.read_bytes())
        yield path.read_bytes()
        for row in rows:
            yield json.dumps([row], separators=(",", ":")).encode()


def _stats() -> Iterator[bytes]:
    yield from _PAGES
    for path in sorted(_RECORDINGS.glob("*/nodes_stats.html")):
        yield path.read_bytes()
        yield re.sub(rb"\s+", b" ", path.read_bytes())


def _target() -> Iterator[bytes]:
    for text in _TARGETS:
        yield text.encode()


def _config() -> Iterator[bytes]:
    yield from _CONFIGS
    for path in sorted((_TESTS / "config" / "bad").glob("*.yml")):
        yield path.read_bytes()
    example = re.sub(r" *#.*", "", (ROOT / "config.example.yml").read_text())
    for section in re.split(r"\n(?=[a-z])", example):
        yield section.encode()


def _web_config() -> Iterator[bytes]:
    yield from _WEB_CONFIGS
    for path in sorted((_TESTS / "web" / "bad_web_config").glob("*.yml")):
        yield path.read_bytes()


def _keys(schema: Mapping[str, object]) -> Iterator[str]:
    """Yield every key and every word of a JSON Schema's file."""
    for match in re.finditer(r'"([A-Za-z0-9_:/.*-]+)"', json.dumps(schema)):
        yield match[1]


_YAML: Final = (
    "&a ",
    "*a",
    "<<: *a",
    "!!str ",
    "? ",
    "|-\n  ",
    ">\n",
    "%YAML 1.1\n",
    "---\n",
    "...\n",
    '"\\ud800"',
    "0x",
    "1:0",
)
_SEEDS: Final[Mapping[str, Callable[[], Iterable[bytes]]]] = {
    "nodes": _nodes,
    "stats": _stats,
    "target": _target,
    "config": _config,
    "web_config": _web_config,
}
_WORDS: Final[Mapping[str, Callable[[], Iterable[str]]]] = {
    "nodes": lambda: (
        *(f'"{key}":' for key in ("name", "full_name", "group", "model", "ip", "last", "vars", "mtime", "status")),
        *(f'"{key}":' for key in ("start", "end", "time", "enable", "password", "token")),
        *("success", "never", "no_connection", "2026-11-22 08:03:50 UTC", "2026-11-22T08:03:50.5+01:00", "hunter2"),
        *('"\\ud800"', "\\udc00", "\\u0000", "1e999", "null", "true", "[{", "}]", "},{", "[[[[[[[[", "\ufeff", "-0.0"),
    ),
    "stats": lambda: (
        *("<table id='statsTable'>", "</table>", "<tr>", "</tr>", "<td>", "</td>", "<th>", "</th>", "<!--", "-->"),
        *("Name", "Total Runs", "Total Failures", "Last Update", "Last Failure", " epoch='", "never", "hunter2"),
        *("<b>", "<p>", "<script>", "<template>", "<svg>", "<![CDATA[", "&#0;", "&#xD800;", "&amp;", "colspan=2"),
        *("2026-11-22 08:26:08 UTC", "Oxidized v.0.34.3", "Oxidized-web v.0.18.1", "<textarea>", "<plaintext>"),
    ),
    "target": lambda: (
        *("http://", "https://", "HTTP://", "%2e", "%2f", "%5c", "%25", "..", "/../", "/./", "//", "@", "hunter2@"),
        *("node", "next", "/node/next", "%6eext", "node/fetch", ".json", "json", ":80", ":443", ":65535", "[::1]"),
        *("127.0.0.1", "0x7f", "0177", "2130706433", "169.254.169.254", "[::ffff:10.0.0.1]", "64:ff9b::", "%25eth0"),
        *("xn--", "\uff0e", "\u2024", "\u2044", "*.", ":*", "/32", "/128", "\n", "2002:", "2001:0:", ":5efe:"),
    ),
    "config": lambda: (
        *_keys(json_schema()),
        *_YAML,
        *("hunter2", "server.crt", "server.key", "other.key", "ca.pem", "encrypted.key", "pipe", "folder"),
        *(
            "http://a.example.net:8888",
            "https://*.example.net:*",
            "10.0.0.0/8",
            "::ffff:0:0/96",
            "1m30s",
            "(?i)",
            "\\z",
        ),
    ),
    "web_config": lambda: (
        *_keys(web_json_schema()),
        *_YAML,
        *CIPHERS,
        *CURVES,
        *("hunter2", "server.crt", "server.key", "other.key", "ca.pem", "encrypted.key", "pipe", "folder", "short.crt"),
        *("TLS12", "TLS13", "NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert", "short.key"),
        *("@server.crt@", "@server.key@", "@other.key@", HASH, "$2y$10$", "1s", "1.5h", "250ms", "1µs"),
    ),
}
