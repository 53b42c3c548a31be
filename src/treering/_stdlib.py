"""The standard library's `logging`, both ways."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from treering import _core
from treering._border import attempt
from treering._levels import level_number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

# What every LogRecord has; the rest came with `extra`.
_STANDARD = frozenset(
    vars(logging.LogRecord("", 0, "", 0, "", None, None))
    | {"message": "", "asctime": "", "taskName": ""}
)


class StdlibHandler(logging.Handler):
    """A `logging.Handler` that sends records into Treering, with `extra`, exception and location.

    Formatters are not used: Treering keeps the message, the fields and the exception apart.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Logs one record; the component is the logger's name."""
        try:
            # What carries `treering` came from here, for pytest's caplog.
            if record.levelno < _core.get_level(record.name) or hasattr(record, "treering"):
                return
            metadata = {key: value for key, value in vars(record).items() if key not in _STANDARD}
            category = metadata.pop("category", None)
            if record.stack_info:
                metadata["stack_info"] = record.stack_info
            _core.log_record(
                record.name,
                max(0, min(record.levelno, 99)),
                _message(record),
                (record.module, record.funcName, record.pathname, record.lineno),
                metadata,
                _exception(record),
                None if category is None else str(getattr(category, "value", category)),
            )
        except Exception:  # noqa: BLE001 - the border of the log call: never into the application
            self.handleError(record)


def _exception(record: logging.LogRecord) -> BaseException | None:
    """Its exception, unless the request's or task's own record has it with traceback."""
    error = record.exc_info[1] if record.exc_info else None
    return None if getattr(error, "_treering_logged", False) else error


def _formatted(record: logging.LogRecord) -> str:
    if isinstance(record.args, dict):
        return str(record.msg) % _core.redact_arguments(record.args)
    return record.getMessage()


def _message(record: logging.LogRecord) -> str:
    text, _ = attempt(lambda: _formatted(record))
    if text is None:
        text = f"{record.msg} <could not be formatted with: {record.args!r}>"
    return text.encode("utf-8", "backslashreplace").decode()


class Capture:
    """The bridge that `capture_stdlib` built; `release` takes it down again."""

    def __init__(self, handler: StdlibHandler, level: int, silence: Mapping[str, int]) -> None:
        self.handler = handler
        root = logging.getLogger()
        self._handlers, self._level = root.handlers[:], root.level
        self._silenced = {name: logging.getLogger(name).level for name in silence}
        stays = [other for other in root.handlers if getattr(other, "treering_stays", False)]
        root.handlers = [handler, *stays]
        root.setLevel(level)
        for name, silenced in silence.items():
            logging.getLogger(name).setLevel(silenced)

    def release(self) -> None:
        """Puts the root logger's handlers and all levels back as they were."""
        root = logging.getLogger()
        root.handlers = self._handlers
        root.setLevel(self._level)
        for name, level in self._silenced.items():
            logging.getLogger(name).setLevel(level)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def capture_stdlib(
    level: object = 0, silence: Mapping[str, object] | list[str] | tuple[str, ...] = ()
) -> Capture:
    """Sends everything that the standard library's `logging` gets into Treering.

    Replaces the handlers of the root logger; those of other loggers stay.

    Args:
        level: Threshold of the root logger. By default Treering's levels decide alone.
        silence: Noisy loggers by name with a level each, or a list of names, which then log from
            WARNING up.

    Returns:
        The bridge, a context manager; `release()` undoes it.
    """
    levels = (
        {name: level_number(of) for name, of in silence.items()}
        if hasattr(silence, "items")
        else dict.fromkeys(silence, logging.WARNING)
    )
    return Capture(StdlibHandler(), level_number(level), levels)
