"""structlog: `to_treering` as the last processor sends its events into Treering."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from structlog import DropEvent

from treering import level_number
from treering.integrations._foreign import NOWHERE, log_foreign

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from types import FrameType
    from typing import Any, NoReturn

    from treering.integrations._foreign import Location

_LEVELS = {
    "exception": "ERROR",
    "warn": "WARNING",
    "msg": "INFO",
    "failure": "ERROR",
    "err": "ERROR",
}


def to_treering(_: object, method: str, event: MutableMapping[str, Any]) -> NoReturn:
    """A processor that logs the event and ends its way through structlog.

    The component is the field `logger` (`structlog.stdlib.add_logger_name`, or bound); the level is the
    method's; `exc_info` and `stack_info` keep their meaning; what else there is becomes metadata.
    Processors before it should not render: no timestamps, no `format_exc_info`.

    Raises:
        DropEvent: Always: structlog's word for an event that has arrived.
    """
    fields = dict(event)
    component, message = str(fields.pop("logger", "")), str(fields.pop("event", ""))
    name = str(fields.pop("level", _LEVELS.get(method, method)))
    location = _location()
    log_foreign(
        component or location[0] or "",
        _level(name),
        message,
        error=_error(fields.pop("exc_info", method == "exception")),
        location=location,
        metadata=fields,
    )
    raise DropEvent


def _level(name: str) -> int:
    try:
        return level_number(name)
    except ValueError:
        return level_number("INFO")


def _error(exc_info: object) -> object:
    """The exception that `exc_info` stands for, in all its spellings."""
    if isinstance(exc_info, tuple):
        return exc_info[1]
    return sys.exc_info()[1] if exc_info is True else exc_info or None


def _location() -> Location:
    """Where the application called structlog."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the documented way to a caller
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] not in {"structlog", "treering"}:
            code = frame.f_code
            return module, code.co_name, code.co_filename, frame.f_lineno
        frame = frame.f_back
    return NOWHERE
