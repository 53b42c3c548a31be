"""Uvicorn: `uvicorn.run(app, log_config=treering.integrations.uvicorn.log_config())`."""

from __future__ import annotations

import logging
from typing import Any

import treering
from treering import LogCategory, StdlibHandler
from treering.integrations._request import access_level

_ACCESS_ARGUMENTS = 5


def log_config(level: str = "INFO") -> dict[str, Any]:
    """What Uvicorn passes to `logging.config.dictConfig`: both of its logs become records.

    Written to a file as JSON it serves `uvicorn --log-config` as well.

    Args:
        level: Threshold of Uvicorn's own loggers; Treering's levels apply besides.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {
            "treering": {"class": "treering.integrations.uvicorn.ErrorHandler"},
            "access": {"class": "treering.integrations.uvicorn.AccessHandler"},
        },
        "loggers": {
            "uvicorn": {"handlers": ["treering"], "level": level, "propagate": False},
            "uvicorn.access": {"handlers": ["access"], "level": level, "propagate": False},
        },
    }


class ErrorHandler(logging.Handler):
    """Uvicorn's other log as records, without what it adds for coloured terminals."""

    def __init__(self) -> None:
        super().__init__()
        self._records = StdlibHandler()

    def emit(self, record: logging.LogRecord) -> None:
        """Logs one record."""
        vars(record).pop("color_message", None)
        self._records.emit(record)


class AccessHandler(logging.Handler):
    """Uvicorn's access log as records with fields, of category `api`. Query strings are left out."""

    def emit(self, record: logging.LogRecord) -> None:
        """Logs one request."""
        log = treering.get_logger(record.name, category=LogCategory.API)
        args = record.args
        if not isinstance(args, tuple) or len(args) != _ACCESS_ARGUMENTS:
            log.log(record.levelno, record.getMessage())
            return
        client, method, target, version, status = args
        path = str(target).partition("?")[0]
        log.log(
            access_level(int(str(status))),
            "%s %s %s",
            method,
            path,
            status,
            method=method,
            path=path,
            status=status,
            ip_address=str(client).rpartition(":")[0] or None,
            protocol=f"HTTP/{version}",
        )
