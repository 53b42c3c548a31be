"""One event, and logging it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, ParamSpec, TypedDict

from treering import _core
from treering._border import attempt
from treering._levels import Level, level_number
from treering._logger import Logger, get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Variable(NamedTuple):
    """A value that an event is logged with.

    Attributes:
        name: A Python identifier; the key in the record's metadata.
        type: `str`, `int`, `float`, `bool` or `object`, or one of them with `| None`: may be left out.
    """

    name: str
    type: str = "object"


class EventOptions(TypedDict, total=False):
    """What every event can be logged with besides its variables; variables cannot have these names.

    Attributes:
        logger: Whose component and bound context the record gets. By default the component is the
            event's category.
        level: Another level than the event's.
        exc_info: As in the standard library.
        stacklevel: As in the standard library.
    """

    logger: Logger
    level: object
    exc_info: object
    stacklevel: int


@dataclass(frozen=True, slots=True)
class Event(Generic[P]):
    """A kind of thing that happens. Calling it logs it: the keyword arguments are its variables.

    Attributes:
        id: Decimal digits, as the catalog writes them, leading zeros included.
        name: Its name in the catalog.
        level: Number of its level; `None` when the catalog gives none (then INFO is logged).
        message: What happened, a sentence; `{variable}` stands for the value of a declared one.
        cause: Why it happened, for erroneous events.
        solution: What to do about it.
        category: Name of its section or category.
        variables: What it is logged with.
        line: Where it stands in the catalog's file.
    """

    id: str
    name: str
    level: int | None = None
    message: str = ""
    cause: str = ""
    solution: str = ""
    category: str = ""
    variables: tuple[Variable, ...] = ()
    line: int | None = field(default=None, compare=False)

    def __call__(self, *args: P.args, **variables: P.kwargs) -> None:
        """Logs this event."""
        _log(self, args, variables)


def event(event: Event[P], /, *args: P.args, **variables: P.kwargs) -> None:
    """Logs a catalogued event; its variables become the record's metadata.

        treering.event(ARRAY_CREATE_FAILED, array_name="arr@y1")

    Never raises. A missing variable is shown as such in the message; one that is not declared is
    metadata all the same. Anything but an event is logged by its text, without an id.

    Args:
        event: From a module that `treering events codegen` wrote, or of a `Catalog`.
        args: Nothing: variables are given by name.
        variables: The event's variables, and `EventOptions`.
    """
    _log(event, args, variables)


def declare(
    *,
    id: str,  # noqa: A002 - the catalog's word
    level: int | None = None,
    name: str = "",
    message: str = "",
    cause: str = "",
    solution: str = "",
    category: str = "",
) -> Callable[[Callable[P, None]], Event[P]]:
    """Makes an event of a function's signature: its keyword-only arguments are the variables.

    What generated modules consist of. The function is never called.

    Args:
        id: The event's id.
        level: Number of its level.
        name: The catalog's name where it differs from the function's.
        message: As in `Event`, like the rest.
        cause: Why it happens.
        solution: What to do.
        category: Its category.
    """

    def made(function: Callable[P, None]) -> Event[P]:
        code, types = function.__code__, function.__annotations__
        start = code.co_argcount
        variables = tuple(
            Variable(variable, getattr(types.get(variable), "__name__", str(types.get(variable))))
            for variable in code.co_varnames[start : start + code.co_kwonlyargcount]
        )
        name_of = name or function.__name__
        return Event(id, name_of, level, message, cause, solution, category, variables)

    return made


def _log(event: object, args: tuple[object, ...], given: dict[str, Any]) -> None:
    if not isinstance(event, Event):
        event = Event("", _text(event))
    logger = given.get("logger")
    if not isinstance(logger, Logger):
        logger = get_logger(component_of(event.category))
    level = _level(given.get("level"), event)
    if not logger.enabled_for(level):
        return
    variables = {name: value for name, value in given.items() if name not in _OPTIONS}
    if args:
        variables.setdefault("args", args)
    extra: dict[str, object] = {"metadata": variables}
    if event.category and logger.category is None:
        extra["category"] = component_of(event.category)
    stacklevel = given.get("stacklevel", 1)
    fields: dict[str, object] = {
        "extra": extra,
        # Above the caller stand this function and the one that was called.
        "stacklevel": (stacklevel if isinstance(stacklevel, int) else 1) + 2,
    }
    if "exc_info" in given:
        fields["exc_info"] = given["exc_info"]
    message = _filled(event.message, event, variables) or event.name
    named = event.id, event.name, _filled(event.cause, event, variables)
    _core.log_event(logger, level, message, named, fields)


_OPTIONS = frozenset(EventOptions.__annotations__)


def _level(asked: object, event: Event[...]) -> int:
    if asked is not None:
        try:
            return min(level_number(asked), Level.OFF - 1)
        except ValueError:
            # The record matters more than its level.
            pass
    return Level.INFO if event.level is None else event.level


@lru_cache(maxsize=1024)
def component_of(category: str) -> str:
    """A category's name as a component: `Meta File System` is `meta_file_system`."""
    return re.sub(r"[^a-z0-9.]+", "_", category.lower()).strip("_") or "event"


def _filled(text: str, event: Event[...], variables: dict[str, Any]) -> str:
    if "{" not in text:
        return text
    declared = {variable.name for variable in event.variables}

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in declared:
            return found[0]
        return _text(variables[name]) if name in variables else f"<missing {name}>"

    return _PLACEHOLDER.sub(value, text)


def placeholders(text: str) -> list[str]:
    """Names of the variables that a message or cause mentions."""
    return _PLACEHOLDER.findall(text)


def _text(value: object) -> str:
    text, _ = attempt(lambda: str(value))
    return f"<unprintable {type(value).__name__}>" if text is None else text
