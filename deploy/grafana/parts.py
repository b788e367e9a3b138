"""What panels of every kind are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from grafana_foundation_sdk.builders import dashboard, prometheus
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import (
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

from deploy.grafana.links import runbook

if TYPE_CHECKING:
    from collections.abc import Mapping

LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What Grafana calls the queries of a panel."""

DATASOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")

GREEN: Final = "green"
YELLOW: Final = "yellow"
ORANGE: Final = "orange"
RED: Final = "red"
BLUE: Final = "blue"
GREY: Final = "#8e8e8e"

Steps = tuple[tuple[float | None, str], ...]
"""From which value on there is which colour; the first is None, for all below."""

NONE_IS_GOOD: Final[Steps] = ((None, GREEN), (1, RED))
NO_COLOUR: Final[Steps] = ((None, BLUE),)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What every panel has.

    Attributes:
        title: of the panel.
        text: what it shows, for whoever points at its title.
        width: of 24.
        height: in Grafana's rows.
        runbooks: names of alerts whose runbooks it links to.
    """

    title: str
    text: str
    width: int
    height: int
    runbooks: tuple[str, ...] = ()


def head(panel: Any, about: About) -> None:
    """Give a builder of any kind what every panel has."""
    panel.title(about.title).description(about.text).span(about.width).height(about.height).datasource(DATASOURCE)
    if about.runbooks:
        panel.links([runbook(alert) for alert in about.runbooks])


def target(expr: str, letter: str) -> prometheus.Dataquery:
    """Return a query, of whose form the caller decides."""
    return prometheus.Dataquery().datasource(DATASOURCE).expr(expr).ref_id(letter)


def thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    """Return steps of colours as Grafana has them."""
    made = [Threshold(value=value, color=colour) for value, colour in steps]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(made)


def mappings(words: Mapping[str, tuple[str, str]] | None) -> list[ValueMapping]:
    """Return what is said for values, as Grafana has it."""
    if words is None:
        return []
    said = {
        value: ValueMappingResult(text=text, color=colour, index=place)
        for place, (value, (text, colour)) in enumerate(words.items())
    }
    return [ValueMap(options=said)]
