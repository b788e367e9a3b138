"""The kinds of panels that the dashboard has, each with what all of its kind have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    prometheus,
    stat,
    statetimeline,
    timeseries,
)
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BarGaugeNamePlacement,
    BarGaugeValueMode,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
)

from deploy.grafana.parts import GREEN, LETTERS, NO_COLOUR, RED, About, Steps, head, mappings, target, thresholds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from deploy.grafana.queries import Query

# A builder; the SDK has no type that all of them share.
_Panel = TypeVar("_Panel")


def number(
    about: About,
    *queries: Query,
    unit: str = "short",
    steps: Steps = NO_COLOUR,
    words: Mapping[str, tuple[str, str]] | None = None,
    names: bool = False,
) -> stat.Panel:
    """Return a panel of a present value in large figures, or of one for each query.

    Args:
        about: the panel.
        queries: asked for the present alone.
        unit: as Grafana names it.
        steps: its colours.
        words: what is said for a value, and its colour.
        names: show what the series of the one query are called, in place of its values; several always show both.
    """
    text = BigValueTextMode.NAME if names else BigValueTextMode.VALUE
    return (
        _common(stat.Panel(), about, queries, _instant)
        .unit(unit)
        .no_value("-")
        .thresholds(thresholds(steps))
        .mappings(mappings(words))
        .reduce_options(_last())
        .color_mode(BigValueColorMode.BACKGROUND_SOLID if steps != NO_COLOUR or words else BigValueColorMode.NONE)
        .graph_mode(BigValueGraphMode.NONE)
        .text_mode(BigValueTextMode.VALUE_AND_NAME if len(queries) > 1 else text)
    )


def bars(
    about: About, *queries: Query, unit: str = "short", colours: Mapping[str, str] | None = None
) -> bargauge.Panel:
    """Return a panel of present values as bars side by side.

    Args:
        about: the panel.
        queries: asked for the present alone.
        unit: as Grafana names it.
        colours: of bars, by name; the others are blue.
    """
    panel = (
        _common(bargauge.Panel(), about, queries, _instant)
        .unit(unit)
        .min(0)
        .thresholds(thresholds(NO_COLOUR))
        .reduce_options(_last())
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.BASIC)
        .name_placement(BarGaugeNamePlacement.LEFT)
        .value_mode(BarGaugeValueMode.TEXT)
    )
    return _coloured(panel, colours)


def graph(
    about: About,
    *queries: Query,
    unit: str = "short",
    stacked: bool = False,
    share: bool = False,
    limit: float | None = None,
    colours: Mapping[str, str] | None = None,
) -> timeseries.Panel:
    """Return a panel of values over time.

    Args:
        about: the panel.
        queries: asked over the dashboard's time range.
        unit: as Grafana names it.
        stacked: the series add up.
        share: the values lie between 0 and 1.
        limit: where a line is drawn.
        colours: of series, by name.
    """
    panel = (
        _common(timeseries.Panel(), about, queries, _ranged)
        .unit("percentunit" if share else unit)
        .min(0)
        .show_points(VisibilityMode.NEVER)
        .line_width(1)
        .fill_opacity(60 if stacked else 10)
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)  # noqa: FBT003 - the SDK's signature
        )
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    )
    if share:
        panel.max(1)
    if stacked:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    if limit is not None:
        panel.thresholds(thresholds(((None, GREEN), (limit, RED))))
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))
    return _coloured(panel, colours)


def states(about: About, *queries: Query, words: Mapping[str, tuple[str, str]]) -> statetimeline.Panel:
    """Return a panel of which state there was when, in words."""
    return (
        _common(statetimeline.Panel(), about, queries, _ranged)
        .mappings(mappings(words))
        .show_value(VisibilityMode.AUTO)
        .merge_values(True)  # noqa: FBT003 - the SDK's signature
        .row_height(0.8)
    )


def _common(
    panel: _Panel, about: About, queries: Sequence[Query], ask: Callable[[Query, str], prometheus.Dataquery]
) -> _Panel:
    head(panel, about)
    builder: Any = panel
    for letter, query in zip(LETTERS, queries, strict=False):
        builder.with_target(ask(query, letter))
    return panel


def _instant(query: Query, letter: str) -> prometheus.Dataquery:
    return target(query.expr, letter).legend_format(query.legend).instant()


def _ranged(query: Query, letter: str) -> prometheus.Dataquery:
    return target(query.expr, letter).legend_format(query.legend).range()


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"])


def _coloured(panel: _Panel, colours: Mapping[str, str] | None) -> _Panel:
    builder: Any = panel
    for name, colour in (colours or {}).items():
        fixed = {"mode": FieldColorModeId.FIXED, "fixedColor": colour}
        builder.override_by_name(name, [DynamicConfigValue(id_val="color", value=fixed)])
    return panel
