"""Bodies that Oxidized, a proxy before it, or something else in its place may send."""

from __future__ import annotations

import html
import struct
import zlib
from functools import lru_cache

_ROW = (
    b'{"name":"sw-huge","full_name":"dc1/sw-huge","ip":"192.0.2.1","group":"dc1","model":"IOS","last":null,'
    b'"vars":{},"mtime":"unknown","status":"never","time":"never"}'
)

BLOCK = (_ROW + b",") * (1024 * 1024 // len(_ROW))
"""About 1 MiB of rows, each followed by a comma: `LIST_START`, blocks and `LIST_END` make a valid list."""
LIST_START = b"["
LIST_END = _ROW + b"]"

NOT_JSON = b"The node list is being loaded, please try again later.\n"
INVALID_UTF8 = LIST_START + _ROW.replace(b"sw-huge", b"sw-\xff\xfe") + b"]"
WRONG_SHAPE = b'{"nodes":[' + LIST_END + b"}"
NO_READABLE_ROW = b'[null,true,17,"sw-01",[],{},{"ip":"192.0.2.1","last":"yesterday"}]'
LOGIN_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form method=post></form></body></html>\n"
)
DEEP_JSON = b"[" * 1_000_000 + b"]" * 1_000_000  # Python 3.14 stops where the stack of 8 MiB ends: at 260,000

_FRAMES = 650


def not_found_page(path: str) -> bytes:
    """Build the page for an unknown path: like Sinatra's it repeats the path."""
    return (
        "<!DOCTYPE html>\n<html>\n<head><title>Not found</title></head>\n"
        f"<body>\n<h2>No page is known by this name.</h2>\n<pre>get '{html.escape(path)}'</pre>\n</body>\n</html>\n"
    ).encode()


def proxy_page(status: int, reason: str) -> bytes:
    """Build the short page of a reverse proxy."""
    title = f"{status} {reason}"
    return f"<html>\n<head><title>{title}</title></head>\n<body><h1>{title}</h1></body>\n</html>\n".encode()


@lru_cache(maxsize=1)
def error_page() -> bytes:
    """Build a development error page of about 150 kB, the size of Sinatra's as recorded."""
    frames = "".join(
        f'<li class="frame"><code>/usr/lib/ruby/gems/oxidized/lib/frame_{number:04d}.rb</code>: '
        f'<strong>{number}</strong><pre class="context">  node = nodes.find {{ |candidate| candidate.name == name }}\n'
        f"  raise NodeNotFound, name unless node</pre></li>\n"
        for number in range(_FRAMES)
    )
    return (
        "<!DOCTYPE html>\n<html>\n<head><title>NoMethodError</title></head>\n<body>\n<ul>\n"
        f"{frames}</ul>\n</body>\n</html>\n"
    ).encode()


def blocks_for(size: int) -> int:
    """Count the blocks that make a list of at least `size` bytes."""
    return -(-size // len(BLOCK))


@lru_cache(maxsize=4)
def gzip_bomb(size: int) -> bytes:
    """Build a small gzip body that unpacks to a valid node list of at least `size` bytes.

    A full flush ends each block on a byte and forgets what came before, so one compressed block can be repeated:
    the list itself is never in memory, and only its checksum is computed.
    """
    packer = zlib.compressobj(level=9, wbits=-zlib.MAX_WBITS)
    start = packer.compress(LIST_START) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(BLOCK) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.compress(LIST_END) + packer.flush(zlib.Z_FINISH)
    repeats = blocks_for(size)
    checksum = zlib.crc32(LIST_START)
    for _ in range(repeats):
        checksum = zlib.crc32(BLOCK, checksum)
    checksum = zlib.crc32(LIST_END, checksum)
    length = len(LIST_START) + repeats * len(BLOCK) + len(LIST_END)
    header = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    return header + start + block * repeats + end + struct.pack("<II", checksum, length & 0xFFFFFFFF)
