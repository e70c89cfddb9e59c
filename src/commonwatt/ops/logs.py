"""How the process speaks: events with fields, one line each, on standard error; text for people or JSON for machines."""

from __future__ import annotations

import logging
import logging.config
import sys
from typing import Any

import structlog

from commonwatt.ops.settings import Settings

# Of these, a line of ours already tells what matters.
_QUIET = {"uvicorn": "WARNING", "django.request": "ERROR", "asyncio": "WARNING"}


def set_up(settings: Settings) -> None:
    """Make our events and other libraries' log lines come out alike; called once, at the start of a process."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(_number(settings.log_level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_shown(settings)],
        "foreign_pre_chain": [*shared, structlog.stdlib.ExtraAdder(), _of_a_library],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"ours": formatter},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "ours", "stream": sys.stderr}},
            "root": {"handlers": ["stderr"], "level": settings.log_level.upper()},
            "loggers": {name: {"level": level} for name, level in _QUIET.items()},
        }
    )


def _shown(settings: Settings) -> list[Any]:
    if settings.log_format == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    # A plain traceback: the fancy one prints local variables, and those hold readings and addresses.
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=28, exception_formatter=plain)]


def _of_a_library(_logger: object, _name: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Drop what libraries add for their own handlers, and the paths in Django's messages: one-time tokens stand in some paths."""
    for name in ("color_message", "request", "status_code"):
        event.pop(name, None)
    record: logging.LogRecord = event["_record"]
    if record.name.startswith("django."):
        event["event"] = str(event["event"]).split(":")[0]
    return event


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
