"""Taking up a changed configuration file: whole, or not at all."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog

from oxidized_exporter.config import config_from
from oxidized_exporter.errors import ConfigError, Fault, NothingToReloadError, place
from oxidized_exporter.web.fault_lines import told_of

if TYPE_CHECKING:
    from oxidized_exporter.config import Config
    from oxidized_exporter.web.state import Exporter

_log = structlog.stdlib.get_logger(__name__)


def begin_reload(exporter: Exporter) -> asyncio.Task[None]:
    """Begin to read the configuration file again; the task goes on whoever waits for it, and tells how it ended.

    Awaiting it raises:
        ConfigError: the file cannot be read, or has faults.
        NothingToReloadError: there is no file.
    """
    if not exporter.reloads:
        exporter.supervisor.reloading()
    task = asyncio.get_running_loop().create_task(_reload(exporter))
    exporter.reloads.add(task)
    task.add_done_callback(partial(_ended, exporter))
    return task


def _ended(exporter: Exporter, task: asyncio.Task[None]) -> None:
    exporter.reloads.discard(task)
    if task.cancelled():
        return
    error = task.exception()  # has been told; nobody may be left to look at it
    if not exporter.reloads:
        exporter.supervisor.ready(_outcome(error))


def _outcome(error: BaseException | None) -> str:
    if error is None:
        return "Configuration reloaded"
    if isinstance(error, NothingToReloadError):
        return "Nothing to reload: there is no configuration file"
    return "Configuration NOT reloaded, the former one is in use: see the log"


async def _reload(exporter: Exporter) -> None:
    """Swap the configuration in for all probes that begin from now on.

    Probes in flight finish on the configuration that they began with. A file with faults changes nothing; the faults
    are logged and told by two metrics.
    """
    file = exporter.settings.config_file
    if file is None:
        error = NothingToReloadError("there is nothing to reload: the exporter was started without --config.file")
        _log.warning("nothing to reload", detail=str(error))
        raise error
    async with exporter.reloading:
        try:
            config = await asyncio.to_thread(config_from, file, single=exporter.settings.single)
            _require_no_more_open(config, than=exporter.running.config, file=file)
        except ConfigError as error:
            exporter.metrics.reloaded(successful=False)
            for told in told_of(error.faults):
                _log.error("configuration not reloaded", file=file, **told)
            raise
        except Exception as error:
            exporter.metrics.reloaded(successful=False)
            _log.error("bug: unexpected exception while reloading", file=file, error=place(error))
            raise
        exporter.running.config = config
        exporter.scraper.forget_all_but(config)
        exporter.metrics.reloaded(successful=True)
        _log.info("configuration reloaded", file=file)


def _require_no_more_open(config: Config, *, than: Config, file: str) -> None:
    """Refuse what would let callers probe any URL where they may not now: a file that was emptied, or cut.

    Raises:
        ConfigError: it would.
    """
    if config.allows_any_url and not than.allows_any_url:
        message = "no targets and no access.allow: any URL could be probed, which needs a restart with this file"
        raise ConfigError((Fault(file=file, line=None, key_path="", message=message),))
