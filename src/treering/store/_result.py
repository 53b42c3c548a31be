"""What the store answers: records or rows, as they come."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from treering.store._active import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from treering.store._run import Run

_BATCH_ROWS = 4096


@dataclass(frozen=True, slots=True)
class Record:
    """A record that was found.

    Attributes:
        index: Its place in the journal.
        line: The canonical line, without line feed.
    """

    index: int
    line: bytes

    @property
    def value(self) -> dict[str, Any]:
        """What the line says; keys as in `docs/concepts/record.md`."""
        try:
            value = json.loads(self.line)
        except ValueError:
            value = None
        if isinstance(value, dict):
            return value
        # A line that is no record is a record whose message it is.
        return {"message": self.line.decode("utf-8", "replace")}


class Result:
    """An answer that streams: it can be read once, by any one of its methods.

    Iterating gives each row as a dict: for records the record with its `index`, otherwise the columns
    of the table that a pipe or SQL made.
    """

    is_table: bool
    columns: tuple[str, ...]

    def __init__(self, run: Run) -> None:
        self._run = run

    def __iter__(self) -> Iterator[dict[str, Any]]:
        raise NotImplementedError

    def arrow(self) -> pa.RecordBatchReader:
        """The rows as Arrow, batch by batch."""
        raise NotImplementedError

    def to_list(self) -> list[dict[str, Any]]:
        """All rows."""
        return list(self)

    def pandas(self) -> pd.DataFrame:
        """All rows as a frame of pandas."""
        return self.arrow().read_pandas()

    def polars(self) -> pl.DataFrame:
        """All rows as a frame of Polars."""
        import polars as pl

        frame = pl.from_arrow(self.arrow().read_all())
        assert isinstance(frame, pl.DataFrame), "a table becomes a frame"  # noqa: S101
        return frame

    def cancel(self) -> None:
        """Stops the query, from any thread; reading on raises `QueryCancelled`."""
        self._run.cancel()


class Table(Result):
    """Rows with columns.

    Attributes:
        is_cut: After reading: whether there were more rows than `limit`.
    """

    is_table = True

    def __init__(
        self, run: Run, schema: pa.Schema, batches: Generator[pa.RecordBatch, None, bool | None]
    ) -> None:
        super().__init__(run)
        self.columns = tuple(schema.names)
        self.is_cut = False
        self._schema = schema
        self._batches = batches

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for batch in self._all():
            yield from rows_of(batch)

    def arrow(self) -> pa.RecordBatchReader:
        import pyarrow as pa

        return pa.RecordBatchReader.from_batches(self._schema, self._all())

    def _all(self) -> Iterator[pa.RecordBatch]:
        self.is_cut = bool((yield from self._batches))


class Records(Result):
    """Records that matched, as they stand in the journal.

    Attributes:
        next_cursor: Goes on behind the last record; `None` when there is nothing more.
        previous_cursor: Goes back before the first one; `None` for an empty page.
    """

    is_table = False

    def __init__(
        self,
        run: Run,
        found: Iterator[Record],
        *,
        next_cursor: str | None = None,
        previous_cursor: str | None = None,
    ) -> None:
        super().__init__(run)
        self.columns = tuple(name for name in COLUMNS if name != "level_number")
        self.next_cursor = next_cursor
        self.previous_cursor = previous_cursor
        self._found = found

    def records(self) -> Iterator[Record]:
        """Index and line of each."""
        yield from self._found

    def lines(self) -> Iterator[bytes]:
        """The canonical lines, without line feed."""
        return (record.line for record in self._found)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return ({"index": record.index, **record.value} for record in self._found)

    def arrow(self) -> pa.RecordBatchReader:
        """The records in the columns of the archive, without promoted ones, batch by batch."""
        import pyarrow as pa

        schema = _as_arrow([], self.columns).schema
        return pa.RecordBatchReader.from_batches(schema, arrow_batches(self._found, self.columns))


def arrow_batches(
    records: Iterable[Record], columns: tuple[str, ...] = COLUMNS
) -> Iterator[pa.RecordBatch]:
    """Records in the columns of the archive, without promoted ones; at least one batch, maybe empty."""
    from itertools import islice

    left = iter(records)
    some = list(islice(left, _BATCH_ROWS))
    yield _as_arrow(some, columns)
    while some := list(islice(left, _BATCH_ROWS)):
        yield _as_arrow(some, columns)


def _as_arrow(records: list[Record], columns: tuple[str, ...]) -> pa.RecordBatch:
    import pyarrow as pa

    from treering import _core

    lines = b"".join(record.line + b"\n" for record in records)
    reader = pa.RecordBatchReader.from_stream(_core.lines_to_arrow(0, lines, columns=list(columns)))
    table = reader.read_all().combine_chunks()
    indexes = pa.array([record.index for record in records], pa.int64())
    place = table.schema.get_field_index("index")
    table = table.set_column(place, table.schema.field(place), indexes)
    batches = table.to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], table.schema)


def rows_of(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """The rows of a batch as Python values; times as RFC 3339 with all their digits."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = []
    for field, column in zip(batch.schema, batch.columns, strict=True):
        shown = column
        if pa.types.is_timestamp(field.type):
            shown = pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")
        columns.append(shown.to_pylist())
    for row in zip(*columns, strict=True):
        yield dict(zip(batch.schema.names, row, strict=True))
