"""Which events pass, by their numbers: the filter policy files of PoseidonOS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from treering.errors import ConfigurationError

if TYPE_CHECKING:
    import os
    from typing import Self

    Ranges = tuple[tuple[int, int], ...]

_MOST_DIGITS = 19


class EventFilter:
    """Included and excluded event ids.

    If anything is included, only included ids pass; otherwise all pass that are not excluded. An id that
    is both passes. Ids are compared as numbers: leading zeros do not matter.

    A file has lines `include: LIST` and `exclude: LIST`, LIST being numbers and inclusive ranges such as
    `2000-3000` with commas between; lines of one kind add up, spaces do not matter, `#` begins a comment
    line. Unlike PoseidonOS, blank lines and comments without a colon are accepted, and a file that
    cannot be used changes nothing.
    """

    def __init__(self, *, included: Ranges = (), excluded: Ranges = ()) -> None:
        self.included = included
        self.excluded = excluded

    def __repr__(self) -> str:
        return f"<EventFilter included={self.included} excluded={self.excluded}>"

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Reads a filter policy file.

        Raises:
            ConfigurationError: It cannot be read (PoseidonOS's event 4701), or a line says something
                else (4700); the message names the line.
        """
        try:
            text = Path(path).read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise ConfigurationError(
                f"event filter {path} cannot be read: {error.strerror}",
                code="event_filter_missing",
                path=path,
            ) from None
        return cls.parse(text, path)

    @classmethod
    def parse(cls, text: str, path: object = "<text>") -> Self:
        """As `load`, of text; `path` is for messages."""
        found: dict[str, list[tuple[int, int]]] = {"include": [], "exclude": []}
        for number, line in enumerate(text.split("\n"), 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            keyword, colon, ids = line.partition(":")
            ranges = found.get(keyword.strip())
            if not colon or ranges is None:
                raise _unusable(path, number, line, "'include: LIST' or 'exclude: LIST'")
            for part in ids.split(","):
                ids_of = _range(part)
                if ids_of is None:
                    raise _unusable(path, number, part, "a number or a range such as 2000-3000")
                ranges.append(ids_of)
        return cls(included=tuple(found["include"]), excluded=tuple(found["exclude"]))

    def passes(self, event: int | str | Mapping[str, object]) -> bool:
        """Whether an event passes: an id, or a record (parsed JSON), which may have none."""
        given = event.get("event_id") if isinstance(event, Mapping) else event
        number = number_of(str(given))
        if self.included:
            return _within(number, self.included)
        return not _within(number, self.excluded)


def _within(number: int | None, ranges: Ranges) -> bool:
    return number is not None and any(first <= number <= last for first, last in ranges)


def number_of(text: str) -> int | None:
    """Decimal digits as a number; `None` for anything else, and for more than any id has."""
    digits = text.strip()
    if not digits.isdecimal() or not digits.isascii() or len(digits) > _MOST_DIGITS:
        return None
    return int(digits)


def _range(text: str) -> tuple[int, int] | None:
    first, dash, last = text.partition("-")
    ends = number_of(first), number_of(last if dash else first)
    if ends[0] is None or ends[1] is None or ends[0] > ends[1]:
        return None
    return ends[0], ends[1]


def _unusable(path: object, number: int, found: str, wanted: str) -> ConfigurationError:
    return ConfigurationError(
        f"event filter {path}:{number}: {found.strip()!r} is not usable: {wanted} would be right",
        code="event_filter_invalid",
        path=path,
    )
