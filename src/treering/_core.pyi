"""The native module: what happens once per record, and the borders to the journal."""

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any, Final, Self, final

__version__: Final[str]
fast_frames: Final[bool]
"""Whether call sites are found by reading the interpreter's frames where they lie."""

noop: Final[Any]
"""A native method that does nothing: what stripped logging methods become."""

class Logger:
    """The native half of `treering.Logger`."""

    def __new__(
        cls, name: str = "", category: str | None = None, bound: dict[str, Any] | None = None
    ) -> Self: ...
    @property
    def name(self) -> str:
        """The component."""

    @property
    def category(self) -> str | None:
        """The category of this logger's records."""

    @property
    def context(self) -> dict[str, Any]:
        """The bound fields, as a new dict."""

    @property
    def level(self) -> int:
        """The threshold in force."""

    def enabled_for(self, level: object) -> bool:
        """Whether a record of this level would be kept. Raises `ValueError` for an unknown level."""

    def bind(self, **fields: Any) -> Self:
        """A new logger whose records have these fields in their context, besides those of this one."""

    def unbind(self, *keys: str) -> Self:
        """A new logger without these bound fields."""

    def trace(self, message: object, /, *args: object, **fields: Any) -> None: ...
    def debug(self, message: object, /, *args: object, **fields: Any) -> None: ...
    def info(self, message: object, /, *args: object, **fields: Any) -> None: ...
    def warning(self, message: object, /, *args: object, **fields: Any) -> None: ...
    def warn(self, message: object, /, *args: object, **fields: Any) -> None: ...
    def error(self, message: object, /, *args: object, **fields: Any) -> None: ...
    def critical(self, message: object, /, *args: object, **fields: Any) -> None: ...
    def fatal(self, message: object, /, *args: object, **fields: Any) -> None: ...
    def security(self, message: object, /, *args: object, **fields: Any) -> None:
        """Logs at SECURITY, which no threshold and no overflow policy drops."""

    def audit(self, message: object, /, *args: object, **fields: Any) -> Any:
        """Logs at AUDIT and waits until the record is durable; returns a `treering.Receipt`."""

    def exception(self, message: object, /, *args: object, **fields: Any) -> None:
        """Logs at ERROR with the exception that is being handled."""

    def log(self, level: object, message: object, /, *args: object, **fields: Any) -> None:
        """Logs at any level, given by name or number."""

@final
class Ambient:
    """Immutable ambient fields, encoded once."""

    def __new__(cls, fields: dict[str, Any]) -> Self: ...
    @property
    def fields(self) -> dict[str, Any]: ...

@final
class Filter:
    """Which records a reader wants; all conditions that are given must hold."""

    def __new__(
        cls,
        *,
        level: int | None = None,
        component: str | None = None,
        category: str | None = None,
        since_ns: int | None = None,
        until_ns: int | None = None,
        grep: str | None = None,
        fields: Iterable[tuple[str, str]] = ...,
        journal: bool = False,
    ) -> Self: ...
    def matches(self, line: bytes) -> bool: ...
    def select(self, first: int, lines: bytes) -> list[tuple[int, bytes]]: ...

@final
class Reader:
    """Follows a journal from an index on."""

    def __new__(cls, directory: str | PathLike[str], index: int = 0) -> Self: ...
    def read(self, max_bytes: int) -> tuple[int, bytes]:
        """Index of the first of the next records, and their lines; empty when nothing is new."""

    def seek(self, index: int) -> None: ...
    @property
    def position(self) -> int: ...
    @property
    def begin(self) -> int: ...
    @property
    def end(self) -> int: ...

@final
class Drain:
    """Leads a journal without logging to it, whoever leads it now."""

    def __new__(cls, directory: str | PathLike[str]) -> Self: ...
    @property
    def leads(self) -> bool: ...
    @property
    def last_error(self) -> str | None: ...
    def stop(self) -> None: ...

@final
class Recogniser:
    """Makes records of foreign lines and logs them."""

    def __new__(cls, component: str, utc: bool = False) -> Self: ...
    def feed(self, data: bytes) -> int: ...
    def finish(self) -> int: ...
    def counts(self) -> dict[str, int]: ...

def configure(settings: Mapping[str, Any]) -> None: ...
def close(timeout_s: float) -> bool: ...
def close_at_exit() -> None: ...
def flush(timeout_s: float, durable: bool = False) -> bool: ...
def frames_agree() -> bool | None: ...
def get_level(component: str) -> int: ...
def is_started() -> bool: ...
def journal_levels(directory: str | PathLike[str]) -> list[tuple[str, int]]: ...
def journal_status(directory: str | PathLike[str]) -> dict[str, Any]: ...
def levels() -> list[tuple[str, int]]: ...
def log_record(
    component: str,
    level: int,
    message: str,
    location: tuple[str | None, str | None, str | None, int],
    metadata: dict[str, Any],
    exc_info: object = None,
    category: str | None = None,
) -> bool: ...
def parse_level(level: object) -> int: ...
def parse_time(text: str) -> int | None: ...
def recover(directory: str | PathLike[str]) -> bool: ...
def render(line: bytes, colour: bool = False, sources: bool = False) -> bytes: ...
def set_context_variable(variable: object) -> None: ...
def set_journal_level(
    directory: str | PathLike[str], component: str, level: int | None, persist: bool
) -> bool: ...
def set_level(component: str, level: int | None) -> bool: ...
def statistics() -> dict[str, Any] | None: ...
