"""The URLs of a configuration: those of targets, and of proxies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxidized_exporter.errors import BadParameterError, ForbiddenTargetError
from oxidized_exporter.targets.url import parse_target

if TYPE_CHECKING:
    from oxidized_exporter.targets.url import Target


def parse_target_url(text: str, *, instead: str = "write basic_auth in a connection") -> Target:
    """Read the URL of a configured target.

    Args:
        text: of the URL.
        instead: what to do in place of user information in it.

    Raises:
        ValueError: it is not absolute, or holds what a target may not hold. The message does not repeat it.
    """
    return _absolute(text, form="http[s]://host[:port][/prefix]", instead=instead)


def parse_proxy_url(text: str) -> str:
    """Return the URL of a proxy.

    Raises:
        ValueError: it is not ``http[s]://host[:port]``. The message does not repeat it.
    """
    form = "http[s]://host[:port]"
    target = _absolute(text, form=form, instead="a proxy that wants credentials is not supported")
    if target.prefix:
        raise ValueError(f"may not have a path: {form}")
    return target.origin


def _absolute(text: str, *, form: str, instead: str) -> Target:
    scheme, separator, rest = text.partition("://")
    if not separator or not scheme.isalpha():
        raise ValueError(f"must be absolute: {form}")
    if "@" in rest.partition("/")[0]:
        raise ValueError(f"may not hold user information (…@); {instead}")
    try:
        return parse_target(text)
    except (BadParameterError, ForbiddenTargetError) as error:
        raise ValueError(str(error)) from None
