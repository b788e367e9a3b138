"""What a changed web configuration would open: that takes a restart, for an emptied or cut file says the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxidized_exporter.errors import Fault
from oxidized_exporter.web.web_config_values import REQUIRE_AND_VERIFY

if TYPE_CHECKING:
    from oxidized_exporter.web.web_config import WebConfig


def opened(before: WebConfig, after: WebConfig, *, file: str) -> tuple[Fault, ...]:
    """Return a fault for each protection that ``before`` has and ``after`` has not.

    A file that is being written is empty for a moment, and is a whole web configuration then: of an open port. Cut
    behind one of its sections it is one, too.

    Args:
        before: what is in force.
        after: what would take its place.
        file: what it is called in faults.
    """
    tls_before, tls_after = before.tls_server_config, after.tls_server_config
    required = tls_before.client_auth_type == REQUIRE_AND_VERIFY != tls_after.client_auth_type
    named = tls_before.client_allowed_sans is not None and tls_after.client_allowed_sans is None
    messages = {}
    if tls_before.serves_tls and not tls_after.serves_tls:
        messages["tls_server_config"] = "a port with TLS does not go to plain"
    elif required:
        messages["tls_server_config.client_auth_type"] = (
            "a port that requires certificates of its clients does not go on without"
        )
    elif named:
        messages["tls_server_config.client_allowed_sans"] = "a port for certain clients does not open to all others"
    if before.basic_auth_users and not after.basic_auth_users:
        messages["basic_auth_users"] = "a port with users does not go on without"
    return tuple(
        Fault(file=file, line=None, key_path=key, message=f"needs a restart: {why} while the exporter runs")
        for key, why in messages.items()
    )
