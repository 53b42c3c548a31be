"""What a setting of another system is here: the shape of the tables in `_aliases.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from treering.config import _values as values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NOTHING: tuple[object, ...] = (None, False, "", (), [], {})


def as_it_is(value: object) -> object:
    """For what is read where it ends up."""
    return value


@dataclass(frozen=True, slots=True)
class Foreign:
    """A setting of another system, and what becomes of it.

    Attributes:
        name: As it is called there; nested names joined by `_`.
        to: Our settings that it sets: `level`, or an option of an output, `outputs.file.max_bytes`.
            Empty when there is none.
        read: From its value to ours; raises `ValueError`.
        wanted: What its value may be.
        always: The value that it has here for good; another one has no effect, with a notice.
        because: What a person should know: why there is none, or what is different here.
    """

    name: str
    to: tuple[str, ...] = ()
    read: Callable[[object], object] = as_it_is
    wanted: str = ""
    always: object = None
    because: str = ""

    def is_met(self, value: object) -> bool:
        """Whether asking for this value asks for nothing that there is not."""
        if self.always is None:
            return value in NOTHING or _is_off(value)
        try:
            return self.read(value) == self.always
        except (ValueError, TypeError):
            return False


def _is_off(value: object) -> bool:
    try:
        return values.boolean(value) is False
    except ValueError:
        return False


def by_name(*rows: Foreign) -> dict[str, Foreign]:
    """A table of one system."""
    return {row.name: row for row in rows}


def moved(name: str, *to: str, because: str = "") -> Foreign:
    """It is there, and checked as ours."""
    return Foreign(name, to, because=because)


def turned(
    name: str,
    *to: str,
    read: Callable[[object], object],
    wanted: str,
    because: str = "",
) -> Foreign:
    """It is there in another unit or form."""
    return Foreign(name, to, read, wanted, because=because)


def fixed(
    name: str,
    always: object,
    because: str,
    read: Callable[[object], object] = values.boolean,
) -> Foreign:
    """It has one value here."""
    return Foreign(name, (), read, always=always, because=because)


def later(name: str, what: str) -> Foreign:
    """It is not there yet."""
    return Foreign(name, because=f"not yet: {what}")


def absent(name: str, because: str) -> Foreign:
    """It has no place here, for a reason."""
    return Foreign(name, because=because)


def times(factor: float, least: int, most: int) -> Callable[[object], int]:
    """A number of another unit."""
    read = values.seconds(least, most)
    return lambda value: int(read(value) * factor)


def named(words: Mapping[str, str]) -> Callable[[object], str]:
    """One of their words, as ours."""

    def read(value: object) -> str:
        word = str(value).strip().lower()
        if isinstance(value, bool) or word not in words:
            raise ValueError
        return words[word]

    return read
