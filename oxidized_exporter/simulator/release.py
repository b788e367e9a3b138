"""What differs between the releases whose answers were recorded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release of Oxidized with the web part that came with it.

    Attributes:
        oxidized: its version.
        web: the version of oxidized-web.
        quote: the quotation mark around HTML attributes.
        epochs: the times of the statistics page carry Unix seconds in an attribute.
        names_unknown: a fetch of an unknown name is answered with a message, not with an error page.
    """

    oxidized: str
    web: str
    quote: str
    epochs: bool
    names_unknown: bool


RELEASE_0_30 = Release(oxidized="0.30.1", web="0.14.0", quote="'", epochs=False, names_unknown=False)
RELEASE_0_34 = Release(oxidized="0.34.3", web="0.18.1", quote="'", epochs=True, names_unknown=True)
RELEASE_0_37 = Release(oxidized="0.37.0", web="0.19-dev", quote='"', epochs=True, names_unknown=True)
