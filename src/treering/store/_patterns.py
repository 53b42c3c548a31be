"""The pipe `patterns`: SQL finds the records, the miner what their messages have in common."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from treering import _core
from treering.store._engine import active_piece, pieces_with_words
from treering.store._prune import Pruning
from treering.store._result import Table
from treering.store._run import stream
from treering.store._tables import record_select
from treering.store.query import (
    PATTERN_FORMS,
    Fields,
    Patterns,
    Query,
    Where,
    compile_pipes,
    compile_table,
    required_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from treering.store._engine import Engine, Piece
    from treering.store._run import Run
    from treering.store._snapshot import Snapshot
    from treering.store.query import Pipe, Plan

REST = "(rare messages)"
"""The pattern of what was forgotten, so that memory is bounded."""

_MINED = ("index", "timestamp", "message", "component", "module", "file", "line")
_FILES_AT_ONCE = 8


def patterns(run: Run, engine: Engine, snapshot: Snapshot, query: Query) -> Table:
    """One row for each pattern, most frequent first, and what the pipes behind make of them."""
    at = next(at for at, pipe in enumerate(query.pipes) if isinstance(pipe, Patterns))
    mined = _mined(run, engine, snapshot, query.filter, query.pipes[:at])
    pipe = query.pipes[at]
    limit = pipe.limit if isinstance(pipe, Patterns) else None
    connection = engine.connect(snapshot)
    connection.register("patterns", mined if limit is None else mined.slice(0, limit))
    statement = compile_table(
        query.pipes[at + 1 :], "patterns", PATTERN_FORMS, ("-count", "pattern")
    )
    return Table(run, *stream(run, connection, statement.sql, statement.parameters))


def _mined(
    run: Run, engine: Engine, snapshot: Snapshot, node: Any, before: Sequence[Pipe]
) -> pa.Table:
    import pyarrow as pa

    now_ns = time.time_ns()
    plan = compile_pipes(Query(node, (*before, Fields(_MINED))), now_ns=now_ns)
    miner = _core.Miner()
    for pieces in _steps(snapshot, plan, before, now_ns):
        statement = plan.over([record_select(plan, piece, now_ns) for piece in pieces])
        connection = engine.connect(snapshot)
        _, batches = stream(run, connection, statement.sql, statement.parameters)
        for batch in batches:
            miner.add_arrow(_for_miner(batch))
    return pa.Table.from_pylist(list(_rows(miner)), _schema())


def _steps(
    snapshot: Snapshot, plan: Plan, before: Sequence[Pipe], now_ns: int
) -> Iterator[list[Piece]]:
    """All at once where pipes look at all records, else few files at a time, which needs no room."""
    pruning = Pruning(plan.filter, now_ns)
    files = [file for file in snapshot.files if pruning.may_have(file.facts)]
    words = required_words(plan.filter)
    if not all(isinstance(pipe, Where) for pipe in before):
        yield [*pieces_with_words(files, words), active_piece(snapshot)]
        return
    for at in range(0, len(files), _FILES_AT_ONCE):
        pieces = pieces_with_words(files[at : at + _FILES_AT_ONCE], words)
        if pieces:
            yield pieces
    yield [active_piece(snapshot)]


def _for_miner(batch: pa.RecordBatch) -> pa.Table:
    import pyarrow as pa

    types = {"timestamp": pa.int64(), "index": pa.int64(), "line": pa.int64()}
    columns = {
        name: batch.column(at).cast(types.get(name, pa.string())) for at, name in enumerate(_MINED)
    }
    return pa.table(columns)


def _schema() -> pa.Schema:
    import pyarrow as pa

    types = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64()}
    return pa.schema([(name, types[form]) for name, form in PATTERN_FORMS])


def _rows(miner: _core.Miner) -> Iterator[dict[str, Any]]:
    templates = miner.templates()
    forgotten = miner.counts()["forgotten_messages"]
    total = sum(found["count"] for found in templates) + forgotten
    rows: dict[str, dict[str, Any]] = {}
    for found in templates:
        example = next((message for _, message in found["examples"]), None)
        row = {"count": 0, "first": found["first"], "last": found["last"], "example": example}
        # Calls in several places may say the same.
        known = rows.setdefault(found["template"], {"pattern": found["template"], **row})
        known["count"] += found["count"]
        known["first"] = min(known["first"], found["first"])
        known["last"] = max(known["last"], found["last"])
    if forgotten:
        rows[REST] = {"pattern": REST, "count": forgotten}
    for row in sorted(rows.values(), key=lambda row: (-row["count"], row["pattern"])):
        yield {**row, "share": row["count"] / total}
