"""One log format for every process: time, level, process, request, logger, message; as text or as JSON."""

from __future__ import annotations

import json
import logging
import os
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="-")
"""The id of the request that this thread or task works on; `-` outside a request."""


def process_name() -> str:
    """The Procfile's name of this process, as the supervisor told it; else `manage`."""
    return os.environ.get("VPTMONITOR_PROCESS", "manage")


class TextFormatter(logging.Formatter):
    """`2026-11-23T10:20:30.123Z INFO  [web] 1f2e apps.health: message`; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        text = (
            f"{moment} {record.levelname:<5} [{process_name()}] {request_id.get()} {record.name}: {record.getMessage()}"
        )
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return text


class JsonFormatter(logging.Formatter):
    """One JSON object a line, with the same fields."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname,
            "process": process_name(),
            "request": request_id.get(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configuration(level: str, kind: str) -> dict[str, Any]:
    """A `logging.config` dictionary: everything to standard error, in the format `kind` (text or json)."""
    # By name: processes that know no Django get this as JSON.
    formatter = f"{__name__}.{'TextFormatter' if kind == 'text' else 'JsonFormatter'}"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            "uvicorn": {"handlers": [], "level": level, "propagate": True},
            "uvicorn.access": {"handlers": [], "level": "WARNING", "propagate": True},
            "asyncio": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }
