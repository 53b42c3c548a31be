"""Records as an output gets them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from treering.outputs._output import Formatter


class Record(Mapping[str, "Any"]):
    """One record: a read-only mapping of its keys, parsed when first looked at.

    Attributes:
        index: Its place in the journal; without a journal, its number in this process.
        line: The canonical line, without line feed.
    """

    __slots__ = ("_fields", "index", "line")

    def __init__(self, index: int, line: bytes) -> None:
        self.index = index
        self.line = line
        self._fields: dict[str, Any] | None = None

    def _parsed(self) -> dict[str, Any]:
        if self._fields is None:
            try:
                found = json.loads(self.line)
            except ValueError:
                found = None
            # A line that is no record, adopted from a file that somebody else wrote to.
            text = self.line.decode(errors="backslashreplace")
            self._fields = found if isinstance(found, dict) else {"message": text}
        return self._fields

    def __getitem__(self, key: str) -> Any:
        return self._parsed()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parsed())

    def __len__(self) -> int:
        return len(self._parsed())

    def __repr__(self) -> str:
        return f"<Record {self.index}: {self.line[:80]!r}>"


def split(data: bytes) -> list[bytes]:
    """Canonical lines, each ended by a line feed, without their line feeds."""
    return data.removesuffix(b"\n").split(b"\n") if data else []


class Batch(Sequence[Record]):
    """Records in order, with their text as the output's formatter has it.

    Attributes:
        data: Canonical lines, each ended by a line feed.
        indexes: The index of each.
    """

    __slots__ = ("_formatter", "_lines", "data", "indexes")

    def __init__(self, data: bytes, indexes: Sequence[int], formatter: Formatter) -> None:
        self.data = data
        self.indexes = indexes
        self._formatter = formatter
        self._lines: list[bytes] | None = None

    @property
    def lines(self) -> list[bytes]:
        """The canonical lines, without line feeds."""
        if self._lines is None:
            self._lines = split(self.data)
        return self._lines

    def formatted(self) -> list[bytes]:
        """Each record as the output's formatter has it, without line feed.

        Raises:
            FormatFailed: A formatter of the user's raised an exception.
        """
        return self._formatter.lines(self.data, self.indexes)

    def text(self) -> bytes:
        """All records as the output's formatter has them, each ended by a line feed.

        Raises:
            FormatFailed: A formatter of the user's raised an exception.
        """
        return self._formatter.text(self.data, self.indexes)

    def after(self, count: int) -> Batch:
        """The same batch without its first `count` records."""
        if count <= 0:
            return self
        rest = b"".join(line + b"\n" for line in self.lines[count:])
        return Batch(rest, self.indexes[count:], self._formatter)

    def with_formatter(self, formatter: Formatter) -> Batch:
        """The same records for an output that shows them otherwise."""
        other = Batch(self.data, self.indexes, formatter)
        other._lines = self._lines
        return other

    def __len__(self) -> int:
        return len(self.indexes)

    @overload
    def __getitem__(self, at: int) -> Record: ...
    @overload
    def __getitem__(self, at: slice) -> list[Record]: ...
    def __getitem__(self, at: int | slice) -> Record | list[Record]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        return Record(self.indexes[at], self.lines[at])

    def __repr__(self) -> str:
        return f"<Batch of {len(self)} records>"
