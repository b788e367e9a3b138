"""What a probe collects, how targets are reached and which may be named: frozen, and read by every layer.

These types are the file's form as well: its keys, their defaults, the documentation and the JSON Schema come from them.
"""
# Annotations are evaluated here: pydantic reads them.

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal, get_args

from oxidized_exporter.config.configs import Configs
from oxidized_exporter.config.connection import Connection
from oxidized_exporter.config.durations import DURATION, parse_duration
from oxidized_exporter.config.selector import DeviceFields, Selector
from oxidized_exporter.config.text import Name, Text
from oxidized_exporter.config.urls import parse_target_url
from oxidized_exporter.targets.pattern import AccessPattern, parse_access_pattern
from oxidized_exporter.targets.url import Target

Collector = Literal["nodes", "configs", "stats"]
COLLECTORS: Final[tuple[Collector, ...]] = get_args(Collector)
DEFAULT_MODULE: Final = "default"

TAKEN_LABELS: Final = frozenset(
    (
        *("job", "instance", "target"),
        *("full_name", "name", "group", "model", "ip"),
        *("status", "check", "reason", "collector", "oxidized_version", "web_version"),
    )
)
"""Labels that Prometheus or the metrics of a probe have: another of that name would take their place."""
# Editors and Helm are told what is taken, too; whoever reads the file says so in words of its own.
_LABEL_NAME: Final = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")
_FREE_LABEL_NAME: Final = f"^(?!__|{'|'.join(f'{name}$' for name in sorted(TAKEN_LABELS))})[A-Za-z_][A-Za-z0-9_]*$"


def _parse_label_name(text: str) -> str:
    if text in TAKEN_LABELS:
        raise ValueError("is a label that Prometheus or the metrics have already; take another name")
    if not _LABEL_NAME.fullmatch(text):
        raise ValueError("must be the name of a label: letters, digits and _, no digit first, not two _ first")
    return text


def _parse_timeout(text: str) -> float:
    seconds = parse_duration(text)
    if not seconds:
        raise ValueError("must be longer than 0; leave the key out where only the scrape's own time-out counts")
    return seconds


_LabelName = Annotated[str, Text(parse=_parse_label_name, form="label name", pattern=_FREE_LABEL_NAME)]
_PlainText = Annotated[str, Text(parse=str, form="text")]
_AccessPattern = Annotated[
    AccessPattern,
    Text(parse=parse_access_pattern, form="target pattern or network", example="http://*.example.net:8888"),
]
KEY: Final[Mapping[str, Any]] = {"json_schema_extra": {"key": True}}
"""Marks the field that holds the key under which an entry stands in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what a target can make the exporter hold and do."""

    body_bytes: int = field(
        default=64 * 1024 * 1024,
        metadata={"ge": 1, "description": "Largest body in bytes, counted while reading and after decompression."},
    )
    rows: int = field(
        default=100_000,
        metadata={
            "ge": 1,
            "description": "Most rows of a node list or statistics page; a longer one is a failed probe or collector.",
        },
    )
    label_bytes: int = field(
        default=1024,
        metadata={
            "ge": 16,
            "description": "Longest label value in bytes of UTF-8; longer ones are cut on a character boundary, "
            "and counted.",
        },
    )
    attempts: int = field(default=3, metadata={"ge": 1, "description": "How often one request is tried at most."})
    connections: int = field(
        default=4,
        metadata={
            "ge": 1,
            "description": "Connections to one target at the same time, in one probe; as many as "
            "`configs.concurrency` at least.",
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """What ``?module=NAME`` means.

    Attributes:
        timeout: upper bound of a scrape in seconds, or None where only the scrape's own time-out counts.
    """

    name: str = field(metadata=KEY)
    collectors: tuple[Collector, ...] = field(
        default=("nodes",),
        metadata={
            "min_length": 1,
            "description": "What is collected; the node list is asked for in any case, and its metrics are told with "
            "`nodes`.",
        },
    )
    devices: Literal["all", "failing", "none"] = field(
        default="all",
        metadata={"description": "Devices that have series of their own; the aggregates count all that are selected."},
    )
    timeout: Annotated[float, Text(parse=_parse_timeout, form="duration", example="1m30s", pattern=DURATION)] | None = (
        field(
            default=None,
            metadata={"description": "Upper bound of a scrape; without it only Prometheus's own time-out counts."},
        )
    )
    include: Selector = field(
        default_factory=Selector,
        metadata={"description": "Devices that are told of: one expression under every key given matches."},
    )
    exclude: Selector = field(
        default_factory=Selector,
        metadata={"description": "Devices that are not told of even so: one expression under any key matches."},
    )
    max_devices: int = field(
        default=100_000,
        metadata={"ge": 1, "description": "With more, a scrape gives aggregates, no series of devices, and a failure."},
    )

    configs: Configs = field(default_factory=Configs, metadata={"description": "Settings of the collector `configs`."})

    @property
    def selects_all(self) -> bool:
        """Whether every device is included and none excluded, so that none has to be looked at."""
        return self.include == self.exclude == Selector()

    def selects(self, device: DeviceFields) -> bool:
        """Tell whether ``device`` is included and not excluded."""
        return self.include.all_match(device) and not self.exclude.any_matches(device)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetEntry:
    """A target that has a name.

    Attributes:
        target: its label is the name.
    """

    name: str = field(metadata=KEY)
    target: Annotated[
        Target, Text(parse=parse_target_url, form="URL", example="https://oxidized.example.net/oxidized")
    ] = field(metadata={"alias": "url", "description": "Absolute URL."})
    module: _PlainText = field(
        default=DEFAULT_MODULE,
        metadata={
            "description": "Module that belongs to it: Prometheus's service discovery (/sd) has it probed with that. "
            "A probe by itself uses what ?module= says."
        },
    )
    labels: Mapping[_LabelName, _PlainText] = field(
        default_factory=dict,
        metadata={"description": "Labels that its series get by Prometheus's service discovery (/sd)."},
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "target", replace(self.target, label=self.name))
        object.__setattr__(self, "labels", MappingProxyType(dict(self.labels)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Which other URLs than the configured ones ``?target=`` may name."""

    allow: tuple[_AccessPattern, ...] = field(
        default=(),
        metadata={
            "description": "URLs as in connections, and networks of the addresses that are connected to. "
            "Without this and without targets, every URL is allowed."
        },
    )
    deny: tuple[_AccessPattern, ...] = field(
        default=(),
        metadata={
            "description": "What is refused even so, in the same form; configured targets are not, and behind a "
            "proxy_url networks are not looked at."
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The running configuration; without a file there is one module, ``default``, that collects ``nodes``."""

    # For all below: no unknown key, no value that has to be converted, and none of them in pydantic's own messages.
    __pydantic_config__: ClassVar[Mapping[str, object]] = {
        "extra": "forbid",
        "strict": True,
        "hide_input_in_errors": True,
    }

    modules: Mapping[Name, Module] = field(
        default_factory=dict,
        metadata={"description": "What a probe collects, by the name that ?module= takes; there is always `default`."},
    )
    connections: tuple[Connection, ...] = field(
        default=(),
        metadata={"description": "How targets are reached; the first entry that matches a target serves it."},
    )
    targets: Mapping[Name, TargetEntry] = field(
        default_factory=dict, metadata={"description": "Targets by the name that ?target= takes."}
    )
    access: Access = field(
        default_factory=Access, metadata={"description": "Which other URLs than those of targets ?target= may name."}
    )
    limits: Limits = field(
        default_factory=Limits, metadata={"description": "Bounds on sizes, attempts and connections."}
    )

    def __post_init__(self) -> None:
        modules = {DEFAULT_MODULE: Module(name=DEFAULT_MODULE)} | dict(self.modules)
        object.__setattr__(self, "modules", MappingProxyType(modules))
        object.__setattr__(self, "targets", MappingProxyType(dict(self.targets)))

    @property
    def allows_any_url(self) -> bool:
        """Whether callers may name any URL: neither targets nor ``access.allow`` say which ones."""
        return not (self.targets or self.access.allow)

    def connection_for(self, target: Target) -> Connection | None:
        """Return the first connection that serves ``target``."""
        return next((connection for connection in self.connections if connection.serves(target)), None)
