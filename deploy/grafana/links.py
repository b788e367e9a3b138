"""Where panels lead to: runbooks, and this dashboard with another choice."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

UID: Final = "oxidized-exporter"
RUNBOOKS: Final = "https://github.com/oxidized-exporter/oxidized_exporter/blob/main/docs/runbooks"

_CHOSEN: Final = "${datasource:queryparam}&${__url_time_range}"


def runbook(alert: str) -> DashboardLink:
    """Link to what to do when an alert fires; shown in the panel's corner."""
    return external(f"Runbook: {alert}", f"{RUNBOOKS}/{alert}.md")


def runbook_of_value() -> DashboardLink:
    """Link to the runbook of the alert that a cell names."""
    return external("Runbook", f"{RUNBOOKS}/${{__value.text}}.md")


def choose(variable: str, *, keep: tuple[str, ...] = ()) -> DashboardLink:
    """Link to this dashboard with what a cell says as the choice.

    Args:
        variable: which is set.
        keep: those that stay as they are; the others go back to their defaults.
    """
    kept = "".join(f"&${{{name}:queryparam}}" for name in keep)
    url = f"/d/{UID}?{_CHOSEN}{kept}&var-{variable}=${{__value.text:percentencode}}"
    return _link(f"Show this {variable}", url)


def external(title: str, url: str) -> DashboardLink:
    """Link to elsewhere, in a tab of its own."""
    return _link(title, url).target_blank(True)  # noqa: FBT003 - the SDK's signature


def _link(title: str, url: str) -> DashboardLink:
    return DashboardLink(title).type(DashboardLinkType.LINK).url(url)
