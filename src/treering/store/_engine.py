"""DuckDB over a snapshot: which SQL finds the records of a question."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from treering import _core
from treering.store._run import Run, fetch_rows
from treering.store.query import Columns, compile_filter

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    import duckdb

    from treering.store._pinned import ArchiveFile
    from treering.store._snapshot import Snapshot
    from treering.store.query import Fragment, Node

_MOST_RANGES = 4
"""Of one file that become a scan each; more are read as one."""

ACTIVE = "active_lines"
"""Name under which DuckDB knows the active records."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Records in one relation with the same columns.

    Attributes:
        source: The relation, as SQL.
        columns: What it has.
        first: Index from which on it has records.
        end: Index before which it does.
        range: Indexes, from and before, outside of which none of them can match.
    """

    source: str
    columns: Columns
    first: int
    end: int
    range: tuple[int, int] | None = None

    @property
    def bounds(self) -> str:
        """The range as a condition, which row groups are skipped by; empty without one."""
        if self.range is None:
            return ""
        return f'"index" >= {self.range[0]} AND "index" < {self.range[1]} AND '


def pieces_of(files: Iterable[ArchiveFile]) -> list[Piece]:
    """Files with the same promoted columns together."""
    shapes: dict[tuple[Any, ...], list[ArchiveFile]] = {}
    for file in files:
        shapes.setdefault((file.shape, file.absent, file.is_since_1970), []).append(file)
    return [_piece(alike) for alike in shapes.values()]


def pieces_with_words(files: Sequence[ArchiveFile], words: Collection[str]) -> list[Piece]:
    """The same, but only what may have all of the words, by the indexes of words beside the files."""
    if not words or not files:
        return pieces_of(files)
    found = _core.token_ranges([file.name for file in files], sorted(words))
    whole, parts = [], []
    for file, ranges in zip(files, found, strict=True):
        if any(first <= file.first and end >= file.end for first, end in ranges):
            whole.append(file)
        elif len(ranges) > _MOST_RANGES:
            parts.append(replace(_piece([file]), range=(ranges[0][0], ranges[-1][1])))
        else:
            parts.extend(replace(_piece([file]), range=each) for each in ranges)
    return [*pieces_of(whole), *parts]


def _piece(files: list[ArchiveFile]) -> Piece:
    paths = ", ".join(f"'{file.file.path}'" for file in files)
    shape = files[0].shape
    columns = Columns(
        promoted={name: kind for name, kind, _ in shape},
        whole=frozenset(name for name, _, is_whole in shape if is_whole),
        absent=files[0].absent,
        is_since_1970=files[0].is_since_1970,
    )
    first, end = min(file.first for file in files), max(file.end for file in files)
    return Piece(f"read_parquet([{paths}])", columns, first, end)


def active_piece(snapshot: Snapshot) -> Piece:
    """The active records."""
    columns = Columns(absent=snapshot.active.absent)
    return Piece(ACTIVE, columns, snapshot.active.first, snapshot.active.end)


class Engine:
    """DuckDB, with what it remembers of files between questions.

    Args:
        memory: Bytes that all questions together may take.
        threads: How many work on them; DuckDB's default is one per core.
    """

    def __init__(self, *, memory: int, threads: int | None) -> None:
        self._memory = memory
        self._threads = threads
        self._lock = threading.Lock()
        self._base: duckdb.DuckDBPyConnection | None = None
        self._known: dict[str, tuple[int, ...]] = {}

    def connect(self, snapshot: Snapshot) -> duckdb.DuckDBPyConnection:
        """A connection of one's own that sees the snapshot's files and `active_lines`."""
        with self._lock:
            # A number that the kernel gave to another file since: what is remembered of it is wrong.
            names = {file.file.path: file.file.identity for file in snapshot.files}
            is_stale = any(self._known.get(path, it) != it for path, it in names.items())
            if self._base is None or is_stale:
                self._base, self._known = self._open(), {}
            self._known.update(names)
            connection = self._base.cursor()
        connection.register(ACTIVE, snapshot.active.relation())
        return connection

    def close(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._base, self._known = None, {}

    def _open(self) -> duckdb.DuckDBPyConnection:
        import duckdb

        config: dict[str, Any] = {"memory_limit": f"{self._memory}B", "temp_directory": ""}
        if self._threads:
            config["threads"] = self._threads
        base = duckdb.connect(":memory:", config=config)
        for setting in (
            "TimeZone = 'UTC'",
            "parquet_metadata_cache = true",
            "enable_progress_bar = false",
            "autoinstall_known_extensions = false",
            "autoload_known_extensions = false",
            "python_enable_replacements = false",
        ):
            base.sql(f"SET {setting}")
        return base


@dataclass(frozen=True, slots=True)
class Span:
    """Indexes: from `first` to before `end`."""

    first: int
    end: int


def select(
    pieces: Sequence[Piece], columns: str, node: Node, span: Span | None, now_ns: int
) -> tuple[str, list[Any]]:
    """SQL for these columns of the records that match, in no order, and its parameters."""
    selects: list[str] = []
    parameters: list[Any] = []
    for piece in pieces:
        condition: Fragment = compile_filter(node, piece.columns, now_ns=now_ns)
        bounds = _bounds(piece, span)
        selects.append(
            f"SELECT {columns} FROM {piece.source} WHERE {piece.bounds}{bounds}{condition.sql}"  # noqa: S608 - ours
        )
        parameters.extend(condition.parameters)
    return " UNION ALL ".join(selects), parameters


def _bounds(piece: Piece, span: Span | None) -> str:
    if span is None:
        return ""
    low = f'"index" >= {span.first} AND ' if span.first > piece.first else ""
    high = f'"index" < {span.end} AND ' if span.end < piece.end else ""
    return low + high


def indexes(
    run: Run,
    connection: duckdb.DuckDBPyConnection,
    steps: Iterable[Sequence[Piece]],
    node: Node,
    *,
    span: Span,
    is_newest_first: bool,
    limit: int | None,
    now_ns: int,
) -> Iterator[int]:
    """Indexes of the records that match, in order; `steps` are in that order, too."""
    order = "DESC" if is_newest_first else "ASC"
    left = limit
    for pieces in steps:
        sql, parameters = select(pieces, '"index"', node, span, now_ns)
        bound = "" if left is None else f" LIMIT {left}"
        rows = fetch_rows(run, connection, f'{sql} ORDER BY "index" {order}{bound}', parameters)
        yield from (row[0] for row in rows)
        if left is not None:
            left -= len(rows)
            if left <= 0:
                return
