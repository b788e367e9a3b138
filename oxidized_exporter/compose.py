"""The composition root: makes the parts of an exporter, hands them to each other, and takes them down again."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from oxidized_exporter.metrics.exporter import ExporterMetrics
from oxidized_exporter.oxidized.request_settings import SettingsReader
from oxidized_exporter.oxidized.resolver import system_resolver
from oxidized_exporter.scrape.memory import Memory
from oxidized_exporter.scrape.scraper import Scraper
from oxidized_exporter.scrape.scraping import Means
from oxidized_exporter.supervisor import find_supervisor
from oxidized_exporter.web.failure_log import FailureLog
from oxidized_exporter.web.repetition import Repetition
from oxidized_exporter.web.state import Exporter, Load, Readiness, Running
from oxidized_exporter.workers import Workers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from concurrent.futures import Executor

    from aiohttp.abc import AbstractResolver

    from oxidized_exporter.config import Config
    from oxidized_exporter.web.state import Settings
    from oxidized_exporter.web.web_config_in_force import WebConfigInForce
    from oxidized_exporter.web.web_config_loader import Reading

_FILE_THREADS: Final = 4


@asynccontextmanager
async def open_exporter(
    *,
    config: Config,
    settings: Settings,
    web_config: Reading | None = None,
    resolver: AbstractResolver | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> AsyncIterator[Exporter]:
    """Make an exporter in the running loop and close it at the end.

    Args:
        config: what is collected and how, until a reload.
        settings: of the command line.
        web_config: what was read of the web configuration, without faults; None where there is none.
        resolver: resolves names, closed at the end; None for the system's.
        clock: monotonic seconds, for durations and for how often the log repeats itself.
    """
    resolver = resolver or system_resolver()
    decoding = Workers("decode")
    encoding = Workers("encode")
    checking = Workers("check")
    # Threads of their own: a file system that hangs must not hold up a decoding, an answer, or a reload.
    reader = ThreadPoolExecutor(max_workers=_FILE_THREADS, thread_name_prefix="read")
    # Threads of their own again: passwords take a processor, files may hang, and neither waits for the other.
    hashing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hash")
    looking = ThreadPoolExecutor(max_workers=1, thread_name_prefix="look")
    supervisor = find_supervisor()
    load, memory = Load(), Memory()
    metrics = ExporterMetrics(probes_in_flight=lambda: load.requests, remembered_configs=lambda: len(memory))
    try:
        yield Exporter(
            running=Running(config),
            settings=settings,
            scraper=Scraper(
                Means(
                    resolver=resolver,
                    workers=decoding,
                    checkers=checking,
                    settings_reader=SettingsReader(reader),
                    memory=memory,
                    asked=metrics.asked,
                    remembered=metrics.remembered,
                    clock=clock,
                )
            ),
            metrics=metrics,
            failures=FailureLog(Repetition(clock=clock)),
            encoding=encoding,
            readiness=Readiness(),
            load=load,
            reloads=set(),
            reloading=asyncio.Lock(),
            supervisor=supervisor,
            web_config=None
            if web_config is None
            else _in_force(web_config, metrics=metrics, hashing=hashing, looking=looking),
        )
    finally:
        decoding.close()
        encoding.close()
        checking.close()
        for executor in (reader, hashing, looking):
            executor.shutdown(wait=False, cancel_futures=True)
        supervisor.close()
        await resolver.close()


def _in_force(reading: Reading, *, metrics: ExporterMetrics, hashing: Executor, looking: Executor) -> WebConfigInForce:
    from oxidized_exporter.web.web_config_in_force import WebConfigInForce  # noqa: PLC0415 - it loads what reads a file

    return WebConfigInForce(reading, hashing=hashing, files=looking, reloaded=metrics.web_config_reloaded)
