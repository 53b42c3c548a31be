"""From the tree to SQL for DuckDB: pipes.

The files of an archive differ in their promoted columns, pipes should not: so what the pipes need of
a record is a list of *inputs*, which are selected from every group of files with the columns of that
group, and what the pipes do is one statement over all of these rows together.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from treering.store.query._ast import (
    And,
    Dedup,
    Everything,
    Fields,
    Limit,
    Node,
    Patterns,
    Query,
    Sort,
    Stats,
    TimeChart,
    Top,
    Where,
)
from treering.store.query._compile import FilterCompiler, compile_filter
from treering.store.query._names import INTEGER_KEYS
from treering.store.query._sql import Fragment, build, identifier, join
from treering.store.query._values import json_text, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from treering.store.query._ast import Pipe
    from treering.store.query._fields import Columns, Place, Source

Form: TypeAlias = Literal["text", "number", "integer", "time", "level", "match"]
"""What is needed of a field: its value as text, as a number, or whether a filter matches."""

TYPES: dict[Form, str] = {
    "text": "VARCHAR",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "time": "TIMESTAMP_NS",
    "level": "SMALLINT",
    "match": "BOOLEAN",
}


@dataclass(frozen=True, slots=True)
class Input:
    """One column that the pipes need of every record.

    Attributes:
        name: How it is called in the statement.
        form: What is needed.
        of: The field, or the filter for `match`.
    """

    name: str
    form: Form
    of: str | Node


@dataclass(frozen=True, slots=True)
class Plan:
    """Pipes as SQL over the relation `records`.

    Attributes:
        filter: Which records are wanted, with the conditions of leading `where` pipes.
        inputs: The columns of `records`.
        statement: A SELECT, with its parameters.
        columns: Names and SQL types of the result; times are UTC. Empty when the rows are records:
            then the result is the column `index`, in the order of the rows.
    """

    filter: Node
    inputs: tuple[Input, ...]
    statement: Fragment
    columns: tuple[tuple[str, str], ...] = field(default=())

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
        listed = (select_input(of, columns, now_ns=now_ns) for of in self.inputs)
        return build("SELECT {} FROM {} WHERE {}", join(", ", listed), relation, wanted)


def compile_pipes(query: Query, *, span_ns: int = 60_000_000_000) -> Plan:
    """The plan of a query.

    Args:
        query: What was parsed. `patterns` is not for SQL: the engine cuts the pipes there.
        span_ns: Length of the pieces of `timechart` when it has none.

    Raises:
        QueryError: There is a `patterns`.
    """
    from treering.store.query._table import Relation

    wanted, pipes = _fold(query)
    relation = Relation(span_ns)
    for pipe in pipes:
        _apply(relation, pipe)
    statement, columns = relation.finish()
    return Plan(wanted, tuple(relation.inputs), statement, columns)


def select_input(of: Input, columns: Columns, *, now_ns: int) -> Fragment:
    """One input as an expression over a relation with these columns, named."""
    if isinstance(of.of, str):
        found = _of_field(of.of, of.form, columns)
    else:
        condition = FilterCompiler(columns, now_ns).node(of.of)
        found = build("({} IS TRUE)", condition)
    return build("{} AS {}", found, identifier(of.name))


def form_of(name: str) -> Form:
    """In what form a field's values stand in a table."""
    if name == "timestamp":
        return "time"
    return "integer" if name in INTEGER_KEYS else "text"


def _fold(query: Query) -> tuple[Node, tuple[Pipe, ...]]:
    """The filter with the conditions that follow it at once, and the other pipes."""
    nodes, pipes = [query.filter], list(query.pipes)
    while pipes and isinstance(pipes[0], Where):
        nodes.append(pipes.pop(0).node)  # type: ignore[union-attr]
    nodes = [node for node in nodes if node != Everything()]
    if len(nodes) < 2:  # noqa: PLR2004 - And takes two
        return (nodes[0] if nodes else Everything()), tuple(pipes)
    return And(tuple(nodes)), tuple(pipes)


def _apply(relation: object, pipe: Pipe) -> None:
    from treering.store.query._table import Relation

    assert isinstance(relation, Relation)
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
            from treering.errors import QueryError

            raise QueryError("`patterns` cannot be said in SQL", code="query_invalid")


def _of_field(name: str, form: Form, columns: Columns) -> Fragment:
    if form == "level":
        return columns.level
    if form == "time":
        return build("make_timestamp_ns(epoch_ns({}))", identifier(name))
    if form == "integer":
        return identifier(name)
    places = columns.field(name)
    found = _of_place(places[-1], form)
    for place in reversed(places[:-1]):
        here = _of_place(place, form)
        if form == "text":
            found = build("COALESCE({}, {})", here, found)
        else:
            present = join(" OR ", (source.is_present for source in place))
            found = build("CASE WHEN {} THEN {} ELSE {} END", present, here, found)
    return found


def _of_place(place: Place, form: Form) -> Fragment:
    pieces = [_text(source) if form == "text" else _number(source) for source in place]
    return pieces[0] if len(pieces) == 1 else build("COALESCE({})", join(", ", pieces))


def _text(source: Source) -> Fragment:
    if source.kind != "json" or not source.path:
        return text_of(source)
    return _if_any(source, json_text(source.json))


def _number(source: Source) -> Fragment:
    if source.kind in {"integer", "double"}:
        return build("CAST({} AS DOUBLE)", source.column)
    if source.kind != "json" or not source.path:
        return Fragment("CAST(NULL AS DOUBLE)")
    json = source.json
    numbers = "('BIGINT', 'UBIGINT', 'DOUBLE')"
    template = f"CASE WHEN json_type({{}}) IN {numbers} THEN CAST({{}} AS DOUBLE) END"
    return _if_any(source, build(template, json, json))


def _if_any(source: Source, found: Fragment) -> Fragment:
    cheap = source.may_have
    return found if cheap is None else build("CASE WHEN {} THEN {} END", cheap, found)
