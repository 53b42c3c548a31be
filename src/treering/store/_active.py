"""The records that are not archived yet, as Arrow: read once, and again only what came since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from treering import _core
from treering.store.query import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

COLUMNS = (
    "index",
    "timestamp",
    "level",
    "level_number",
    "category",
    "component",
    "message",
    "event_id",
    "event_name",
    "cause",
    "module",
    "function",
    "file",
    "line",
    "process",
    "thread",
    "host",
    "trace_id",
    "span_id",
    "context",
    "metadata",
    "performance_data",
    "exception",
)
"""What can be asked about every record, archived or not."""

_KEPT_BYTES = 512 << 20
"""Of Arrow data in memory; a journal with more in its active segments is read again for each query."""

_MOST_BATCHES = 64


@dataclass(frozen=True, eq=False)
class Part:
    """The active records of a snapshot.

    Attributes:
        first: Index from which on they are active.
        end: Index before which they are.
        kept: The records, or `None` when they are too many to be kept.
        source: Then reads them from the segments, which it holds open.
        version: Another one when records were taken out of it.
    """

    first: int
    end: int
    kept: pa.Table | None
    source: _core.ActiveBatches | None = None
    version: int = 0

    def is_same(self, other: Part) -> bool:
        """Whether the other one holds the same records."""
        ours, theirs = (
            (part.first, part.end, part.version, part.kept is None) for part in (self, other)
        )
        return ours == theirs

    @property
    def absent(self) -> frozenset[str]:
        """Columns of JSON text that have nothing in any row, as far as that is known."""
        if self.kept is None:
            return frozenset()
        table = self.kept
        return frozenset(of for of in OBJECTS if table.column(of).null_count == table.num_rows)

    def relation(self) -> pa.Table | pa.RecordBatchReader:
        """The records; a reader can be read once."""
        if self.kept is not None:
            return self.kept
        import pyarrow as pa

        return pa.RecordBatchReader.from_stream(self.source)


class Active:
    """Keeps the active records of a journal."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._batches: list[pa.RecordBatch] = []
        self._schema: pa.Schema | None = None
        self._end = 0
        self._version = 0

    def part(self, first: int, end: int) -> Part:
        """The records from `first` to before `end`.

        Raises:
            OSError: A segment was archived in the meantime.
        """
        import pyarrow as pa

        self._forget_before(first)
        if end < self._end:
            # The journal lost its end, or began anew.
            self.forget()
        start = max(first, self._end)
        if start < end or self._schema is None:
            reader = pa.RecordBatchReader.from_stream(self._open(start, end))
            self._schema = reader.schema
            # Kept when all of it was read, so that nothing is read twice after an error.
            read: list[pa.RecordBatch] = []
            kept_bytes = sum(batch.nbytes for batch in self._batches)
            for batch in reader:
                read.append(batch)
                kept_bytes += batch.nbytes
                if kept_bytes > _KEPT_BYTES:
                    self._batches, self._end = [], 0
                    return Part(first, end, None, self._open(first, end), self._version)
            self._batches, self._end = [*self._batches, *read], end
        if len(self._batches) > _MOST_BATCHES:
            table = pa.Table.from_batches(self._batches).combine_chunks()
            self._batches = table.to_batches()
        kept = pa.Table.from_batches(self._batches, self._schema)
        return Part(first, end, kept, version=self._version)

    def forget(self) -> None:
        """Reads everything again the next time."""
        self._batches, self._end = [], 0
        self._version += 1

    def _open(self, first: int, end: int) -> _core.ActiveBatches:
        return _core.ActiveBatches(self._directory, first, end, columns=list(COLUMNS))

    def _forget_before(self, first: int) -> None:
        self._batches = [left for batch in self._batches for left in _from(batch, first)]


def _from(batch: pa.RecordBatch, first: int) -> Iterator[pa.RecordBatch]:
    import pyarrow.compute as pc

    indexes = batch.column("index")
    if indexes[0].as_py() >= first:
        yield batch
    elif indexes[-1].as_py() >= first:
        gone = pc.sum(pc.less(indexes, first)).as_py()
        yield batch.slice(gone)
