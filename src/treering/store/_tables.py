"""Questions with pipes: one statement over all records that may matter."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from treering.store._engine import active_piece, pieces_with_words
from treering.store._pages import lines_of
from treering.store._prune import Pruning
from treering.store._result import Records, Table
from treering.store._run import fetch_rows, stream
from treering.store.query import (
    Fragment,
    TimeChart,
    compile_pipes,
    parse_time,
    required_words,
    time_bounds,
)

if TYPE_CHECKING:
    from treering.store._engine import Engine, Piece
    from treering.store._result import Result
    from treering.store._run import Run
    from treering.store._snapshot import Snapshot
    from treering.store.query import Node, Plan, Query

_SECOND = 1_000_000_000
_SPANS = tuple(
    int(seconds * _SECOND)
    for seconds in (
        *(0.001, 0.01, 0.1, 0.5),
        *(1, 2, 5, 10, 15, 30),
        *(60, 120, 300, 600, 900, 1800),
        *(3600, 7200, 10_800, 21_600, 43_200),
        *(86_400, 7 * 86_400, 28 * 86_400, 364 * 86_400),
    )
)
"""Lengths that people read easily."""

BUCKETS = 60
"""Pieces of time that a chart has at most when nobody says a length."""


def ask(
    run: Run, engine: Engine, snapshot: Snapshot, query: Query, buckets: int = BUCKETS
) -> Result:
    """What the pipes make of the records."""
    now_ns = time.time_ns()
    length = 1
    if any(isinstance(pipe, TimeChart) and pipe.span is None for pipe in query.pipes):
        since, until = _extent(run, engine, snapshot, query.filter, now_ns)
        length = next((span for span in _SPANS if span * buckets >= until - since), _SPANS[-1])
    plan = compile_pipes(query, span_ns=length)
    pieces = relevant(snapshot, plan.filter, now_ns)
    statement = plan.over([record_select(plan, piece, now_ns) for piece in pieces])
    connection = engine.connect(snapshot)
    if plan.columns:
        return Table(run, *stream(run, connection, statement.sql, statement.parameters))
    rows = fetch_rows(run, connection, statement.sql, statement.parameters)
    return Records(run, lines_of(run, snapshot, (row[0] for row in rows)))


def relevant(snapshot: Snapshot, node: Node, now_ns: int) -> list[Piece]:
    """The relations that may have matching records; the active one always, so that there is one."""
    pruning = Pruning(node, now_ns)
    files = [file for file in snapshot.files if pruning.may_have(file.facts)]
    return [*pieces_with_words(files, required_words(node)), active_piece(snapshot)]


def record_select(plan: Plan, piece: Piece, now_ns: int) -> Fragment:
    """The inputs of a plan from one relation."""
    source = piece.source
    if piece.bounds:
        source = f"(SELECT * FROM {source} WHERE {piece.bounds} TRUE)"  # noqa: S608 - ours
    return plan.select(Fragment(source), piece.columns, now_ns=now_ns)


def _extent(
    run: Run, engine: Engine, snapshot: Snapshot, node: Node, now_ns: int
) -> tuple[int, int]:
    """From when to when there may be records that match."""
    since, until = time_bounds(node, now_ns=now_ns)
    times = [
        parse_time(file.facts[name], 0)[0]
        for file in snapshot.files
        for name in ("min_timestamp", "max_timestamp")
        if file.facts[name] is not None
    ]
    piece = active_piece(snapshot)
    sql = f"SELECT epoch_ns(min(timestamp)), epoch_ns(max(timestamp)) FROM {piece.source}"  # noqa: S608 - ours
    found = fetch_rows(run, engine.connect(snapshot), sql, ())[0]
    times.extend(moment for moment in found if moment is not None)
    low, high = min(times, default=0), max(times, default=0)
    return max(low, since or low), min(high, until or high)
