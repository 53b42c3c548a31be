"""What every output is: a name, a filter, a formatter, and somewhere to write to."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Protocol

from treering._levels import level_number
from treering.config import Setting
from treering.config import _values as values
from treering.config._secrets import masked, shown
from treering.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Self

    from treering.outputs._batch import Batch, Record

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Formatter(Protocol):
    """How records look at an output."""

    def lines(self, data: bytes, indexes: Sequence[int]) -> list[bytes]:
        """One text for each canonical line in `data`, without line feed."""

    def text(self, data: bytes, indexes: Sequence[int]) -> bytes:
        """The same in one piece, each ended by a line feed."""


class Output(ABC):
    """A destination of records. Subclass it, and `write` is called with batches in order.

    One thread calls `open`, `write`, `flush` and `close`, never two at once. Whatever `write` raises
    means that records were not taken: they come again, after a pause that grows, until they are.

    Args:
        name: How it is called in statistics, cursors and fallbacks: letters, digits, `_.-`.
        level: Least level that it gets.
        categories: Only records of these; all when empty.
        components: Only records of these components and those below them; all when empty.
        format: A preset, a shape, a template, or a callable that takes a record and gives text;
            `default_format` when left out.
        date_format: For templates: as `strftime` takes it.
        fallback: The output, or its name in the same configuration, that takes over when this one has
            not been able to write for `fallback_after_s` seconds, and hands back when it is again.
        fallback_after_s: Default: 5.
        journal: Also what the journal says about itself (component `treering.journal`).

    Raises:
        ConfigurationError: An argument cannot be used.
    """

    kind: ClassVar[str] = "output"
    """The word for it in configurations."""

    options: ClassVar[tuple[Setting, ...]] = ()
    """What a configuration may set besides the arguments that all outputs have."""

    scope: ClassVar[str] = "process"
    """`journal`: reads the journal from a cursor, in one of its processes, and misses nothing.
    `process`: every process has its own, which sees what that process says from now on."""

    holds_back: ClassVar[bool] = False
    """Without a journal: a record may wait in the ring, and a full ring make callers wait, until
    this output has taken it. For what is as quick as a file; others lose records, and count them."""

    default_format: ClassVar[str] = "json"

    batch_bytes: ClassVar[int] = 256 << 10
    """About so many bytes of canonical lines at once: as much as may come again after a death."""

    _arguments: tuple[tuple[Any, ...], dict[str, Any]]

    def __init__(
        self,
        name: str | None = None,
        *,
        level: object = 0,
        categories: Iterable[str] = (),
        components: Iterable[str] = (),
        format: str | Callable[[Record], str | bytes] | None = None,  # noqa: A002
        date_format: str | None = None,
        fallback: Output | str | None = None,
        fallback_after_s: float = 5.0,
        journal: bool = False,
    ) -> None:
        self.name = self.kind if name is None else name
        if not _NAME.fullmatch(self.name):
            raise ConfigurationError(
                f"output name {self.name!r} cannot be used: up to 64 letters, digits, '_', '.' and '-'"
                " would be right",
                code="output_name_invalid",
                field="name",
            )
        self.level = self._level(level)
        self.categories = frozenset((categories,) if isinstance(categories, str) else categories)
        self.components = tuple((components,) if isinstance(components, str) else components)
        self.format = format or self.default_format
        self.date_format = date_format
        self.fallback = fallback
        self.fallback_after_s = fallback_after_s
        self.journal = journal
        self._given: dict[str, Any] = {}

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Remembers the arguments, so that a forked child can have one of its own."""
        made = super().__new__(cls)
        made._arguments = args, kwargs
        return made

    def in_child(self) -> Output:
        """The same output for a forked child, which shares no connection with its parent."""
        args, kwargs = self._arguments
        return type(self)(*args, **kwargs)

    def _level(self, level: object) -> int:
        try:
            return level_number(level)
        except ValueError:
            raise self.bad_option("level", level, "a level name or a number") from None

    def bad_option(self, option: str, value: object, wanted: str) -> ConfigurationError:
        """The error for an option that cannot be used."""
        return ConfigurationError(
            f"option {option} of output '{self.name}' is {shown(value, option)}: {wanted} would be right",
            code="setting_invalid",
            field=f"outputs.{self.name}.{option}",
        )

    def read_options(self, given: Mapping[str, object]) -> dict[str, Any]:
        """Reads values by `options`; whoever has a constructor of its own calls it there.

        Raises:
            ConfigurationError: A value cannot be used; names output, option, value and remedy.
        """
        read: dict[str, Any] = {}
        for option in self.options:
            value = given.get(option.name, option.default)
            try:
                read[option.name] = None if value is None else option.read(value)
            except (ValueError, TypeError, OverflowError):
                raise self.bad_option(option.name, value, option.wanted) from None
        self._given |= read
        return read

    def describe(self) -> dict[str, object]:
        """What it is, for people and for the cursor; nothing secret is in it."""
        common = {
            "kind": self.kind,
            "level": self.level,
            "categories": sorted(self.categories),
            "components": list(self.components),
            "format": self.format if isinstance(self.format, str) else "callable",
        }
        plain = {
            key: masked(value, key)
            for key, value in self._given.items()
            if value is None or isinstance(value, (str, int, float))
        }
        return common | plain

    def follows(self, journal: str) -> None:  # noqa: B027 - most do not care
        """Told before `open` which journal it gets records of: its origin, or id if it is not sealed."""

    def open(self) -> None:  # noqa: B027 - most have nothing to open
        """Connects or opens; called before the first `write` and again after one failed."""

    @abstractmethod
    def write(self, batch: Batch) -> int | None:
        """Hands records over, and returns when the destination has them.

        Returns:
            How many of them the destination refused for good, if it said so: they are counted and do
            not come again.

        Raises:
            OutputError: They were not taken; `accepted` says how many were. Any other exception counts
                as `OutputUnavailable` with none accepted.
        """

    def flush(self) -> None:  # noqa: B027 - most have nothing to flush
        """Pushes out whatever `write` left in buffers of its own."""

    def is_available(self) -> bool:
        """Whether it is worth trying; False sends records to the fallback without trying."""
        return True

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Lets go of connections and files."""

    def held(self, count: int) -> Sequence[Record]:  # noqa: ARG002 - for those that hold any
        """The oldest records that it only keeps until somebody else takes them, at most `count`.

        A fallback in memory has some: they go to the output it stood in for when that is back.
        """
        return ()

    def let_go(self, count: int) -> None:  # noqa: B027 - most hold nothing
        """Forgets the oldest `count` of what it held."""

    def statistics(self) -> dict[str, Any]:
        """Counts of its own, shown besides those that all outputs have."""
        return {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} '{self.name}'>"


def option(
    name: str,
    read: Callable[[object], object],
    default: object,
    wanted: str,
    help: str,  # noqa: A002 - the word of the field
) -> Setting:
    """An option of an output."""
    return Setting(name, read, default, wanted, help, "output")


__all__ = ["Formatter", "Output", "option", "values"]
