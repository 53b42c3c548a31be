"""Files of a journal that stay readable: held open, so that nobody's replacing or removing matters.

DuckDB opens files by name. An open file has one that leads to itself and to nothing else, for as long
as it is open: `/proc/self/fd/N`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treering.errors import JournalDamaged
from treering.store.query import OBJECTS, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pyarrow.parquet as pq

    from treering.store.query import Kind

_KINDS: Mapping[str, Kind] = {
    "int64": "integer",
    "double": "double",
    "string": "string",
    "boolean": "boolean",
}
_PIECE_BYTES = 1 << 20
_LOOKED_AT_ONCE = 8192


class Held:
    """An open file, closed with the last who knows it.

    Attributes:
        descriptor: Of the kernel.
        identity: What tells it from any other file: device, number, size, time of the last change.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        status = os.fstat(descriptor)
        self.identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    def __del__(self) -> None:
        os.close(self.descriptor)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Held:
        """Opens a file for reading.

        Raises:
            OSError: It cannot be opened.
        """
        return cls(os.open(path, os.O_RDONLY | os.O_CLOEXEC))

    @property
    def path(self) -> str:
        """Where this process finds it."""
        return f"/proc/self/fd/{self.descriptor}"


@dataclass(frozen=True, eq=False)
class ArchiveFile:
    """A file of the archive.

    Attributes:
        name: Where it lies, for messages and for what lies beside it.
        open: Gives the file itself: pinned already, or decrypted into memory when it is asked for.
        facts: What it says about itself; keys as in `docs/concepts/archive-files.md`.
        shape: Its promoted columns: name, kind, whether other types are in the JSON text.
    """

    name: str
    open: Callable[[], Held]
    facts: Mapping[str, Any]
    shape: tuple[tuple[str, Kind, bool], ...] = field(init=False)

    def __post_init__(self) -> None:
        shape = tuple(
            (column["column"], _KINDS[column["type"]], not column["elsewhere"])
            for column in self.facts["promoted"]
        )
        object.__setattr__(self, "shape", tuple(sorted(shape)))

    @cached_property
    def file(self) -> Held:
        """The file itself.

        Raises:
            TreeringError: It cannot be decrypted.
        """
        return self.open()

    @cached_property
    def absent(self) -> frozenset[str]:
        """Columns of JSON text that have nothing in any row."""
        import pyarrow.parquet as pq

        file = pq.ParquetFile(self.file.path)
        return frozenset(name for name in OBJECTS if _is_empty(file, name))

    @property
    def is_since_1970(self) -> bool:
        """No record is older."""
        oldest = self.facts["min_timestamp"]
        return oldest is not None and parse_time(oldest, 0)[0] >= 0

    @property
    def first(self) -> int:
        """Index from which on it stands for records."""
        return int(self.facts["first"])

    @property
    def end(self) -> int:
        """Index before which it does."""
        return int(self.facts["end"])


def _is_empty(file: pq.ParquetFile, column: str) -> bool:
    # A column of nothing takes no time to read, and of any other only the first rows are read.
    batches = file.iter_batches(_LOOKED_AT_ONCE, columns=[column], use_threads=False)
    return all(batch.column(0).null_count == batch.num_rows for batch in batches)


class Segment:
    """A segment that is not archived, and where its lines are.

    Attributes:
        first: Index of its first record.
        file: The file itself.
    """

    def __init__(self, path: Path) -> None:
        self.first = int(path.stem)
        self.name = str(path)
        self.file = Held.open(path)
        # Index and offset of the first line of each piece; the last one is where to go on.
        self._pieces = [(self.first, 0)]

    def is_still(self, path: str | os.PathLike[str]) -> bool:
        """Whether this file lies there, and was not written anew without some records.

        Raises:
            OSError: No file lies there.
        """
        status = Path(path).stat()
        return (status.st_dev, status.st_ino) == self.file.identity[:2]

    def lines(self, indexes: list[int], end: int) -> Iterator[tuple[int, bytes]]:
        """The lines with these indexes, which rise; an empty one where a record was taken out.

        Args:
            indexes: Of the lines.
            end: Index before which all was committed; what lies behind it may be taken back.

        Raises:
            JournalDamaged: It does not hold them.
        """
        from bisect import bisect_right

        self._look_as_far_as(indexes[-1], end)
        at = 0
        while at < len(indexes):
            piece = bisect_right(self._pieces, (indexes[at], float("inf"))) - 1
            first, begin = self._pieces[piece]
            if piece + 1 == len(self._pieces):
                raise JournalDamaged(
                    f"segment '{self.name}' has no record {indexes[at]}, which was committed",
                    code="record_missing",
                    path=self.name,
                )
            end_index, end = self._pieces[piece + 1]
            found = os.pread(self.file.descriptor, end - begin, begin).split(b"\n")
            while at < len(indexes) and indexes[at] < end_index:
                line = found[indexes[at] - first]
                # What was taken out since the file was opened was overwritten with blanks.
                is_gone = line[:1] == b" " or line[-1:] == b" "
                yield indexes[at], b"" if is_gone else line
                at += 1

    def _look_as_far_as(self, index: int, end: int) -> None:
        size = _PIECE_BYTES
        while self._pieces[-1][0] <= index:
            first, begin = self._pieces[-1]
            piece = os.pread(self.file.descriptor, size, begin)
            length = piece.rfind(b"\n") + 1
            count = piece.count(b"\n", 0, length)
            if first + count > end:
                count = end - first
                length = sum(len(line) + 1 for line in piece.split(b"\n", count)[:count])
            if count > 0:
                self._pieces.append((first + count, begin + length))
                size = _PIECE_BYTES
            elif len(piece) == size:
                size *= 2
            else:
                return
