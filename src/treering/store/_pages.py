"""Records by question: which files are looked at in which order, pages, lines."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal

from treering.store._cursor import Cursor
from treering.store._engine import Span, active_piece, indexes, pieces_with_words
from treering.store._prune import Pruning
from treering.store._result import Record, Records
from treering.store.query import required_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from treering.store._engine import Engine, Piece
    from treering.store._run import Run
    from treering.store._snapshot import Snapshot
    from treering.store.query import Node

Order = Literal["newest", "oldest"]

_LINES_AT_ONCE = 256
_MOST_FILES_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page of records.

    Attributes:
        node: Which records.
        order: Which come first.
        limit: How many at most; `None` is all.
        cursor: Where to go on.
        question: What a cursor is for.
    """

    node: Node
    order: Order
    limit: int | None
    cursor: Cursor | None
    question: bytes


def records(run: Run, engine: Engine, snapshot: Snapshot, wanted: Wanted) -> Records:
    """The records of a page. With a limit they are found at once, else as they are read."""
    is_newest = wanted.order == "newest"
    # A page in front of the cursor is found from the cursor on, so backwards, and then turned around.
    is_back = wanted.cursor is not None and (wanted.cursor.direction == "above") == is_newest
    found = _indexes(run, engine, snapshot, wanted, is_newest=is_newest != is_back)
    if wanted.limit is None:
        return Records(run, lines_of(run, snapshot, found))
    page = list(islice(found, wanted.limit + 1))
    has_more = len(page) > wanted.limit
    page = page[: wanted.limit]
    if is_back:
        page.reverse()
    lines = lines_of(run, snapshot, iter(page))
    if not page:
        return Records(run, lines)
    before, behind = ("above", "below") if is_newest else ("below", "above")
    following = Cursor(behind, page[-1]).text(wanted.question) if has_more or is_back else None  # type: ignore[arg-type]
    previous = Cursor(before, page[0]).text(wanted.question)  # type: ignore[arg-type]
    return Records(run, lines, next_cursor=following, previous_cursor=previous)


def _indexes(
    run: Run, engine: Engine, snapshot: Snapshot, wanted: Wanted, *, is_newest: bool
) -> Iterator[int]:
    now_ns = time.time_ns()
    span = Span(0, snapshot.end)
    if wanted.cursor and wanted.cursor.direction == "below":
        span = Span(0, min(snapshot.end, wanted.cursor.index))
    elif wanted.cursor:
        span = Span(wanted.cursor.index + 1, snapshot.end)
    return indexes(
        run,
        engine.connect(snapshot),
        steps(
            snapshot, wanted.node, span, now_ns, is_newest=is_newest, at_once=wanted.limit is None
        ),
        wanted.node,
        span=span,
        is_newest_first=is_newest,
        limit=None if wanted.limit is None else wanted.limit + 1,
        now_ns=now_ns,
    )


def steps(
    snapshot: Snapshot, node: Node, span: Span, now_ns: int, *, is_newest: bool, at_once: bool
) -> Iterator[list[Piece]]:
    """The relations that may have matching records, a few files at a time, in order.

    Few at first, because a page is often full with them; then ever more.
    """
    pruning, words = Pruning(node, now_ns), required_words(node)
    files = [file for file in snapshot.files if file.first < span.end and file.end > span.first]
    files = [file for file in files if pruning.may_have(file.facts)]
    active = (
        [active_piece(snapshot)]
        if snapshot.active.end > max(span.first, snapshot.active.first)
        else []
    )
    if is_newest:
        files.reverse()
        if active:
            yield active
    size = 4 if at_once else 1
    while files:
        some, files = files[:size], files[size:]
        pieces = pieces_with_words(some, words)
        if pieces:
            yield pieces
        size = min(size * 2, _MOST_FILES_AT_ONCE)
    if active and not is_newest:
        yield active


def lines_of(run: Run, snapshot: Snapshot, found: Iterator[int]) -> Iterator[Record]:
    while some := list(islice(found, _LINES_AT_ONCE)):
        run.check()
        lines = dict(snapshot.lines(sorted(some)))
        # What was erased since is not there any more.
        yield from (Record(index, lines[index]) for index in some if lines.get(index))
