"""The running configuration as it would stand in a file, secrets as ``<secret>``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from oxidized_exporter.config.durations import format_duration
from oxidized_exporter.config.expression import Expression
from oxidized_exporter.config.model import KEY
from oxidized_exporter.config.secret import Secret
from oxidized_exporter.targets.pattern import NetworkPattern, TargetPattern
from oxidized_exporter.targets.url import Target

if TYPE_CHECKING:
    from oxidized_exporter.config.model import Config


def render(config: Config) -> str:
    """Return ``config`` in YAML, with all defaults: names of files are shown, secrets and values of headers are not.

    What is returned holds printable characters and line ends only. The first call loads PyYAML and so blocks a little.
    """
    return render_part(config)


def render_part(part: Any) -> str:
    """Return a part of a configuration in the same way: a section, or a mapping or tuple of such."""
    import yaml  # noqa: PLC0415 - where nobody asks, it is not loaded

    return str(yaml.safe_dump(plain(part), sort_keys=False, width=120))


def plain(value: Any) -> Any:
    """Return ``value``, a part of a configuration, as mappings, lists, text, numbers and booleans."""
    if is_dataclass(value) and not isinstance(value, _AS_TEXT):
        return {
            field.metadata.get("alias", field.name): plain(item)
            for field in fields(value)
            if field.metadata != KEY and (item := getattr(value, field.name)) not in _LEFT_OUT
        }
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):  # the one kind that there is
        return format_duration(value)
    return str(value) if isinstance(value, _AS_TEXT) else value


_AS_TEXT: Final = (Expression, NetworkPattern, Path, Secret, Target, TargetPattern)
_LEFT_OUT: Final = (None, ())
