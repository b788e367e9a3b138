"""Where a redirect may lead: to the same route of the same origin, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oxidized_exporter.errors import BadParameterError, ForbiddenTargetError, RedirectError, TargetDeniedError
from oxidized_exporter.targets.url import Target, parse_target

if TYPE_CHECKING:
    from collections.abc import Callable

STATUSES: Final = frozenset({301, 302, 303, 307, 308})
MOST: Final = 5


def redirected(location: str | None, *, origin: Target, path: str, permits: Callable[[Target], bool]) -> Target:
    """Return the target under which ``path`` is to be asked instead.

    The location is judged on its raw text, as a target is. A reference that is relative to the present path is not
    followed: resolving it would hide dot segments.

    Args:
        location: value of the header, or None where it is missing.
        origin: who sent it.
        path: of the route that was asked, below the target's prefix.
        permits: whether the new target may be asked with the same credentials; raises ForbiddenTargetError where it
            may not be asked at all.

    Raises:
        RedirectError: it leads elsewhere. The message does not repeat it, since it may hold a token.
        TargetDeniedError: it leads to an address that is never asked, or to what the configuration refuses.
    """
    if location is None:
        raise RedirectError("the redirect has no Location")
    text = origin.origin + location if location.startswith("/") and not location.startswith("//") else location
    if "://" not in text:
        raise RedirectError("the redirect is relative, and not followed")
    if not text.endswith(path):
        raise RedirectError("the redirect leads to another route, and is not followed")
    try:
        target = parse_target(text.removesuffix(path))
    except ForbiddenTargetError as error:
        raise TargetDeniedError(f"the redirect leads to what {error}") from None
    except BadParameterError as error:
        raise RedirectError(f"the redirect leads to a URL that {error}") from None
    if target.origin != origin.origin:
        raise RedirectError("the redirect leads to another origin, and is not followed")
    try:
        permitted = permits(target)
    except ForbiddenTargetError as error:
        raise TargetDeniedError(f"the redirect leads to what {error}") from None
    if not permitted:
        raise RedirectError("the redirect leads to what may not be asked with these credentials")
    return target
