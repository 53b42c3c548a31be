"""From the tree to SQL for DuckDB: pipes.

The files of an archive differ in their promoted columns, pipes should not: so what the pipes need of
a record is a list of *inputs*, which are selected from every group of files with the columns of that
group, and what the pipes do is one statement over all of these rows together.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

from treering.errors import QueryError
from treering.store.query._ast import (
    And,
    Dedup,
    Everything,
    Fields,
    Limit,
    Node,
    Order,
    Patterns,
    Query,
    Sort,
    Stats,
    TimeChart,
    Top,
    Where,
)
from treering.store.query._compile import compile_filter
from treering.store.query._inputs import Input, count_select, select_input
from treering.store.query._sql import Fragment, build, join
from treering.store.query._table import Relation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from treering.store.query._ast import Pipe
    from treering.store.query._fields import Columns
    from treering.store.query._inputs import Form


@dataclass(frozen=True, slots=True)
class Plan:
    """Pipes as SQL over the relation `records`.

    Attributes:
        filter: Which records are wanted, with the conditions of leading `where` pipes.
        inputs: The columns of `records`.
        statement: A SELECT, with its parameters.
        columns: Names and SQL types of the result; times are UTC. Empty when the rows are records:
            then the result is the column `index`, in the order of the rows.
        is_counted: The rows of `records` are groups of records with the same inputs, and `n` of each.
    """

    filter: Node
    inputs: tuple[Input, ...]
    statement: Fragment
    columns: tuple[tuple[str, str], ...] = field(default=())
    is_counted: bool = False

    def over(self, records: Iterable[Fragment]) -> Fragment:
        """The whole statement over several relations, each a SELECT of the inputs."""
        union = join(" UNION ALL ", records)
        return build("WITH records AS ({}) {}", union, self.statement)

    def select(
        self, relation: Fragment, columns: Columns, *, now_ns: int | None = None
    ) -> Fragment:
        """The SELECT of the inputs from one relation, of its records that are wanted.

        Args:
            relation: What stands after FROM.
            columns: What that has.
            now_ns: What relative times count from; default is now.
        """
        now_ns = time.time_ns() if now_ns is None else now_ns
        wanted = compile_filter(self.filter, columns, now_ns=now_ns)
        if self.is_counted:
            return count_select(self.inputs, relation, wanted, columns, now_ns=now_ns)
        listed = (select_input(of, columns, now_ns=now_ns) for of in self.inputs)
        return build("SELECT {} FROM {} WHERE {}", join(", ", listed), relation, wanted)


def compile_pipes(
    query: Query, *, span_ns: int = 60_000_000_000, now_ns: int | None = None
) -> Plan:
    """The plan of a query.

    Args:
        query: What was parsed. `patterns` is not for SQL: the engine cuts the pipes there.
        span_ns: Length of the pieces of `timechart` when it has none.
        now_ns: What relative times of `where` count from; default is now.

    Raises:
        QueryError: There is a `patterns`.
    """
    wanted, pipes = _fold(query)
    relation = Relation(span_ns, time.time_ns() if now_ns is None else now_ns)
    for pipe in pipes:
        _apply(relation, pipe)
    statement, columns = relation.finish()
    return Plan(wanted, tuple(relation.inputs), statement, columns, relation.is_counted)


def compile_table(
    pipes: Sequence[Pipe], name: str, columns: Sequence[tuple[str, Form]], order: Sequence[str]
) -> Fragment:
    """What pipes make of a table that is there, as a statement.

    Args:
        pipes: None of them needs records.
        name: Of the table.
        columns: Their names and what they hold.
        order: Of its rows; `-` before a name is falling.
    """
    relation = Relation.of_table(name, columns, time.time_ns())
    relation.sort(tuple(Order(of.removeprefix("-"), of.startswith("-")) for of in order))
    for pipe in pipes:
        _apply(relation, pipe)
    return relation.finish()[0]


def _fold(query: Query) -> tuple[Node, tuple[Pipe, ...]]:
    """The filter with the conditions that follow it at once, and the other pipes."""
    leading = list(takewhile(lambda pipe: isinstance(pipe, Where), query.pipes))
    pipes = query.pipes[len(leading) :]
    conditions = (pipe.node for pipe in leading if isinstance(pipe, Where))
    nodes = [node for node in (query.filter, *conditions) if node != Everything()]
    if len(nodes) < 2:  # noqa: PLR2004 - And takes two
        return (nodes[0] if nodes else Everything()), pipes
    return And(tuple(nodes)), pipes


def _apply(relation: Relation, pipe: Pipe) -> None:
    match pipe:
        case Stats():
            relation.stats(pipe.aggregates, pipe.by)
        case TimeChart():
            relation.timechart(pipe)
        case Top():
            relation.top(pipe)
        case Sort():
            relation.sort(pipe.by)
        case Fields():
            relation.fields(pipe.names)
        case Limit():
            relation.limit(pipe.count)
        case Where():
            relation.where(pipe.node)
        case Dedup():
            relation.dedup(pipe.fields)
        case Patterns():
            raise QueryError("`patterns` cannot be said in SQL", code="query_invalid")
