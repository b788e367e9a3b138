"""The configuration: the types that everybody reads, and how a file becomes them."""

from __future__ import annotations

from oxidized_exporter.config.configs import Check, Configs
from oxidized_exporter.config.connection import Authorization, BasicAuth, Connection, HttpHeader, TlsConfig
from oxidized_exporter.config.expression import Expression, LineExpression
from oxidized_exporter.config.model import COLLECTORS, DEFAULT_MODULE, Access, Config, Limits, Module, TargetEntry
from oxidized_exporter.config.secret import HIDDEN, Secret
from oxidized_exporter.config.selector import Selector
from oxidized_exporter.config.single import SINGLE_MODULE, SINGLE_TARGET, SingleInstance

__all__ = [
    "COLLECTORS",
    "DEFAULT_MODULE",
    "HIDDEN",
    "SINGLE_MODULE",
    "SINGLE_TARGET",
    "Access",
    "Authorization",
    "BasicAuth",
    "Check",
    "Config",
    "Configs",
    "Connection",
    "Expression",
    "HttpHeader",
    "Limits",
    "LineExpression",
    "Module",
    "Secret",
    "Selector",
    "SingleInstance",
    "TargetEntry",
    "TlsConfig",
    "config_from",
    "load_config",
]


def config_from(file: str | None, *, single: SingleInstance | None) -> Config:
    """Return what to run with: what a file says, and the one Oxidized of the command line; blocks meanwhile.

    Args:
        file: None for none, which is the configuration without any setting.
        single: None where the command line names no Oxidized.

    Raises:
        ConfigError: the file cannot be read, or has faults, or does not go with ``single``.
    """
    config = Config() if file is None else load_config(file)
    return config if single is None else single.added_to(config, file=file)


def load_config(path: str, *, check_files: bool = True) -> Config:
    """Read the configuration file ``path``, and look at the files that it names; blocks meanwhile.

    Args:
        path: of a file in YAML.
        check_files: whether files that it names must be there and be readable.

    Raises:
        ConfigError: it cannot be read, or has faults: all of them.
    """
    # What reads a file (pydantic, PyYAML) takes longer to load than all the rest: only who has one shall wait for it.
    from oxidized_exporter.config import loader  # noqa: PLC0415 - see above

    return loader.load_config(path, check_files=check_files)
