"""How Oxidized's web server reads a path. What a client meant by it does not count."""

from __future__ import annotations

import re
from urllib.parse import unquote

_ENDS_IN_DOTS = re.compile(r"/\.{0,2}\Z")


def rack_path(raw_path: str) -> str:
    """Return the path that is routed for a raw request target: what a request really reaches.

    The query is cut off, percent-escapes are decoded once, backslashes become slashes, empty and `.` segments
    vanish, and `..` takes back the segment before it. `/node/fetch/g/..%2F..%2Fnext%2Fsw1` gives `/node/next/sw1`.
    The way back never leaves the root. With Oxidized under a path prefix, that is cut off first:
    `rack_path(raw.removeprefix("/oxidized"))`.

    Bytes that are not UTF-8 become lone surrogates, as `surrogateescape` has them.
    """
    decoded = unquote(raw_path.partition("?")[0], errors="surrogateescape").replace("\\", "/")
    segments: list[str] = []
    for segment in decoded.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in {"", "."}:
            segments.append(segment)
    slash = "/" if segments and _ENDS_IN_DOTS.search(decoded) else ""
    return f"/{'/'.join(segments)}{slash}"


def split_format(last_segment: str) -> tuple[str, bool]:
    """Split a path's last segment into a device name and whether JSON is asked for.

    Oxidized takes it apart at its dots, so dots at the end of a name are lost too.
    """
    parts = last_segment.rstrip(".").split(".")
    as_json = parts[-1] == "json"
    return ".".join(parts[:-1] if as_json else parts), as_json
