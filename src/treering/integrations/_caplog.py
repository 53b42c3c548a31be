"""Treering's records in `logging`, for pytest's caplog: every logging method says it twice."""

from __future__ import annotations

import logging
from functools import wraps
from typing import TYPE_CHECKING

from treering import Level, Logger, level_number

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SPECIAL = ("extra", "exc_info", "stack_info")
_METHODS = {
    "trace": Level.TRACE,
    "debug": Level.DEBUG,
    "info": Level.INFO,
    "warning": Level.WARNING,
    "warn": Level.WARNING,
    "error": Level.ERROR,
    "exception": Level.ERROR,
    "critical": Level.CRITICAL,
    "fatal": Level.CRITICAL,
    "security": Level.SECURITY,
    "audit": Level.AUDIT,
}


def forward() -> None:
    """Puts methods over the native ones that log natively, then through `logging`.

    The fields are in the attribute `treering` of the `LogRecord`, a dict.
    """
    for level in Level:
        logging.addLevelName(level, level.name)
    for name, level in _METHODS.items():
        setattr(Logger, name, _twice(getattr(Logger, name), level))
    Logger.log = _log_twice(Logger.log)  # type: ignore[method-assign]


def stop() -> None:
    """Takes them away again."""
    for name in (*_METHODS, "log"):
        delattr(Logger, name)


def _twice(native: Callable[..., Any], level: int) -> Callable[..., Any]:
    @wraps(native)
    def method(self: Logger, message: object, /, *args: object, **fields: Any) -> Any:
        stacklevel = fields.pop("stacklevel", 1) + 1
        result = native(self, message, *args, stacklevel=stacklevel, **fields)
        if native.__name__ == "exception":
            fields.setdefault("exc_info", True)
        _forward(self, level, message, *args, fields=fields, stacklevel=stacklevel)
        return result

    return method


def _log_twice(native: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(native)
    def log(self: Logger, level: object, message: object, /, *args: object, **fields: Any) -> None:
        stacklevel = fields.pop("stacklevel", 1) + 1
        native(self, level, message, *args, stacklevel=stacklevel, **fields)
        _forward(self, level_number(level), message, *args, fields=fields, stacklevel=stacklevel)

    return log


def _forward(
    logger: Logger, level: int, *words: Any, fields: dict[str, Any], stacklevel: int
) -> None:
    if not logger.enabled_for(level):
        return
    logging.getLogger(logger.name).log(
        level,
        *words,
        exc_info=fields.get("exc_info"),
        stacklevel=stacklevel + 1,
        extra={"treering": {k: v for k, v in fields.items() if k not in _SPECIAL}},
    )
