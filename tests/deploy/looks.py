"""How a panel says a value, and in which colour: what Grafana makes of units, thresholds, mappings and overrides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from grafana_foundation_sdk.models.dashboard import Panel

# Grafana's names of colours, as its light theme shows them.
COLOURS: Final = {
    "green": "#56a64b",
    "light-green": "#96d98d",
    "yellow": "#e0b400",
    "orange": "#ff780a",
    "red": "#e02f44",
    "dark-red": "#ad0317",
    "purple": "#a352cc",
    "blue": "#3274d9",
}
INK: Final = "#24292e"


def custom(panel: Panel) -> Any:
    return panel.field_config.defaults.custom  # type: ignore[union-attr] # every panel has one


def cells(panel: Panel, column: str) -> Callable[[float | str | None], tuple[str, str]]:
    """Return what says a value of a column as its overrides want it, and in which colour."""
    found = [override for override in panel.field_config.overrides if override.matcher.options == column]  # type: ignore[union-attr] # every panel has some
    properties: Mapping[str, Any] = {each.id_val: each.value for override in found for each in override.properties}

    def cell(value: float | str | None) -> tuple[str, str]:
        if value is None:
            return "", INK
        for mapping in properties.get("mappings", ()):
            key = value if isinstance(value, str) else f"{value:g}"
            if key in mapping["options"]:
                result = mapping["options"][key]
                return result["text"], colour(result["color"])
        if isinstance(value, str):
            return value, COLOURS["blue"] if "links" in properties else INK
        text = said(value, properties.get("unit"))
        steps = [(step["value"], step["color"]) for step in properties.get("thresholds", {}).get("steps", ())]
        return text, of_steps(value, steps) if steps else INK

    return cell


def colours(panel: Panel) -> dict[str, str]:
    return {
        str(override.matcher.options): colour(each.value["fixedColor"])  # type: ignore[index] # a fixed colour
        for override in panel.field_config.overrides  # type: ignore[union-attr] # every panel has some
        for each in override.properties
        if each.id_val == "color"
    }


def of_steps(value: float, steps: Sequence[tuple[float | None, str]]) -> str:
    return colour([name for least, name in steps if least is None or value >= least][-1])


def colour(name: str) -> str:
    return COLOURS.get(name, name)


def said(value: float, unit: str | None) -> str:
    if unit == "percentunit":
        return f"{value:.1%}"
    if unit != "s":
        return f"{value:g}"
    for name, seconds in (("days", 86400), ("hours", 3600), ("min", 60)):
        if value >= 1.5 * seconds or (name == "days" and value >= seconds):
            return f"{value / seconds:.3g} {name}"
    return f"{value:.0f} s" if value >= 1 else f"{value * 1000:.0f} ms"
