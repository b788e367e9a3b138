"""Logs: logfmt or JSON on stderr, one line an event, whoever logs: this package, libraries, Python itself."""

from __future__ import annotations

import json
import logging
import math
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TextIO

from oxidized_exporter.errors import place, printable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import MutableMapping

LEVELS: Final = ("debug", "info", "warning", "error")
FORMATS: Final = ("logfmt", "json")
_FIRST: Final = ("ts", "level", "msg")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What the command line says about logs: one of `LEVELS`, one of `FORMATS`."""

    level: str = "info"
    form: str = "logfmt"


def configure_logging(level: str, *, form: str = "logfmt", stream: TextIO | None = None) -> None:
    """Send everything from ``level`` up to ``stream``, one line an event.

    Args:
        level: one of `LEVELS`.
        form: one of `FORMATS`; the keys and values are the same.
        stream: stderr where it is None.
    """
    import structlog  # noqa: PLC0415 - a command that logs nothing must not wait for it

    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.ExtraAdder(),
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        # Where it arose, and not its message, which may quote what it should not.
        structlog.processors.ExceptionRenderer(lambda exc_info: place(exc_info[1])),
        structlog.processors.EventRenamer("msg"),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(json.dumps, allow_nan=False)
        if form == "json"
        else structlog.processors.LogfmtRenderer(bool_as_flag=False)
    )
    handler = _Handler(sys.stderr if stream is None else stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, in_plain_words, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())


class _Handler(logging.StreamHandler[TextIO]):
    """Says of what cannot be logged that it cannot, and not, as logging does, all that is known of it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        said = {"msg": "bug: a line of the log could not be written", "levelname": "ERROR", "levelno": logging.ERROR}
        extra = {"logger": record.name, "error": place(error) if (error := sys.exception()) else "unknown"}
        with suppress(OSError, ValueError):  # the stream itself is gone: there is no place to say so
            self.stream.write(self.format(logging.makeLogRecord(said | extra)) + self.terminator)
            self.flush()


def in_plain_words(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put time, level and message first, and make all of it what both formats can say on one line.

    Control characters are written as escapes, so that no text from outside can forge a line or drive a terminal.
    """
    first = {key: event.pop(key, None) for key in _FIRST}
    return {_key(key): _value(value) for key, value in (first | dict(event)).items()}


def _key(key: str) -> str:
    return key if key.isidentifier() else "".join(c if c.isalnum() else "_" for c in key)


def _value(value: Any) -> str | float | None:
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return printable(str(value))


def log_the_uncaught() -> None:
    """Log warnings of Python, and exceptions that nobody catches in any thread or destructor; for a whole process."""
    logging.captureWarnings(capture=True)

    def tell(error: BaseException | None, where: str) -> None:
        said = "unknown" if error is None else place(error)
        logging.getLogger(__name__).error("bug: unexpected exception in %s", where, extra={"error": said})

    def in_main(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            tell(error, "the main thread, which ends")

    def in_thread(told: threading.ExceptHookArgs) -> None:
        if not issubclass(told.exc_type, SystemExit):
            tell(told.exc_value, f"the thread {told.thread.name}" if told.thread else "a thread")

    def in_destructor(told: sys.UnraisableHookArgs) -> None:
        tell(told.exc_value, "what cannot raise it")

    sys.excepthook, threading.excepthook, sys.unraisablehook = in_main, in_thread, in_destructor


def log_of_loop(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what a loop's exception handler is told, without what asyncio would add: messages of exceptions."""
    extra: dict[str, str] = {}
    if isinstance(error := context.get("exception"), BaseException):
        extra["error"] = place(error)
    if (coroutine := getattr(context.get("task", context.get("future")), "get_coro", None)) is not None:
        extra["task"] = getattr(coroutine(), "__qualname__", "unknown")
    said, _, _arguments = str(context.get("message", "unknown")).partition("(")  # those of a callback that failed
    logging.getLogger("asyncio").error("%s", said, extra=extra)
