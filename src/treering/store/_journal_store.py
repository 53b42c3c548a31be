"""The store over the files of a journal: DuckDB where they lie, no server, no import."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from treering.errors import ConfigurationError, QueryError
from treering.store import _tables
from treering.store._cursor import Cursor
from treering.store._engine import Engine
from treering.store._fields import fields_of
from treering.store._pages import Wanted, records
from treering.store._patterns import patterns
from treering.store._question import Conditions
from treering.store._run import Run
from treering.store._sandbox import Sandbox
from treering.store._snapshot import Snapshots
from treering.store.query import (
    Aggregate,
    And,
    Compare,
    Key,
    Pattern,
    Patterns,
    Query,
    Stats,
    TimeChart,
    Top,
)
from treering.store.query import unparse as text_of

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from datetime import datetime
    from types import TracebackType

    from treering.store._result import Record, Result, Table
    from treering.store._store import FieldUse, Order, Same, Store
    from treering.store.query import Node

_LOOKED_AT = 50_000
"""Newest records that say which fields there are."""

_SAME = {"process": "process", "component": "component", "trace": "trace_id"}
_COUNT = Aggregate("count", None, None, "count")


def open_store(
    directory: str | os.PathLike[str],
    *,
    identities: Sequence[str | os.PathLike[str]] | None = None,
    memory: int = 1 << 30,
    threads: int | None = None,
) -> Store:
    """A store over one journal. Takes no lock that a writer could feel, and writes nothing.

    Args:
        directory: Of the journal.
        identities: Files with age identities, for archives that are encrypted; by default those that
            the environment variable `TREERING_IDENTITY` names.
        memory: Bytes that questions may take, beside what the active records need.
        threads: How many work on one; the default is one per core.

    Raises:
        ConfigurationError: The extra `query` is not installed.
        JournalUnavailable: There is no journal in `directory`, or it cannot be read.
    """
    try:
        import duckdb  # noqa: F401 - used by what is opened
        import pyarrow as pa  # noqa: F401
    except ImportError as error:
        raise ConfigurationError(
            f"the store needs {error.name}, which is not installed",
            code="extra_missing",
            hint="pip install treering[query]",
        ) from None
    return JournalStore(Path(directory), identities, memory=memory, threads=threads)


class JournalStore:
    """See `Store`, and `open_store`, which makes it."""

    def __init__(
        self,
        directory: Path,
        identities: Sequence[str | os.PathLike[str]] | None,
        *,
        memory: int,
        threads: int | None,
    ) -> None:
        self.directory = directory
        self._snapshots = Snapshots(directory, identities)
        self._engine = Engine(memory=memory, threads=threads)
        self._sandbox = Sandbox(memory=memory, threads=threads)
        self._snapshots.take()

    def __repr__(self) -> str:
        return f"<Store of '{self.directory}'>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._engine.close()
        self._sandbox.close()

    def search(
        self,
        query: str = "",
        *,
        level: str | int | None = None,
        category: str | None = None,
        component: str | None = None,
        start: str | datetime | None = None,
        end: str | datetime | None = None,
        text: str | None = None,
        fields: Mapping[str, Any] | None = None,
        journal: bool = False,
        limit: int | None = 100,
        cursor: str | None = None,
        order: Order = "newest",
        timeout_s: float | None = None,
    ) -> Result:
        conditions = Conditions(
            level=level,
            category=category,
            component=component,
            start=start,
            end=end,
            text=text,
            fields=fields or {},
            journal=journal,
        )
        asked = conditions.question(query)
        run = Run(timeout_s)
        if any(isinstance(pipe, Patterns) for pipe in asked.pipes):
            return patterns(run, self._engine, self._snapshots.take(), asked)
        if asked.pipes:
            return _tables.ask(run, self._engine, self._snapshots.take(), asked)
        return self._page(run, asked.filter, order=order, limit=limit, cursor=cursor)

    def _page(
        self, run: Run, node: Node, *, order: Order, limit: int | None, cursor: str | None
    ) -> Result:
        if limit is not None and limit < 1:
            raise QueryError(f"limit {limit} is not above 0", field="limit")
        if order not in {"newest", "oldest"}:
            raise QueryError(f"order '{order}' is neither newest nor oldest", field="order")
        question = f"{self.directory.absolute()}\n{order}\n{text_of(Query(node))}".encode()
        place = Cursor.parse(cursor, question) if cursor else None
        wanted = Wanted(node, order, limit, place, question)
        return records(run, self._engine, self._snapshots.take(), wanted)

    def sql(
        self,
        statement: str,
        parameters: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        limit: int | None = None,
        timeout_s: float | None = 60,
    ) -> Table:
        given = dict(parameters) if isinstance(parameters, Mapping) else list(parameters or ())
        return self._sandbox.ask(
            Run(timeout_s), self._snapshots.take(), statement, given or None, limit
        )

    def count(self, query: str = "", *, timeout_s: float | None = None) -> int:
        rows = self._piped(query, Stats((_COUNT,), ()), timeout_s)
        return int(rows.to_list()[0]["count"])

    def histogram(
        self,
        query: str = "",
        *,
        span: str | None = None,
        buckets: int = _tables.BUCKETS,
        by: str | None = "level",
        timeout_s: float | None = None,
    ) -> Table:
        keys = () if by is None else (Key(by, None, by),)
        return self._piped(query, TimeChart(span, (_COUNT,), keys), timeout_s, buckets)

    def facets(
        self,
        query: str,
        fields: Sequence[str],
        *,
        limit: int = 10,
        timeout_s: float | None = None,
    ) -> dict[str, list[tuple[Any, int]]]:
        found = {}
        for name in fields:
            rows = self._piped(query, Top(limit, (name,)), timeout_s)
            found[name] = [(row[name], row["count"]) for row in rows]
        return found

    def _piped(
        self,
        query: str,
        pipe: Stats | TimeChart | Top,
        timeout_s: float | None,
        buckets: int = _tables.BUCKETS,
    ) -> Table:
        asked = Conditions().question(query)
        if asked.pipes:
            raise QueryError(
                "only the records are chosen here, pipes cannot be used", field="query"
            )
        asked = Query(asked.filter, (pipe,))
        answer = _tables.ask(Run(timeout_s), self._engine, self._snapshots.take(), asked, buckets)
        assert answer.is_table, "these pipes make tables"  # noqa: S101
        return answer  # type: ignore[return-value]

    def fields(self) -> dict[str, FieldUse]:
        snapshot = self._snapshots.take()
        newest = self._page(
            Run(None),
            Conditions().question("").filter,
            order="newest",
            limit=_LOOKED_AT,
            cursor=None,
        )
        return fields_of(snapshot.files, newest)

    def context(
        self, index: int, *, before: int = 10, after: int = 10, same: Same = "none"
    ) -> list[Record]:
        run, snapshot = Run(None), self._snapshots.take()
        found = snapshot.lines([index])
        if not found or not found[0][1]:
            raise QueryError(f"there is no record {index}", code="record_missing", field="index")
        from treering.store._result import Record

        here = Record(*found[0])
        node = _like(here, same)
        older = self._around(run, node, Cursor("below", index), before)
        newer = self._around(run, node, Cursor("above", index), after)
        return [*reversed(older), here, *newer]

    def _around(self, run: Run, node: Node, place: Cursor, count: int) -> list[Record]:
        if not count:
            return []
        order: Order = "newest" if place.direction == "below" else "oldest"
        wanted = Wanted(node, order, count, place, b"")
        return list(records(run, self._engine, self._snapshots.take(), wanted).records())


def _like(record: Record, same: Same) -> Node:
    """Conditions that the record and those around it share."""
    value = record.value
    is_journals = str(value.get("component", "")).startswith("treering.")
    node = Conditions(journal=is_journals).question("").filter
    if same == "none":
        return node
    if same not in _SAME:
        raise QueryError(f"same '{same}' is none of {', '.join((*_SAME, 'none'))}", field="same")
    key = _SAME[same]
    if key not in value:
        raise QueryError(f"record {record.index} has no {key}", field="same")
    return And((node, Compare(key, "=", Pattern((str(value[key]),)))))
