"""Loggers: the native class, and what people rarely call on it."""

from __future__ import annotations

from treering import _core
from treering._levels import Level, level_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FLUSH_TIMEOUT_S = 30.0
_SEARCH_RECORDS = 4096
_SEARCH_BYTES = 1 << 20

_loggers: dict[tuple[str, str | None], Logger] = {}


class Receipt:
    """What `Logger.audit` gives back once a durable checkpoint covers the record.

    Attributes:
        durable: True when the record had reached the device and, in a sealed journal, a signed
            checkpoint covered it; without a journal, or when that took longer than 30 seconds, False.
        record: The canonical line as it was logged; `None` when it was not.
    """

    __slots__ = ("_directory", "_index", "durable", "record")

    def __init__(self, record: bytes | None, directory: str | None, *, durable: bool) -> None:
        self.record = record
        self.durable = durable
        self._directory = directory
        self._index: int | None = None

    def __repr__(self) -> str:
        return f"<Receipt durable={self.durable}>"

    @property
    def index(self) -> int:
        """The record's index in the journal.

        Raises:
            JournalUnavailable: The record is in no journal.
        """
        if self._index is None:
            self._index = self._find()
        return self._index

    def proof(self) -> str:
        """The proof that the record is in the journal's signed tree: a C2SP tlog-proof.

        With `record` it is all that `treering verify` needs, on any machine.

        Raises:
            JournalUnavailable: The record is in no journal.
            JournalDamaged: The journal is not sealed, or not up to the record.
        """
        index = self.index
        proof, _ = _core.seal_prove(self._directory or "", index)
        return proof

    def _find(self) -> int:
        from treering.errors import JournalUnavailable

        if self._directory is None or self.record is None or not self.durable:
            raise JournalUnavailable(
                "the record is in no journal",
                code="record_not_found",
                hint="audit() gives a receipt with an index when a journal directory is configured",
            )
        wanted = self.record + b"\n"
        stop, span = _core.Reader(self._directory, 1 << 62).end, _SEARCH_RECORDS
        # From the end backwards: a receipt is usually looked at soon.
        while stop > 0:
            start = max(0, stop - span)
            reader = _core.Reader(self._directory, start)
            while reader.position < stop:
                first, lines = reader.read(_SEARCH_BYTES)
                at = 0 if lines.startswith(wanted) else lines.find(b"\n" + wanted) + 1
                if lines.startswith(wanted) or at > 0:
                    return first + lines.count(b"\n", 0, at)
                if not lines:
                    break
            stop, span = start, span * 8
        raise JournalUnavailable(
            f"the record is not in the journal '{self._directory}' any more",
            code="record_not_found",
            path=self._directory,
        )


class Logger(_core.Logger):
    """Logs for one component. Made by `get_logger`; immutable: `bind` gives a new one.

    Every logging method takes the message, `%` arguments, and fields as keyword arguments. `extra`,
    `exc_info`, `stack_info` and `stacklevel` mean what they mean in the standard library; of `extra` the
    keys `category`, `context`, `metadata` and `performance_data` go to those parts of the record.
    """

    __slots__ = ()

    def logf(self, level: object, component: str, format: str, *args: object) -> None:  # noqa: A002
        """Logs a `%`-formatted message for another component."""
        get_logger(component).log(level, format, *args, stacklevel=2)

    def log_structured(
        self, level: object, component: str, message: str, metadata: Mapping[str, object]
    ) -> None:
        """Logs a message with a mapping of fields for another component."""
        get_logger(component).log(level, message, extra={"metadata": dict(metadata)}, stacklevel=2)

    def set_level(self, level: object, *, persist: bool = False) -> None:
        """Sets this component's threshold, in every process of the journal; `None` inherits again."""
        set_level(self.name, level, persist=persist)


def get_logger(name: str = "", *, category: str | None = None) -> Logger:
    """The logger of a component: the same object for the same name and category.

    Args:
        name: The component, dotted: `auth.session` inherits its level from `auth`.
        category: What this logger's records are about, a `LogCategory` or any other word.
    """
    key = name, category if category is None else str(getattr(category, "value", category))
    # `setdefault` is one step for other threads: all of them get the logger that came first.
    return _loggers.get(key) or _loggers.setdefault(key, Logger(*key))


def set_level(component: str, level: object, *, persist: bool = False) -> None:
    """Sets the threshold of a component and of everything below it, in every process of the journal.

    In a journal, an AUDIT record says so.

    Args:
        component: Its name; empty for the root.
        level: A name or a number; `None` to inherit again.
        persist: Keep it with the journal, for processes to come; until a configuration says something
            new about this component.

    Raises:
        ValueError: There is no such level.
        ConfigurationError: It was to be kept, and there is no journal.
    """
    from treering import _changes
    from treering._lifecycle import get_logging_config
    from treering.errors import ConfigurationError

    number = None if level is None else level_number(level)
    directory = get_logging_config().directory
    if persist and directory is None:
        raise ConfigurationError(
            f"level of '{component}' cannot be kept: there is no journal",
            code="journal_missing",
            field="persist",
            hint="treering.configure(directory=…) makes one",
        )
    before = dict(_core.levels()).get(component)
    _core.set_level(component, number)
    if persist:
        _core.set_journal_level(str(directory), component, number, persist)
    if directory is not None and (persist or before != number):
        facts = _changes.level_facts(component, before, number, "set_level", is_stored=persist)
        _changes.say(Level.AUDIT, _changes.LEVEL_CHANGED, facts)


def get_level(component: str = "") -> int:
    """The threshold in force for a component."""
    return _core.get_level(component)


def strip(below: object) -> None:
    """Turns every logging method below a level into a native method that does nothing.

    For the whole process and for good: what compile-time filtering does elsewhere. `TREERING_STRIP` in
    the environment does it at import.
    """
    number = level_number(below)
    for name, level in _METHODS.items():
        if level < number:
            setattr(Logger, name, _core.noop)


_METHODS = {
    "trace": 5,
    "debug": 10,
    "info": 20,
    "warning": 30,
    "warn": 30,
    "error": 40,
    "exception": 40,
    "critical": 50,
    "fatal": 50,
}


def _receipt(record: bytes | None) -> Receipt:
    """Called by the native method, with the line that it logged."""
    if record is None:
        return Receipt(None, None, durable=False)
    from treering._lifecycle import get_logging_config

    directory = get_logging_config().directory
    durable = _core.flush(FLUSH_TIMEOUT_S, durable=True) and directory is not None
    return Receipt(record, None if directory is None else str(directory), durable=durable)


def _rebuild(name: str, category: str | None, context: dict[str, Any]) -> Logger:
    logger = get_logger(name, category=category)
    return logger.bind(**context) if context else logger
