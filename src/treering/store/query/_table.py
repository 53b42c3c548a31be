"""The rows between two pipes: records at first, then those of a table.

Columns have names of their own inside the statement, so that a user's may be anything, and two may
differ in case only, which SQL does not tell apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from treering.store.query._ast import Order
from treering.store.query._compile import FilterCompiler
from treering.store.query._fields import Source
from treering.store.query._inputs import TYPES, Form, Input, form_of
from treering.store.query._sql import Fragment, build, identifier, join, value
from treering.store.query._times import parse_span

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from treering.store.query._ast import Aggregate, Key, Node, TimeChart, Top
    from treering.store.query._fields import Kind, Place

NUMBER = r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?"
"""What reads as a number, for RE2; the same as in `_values`."""

_KINDS: dict[Form, Kind] = {
    "text": "mixed",
    "number": "double",
    "integer": "integer",
    "time": "time",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name inside the statement, and what it holds."""

    sql: Fragment
    form: Form


@dataclass(frozen=True, slots=True)
class TableColumns:
    """Where a `where` pipe finds the columns of a table."""

    columns: dict[str, Column]
    time_type: str = "TIMESTAMP_NS"

    @property
    def level(self) -> Fragment:
        """The number of the level that stands there as text."""
        return build(
            "CASE {} WHEN 'TRACE' THEN 5 WHEN 'DEBUG' THEN 10 WHEN 'INFO' THEN 20 WHEN 'NOTICE' THEN 25"
            " WHEN 'WARNING' THEN 30 WHEN 'ERROR' THEN 40 WHEN 'CRITICAL' THEN 50 WHEN 'SECURITY' THEN 60"
            " WHEN 'AUDIT' THEN 70 ELSE TRY_CAST(replace({}, 'Level ', '') AS SMALLINT) END",
            *[self.columns["level"].sql] * 2,
        )

    def column(self, name: str) -> Fragment:
        """The column of this name."""
        return self.columns[name].sql

    def field(self, path: str) -> tuple[Place, ...]:
        """The column of this name, as the only place."""
        column = self.columns[path]
        return ((Source(column.sql, _KINDS[column.form]),),)

    def texts(self) -> tuple[Source, ...]:
        """None: the parser refuses words here."""
        return ()


class Relation:
    """A SELECT that grows by one pipe after the other."""

    def __init__(self, span_ns: int, now_ns: int) -> None:
        self.inputs: list[Input] = [Input("i0", "integer", "index")]
        self._span_ns = span_ns
        self._now_ns = now_ns
        self._from = Fragment("records")
        self._table: dict[str, Column] | None = None
        self._order: list[Fragment] = []
        self._last = 0
        self.is_counted = False
        self._percents: dict[str, list[float]] = {}

    @classmethod
    def of_table(cls, name: str, columns: Iterable[tuple[str, Form]], now_ns: int) -> Self:
        """The rows of a table that is there."""
        relation = cls(1, now_ns)
        relation._from = identifier(name)
        relation._table = {name: Column(identifier(name), form) for name, form in columns}
        return relation

    def finish(self) -> tuple[Fragment, tuple[tuple[str, str], ...]]:
        """The statement, and names and types of its columns."""
        if self._table is None:
            return build(
                'SELECT i0 AS "index" FROM {} ORDER BY {}', self._from, self._ordered()
            ), ()
        listed = [
            build("{} AS {}", column.sql, identifier(name)) for name, column in self._table.items()
        ]
        select = build(
            "SELECT {} FROM {} ORDER BY {}", join(", ", listed), self._from, self._ordered()
        )
        return select, tuple((name, TYPES[column.form]) for name, column in self._table.items())

    def stats(self, aggregates: tuple[Aggregate, ...], by: tuple[Key, ...]) -> None:
        """One row for each group, in the order of the keys."""
        self._look_at(aggregates)
        keys = {key.name: (self._key(key), self._form(key.field)) for key in by}
        made = {of.name: self._aggregate(of) for of in aggregates}
        self._group(keys, made)

    def timechart(self, pipe: TimeChart) -> None:
        """The same with pieces of time as the first key."""
        span_ns = parse_span(pipe.span) if pipe.span else self._span_ns
        self._look_at(pipe.aggregates)
        keys: dict[str, tuple[Fragment, Form]] = {
            "timestamp": (self._bin("timestamp", span_ns), "time")
        }
        keys |= {key.name: (self._key(key), self._form(key.field)) for key in pipe.by}
        self._group(keys, {of.name: self._aggregate(of) for of in pipe.aggregates})

    def top(self, pipe: Top) -> None:
        """The most, or least, frequent values of what has one."""
        self._look_at(())
        keys = {name: (self._column(name), self._form(name)) for name in pipe.fields}
        present = join(" AND ", (build("{} IS NOT NULL", sql) for sql, _ in keys.values()))
        self._wrap(build("SELECT * FROM {} WHERE {}", self._from, present))
        self._group(keys, {"count": (self._count(), "integer")})
        self.sort((Order("count", is_descending=not pipe.is_rare),))
        self.limit(pipe.limit)

    def sort(self, by: tuple[Order, ...]) -> None:
        """Another order; what was equal stays in the order of indexes, or of all columns."""
        self._order = [
            part
            for order in by
            for part in self._sort_keys(order.field, is_descending=order.is_descending)
        ]

    def fields(self, names: tuple[str, ...]) -> None:
        """Only these columns. The order stays, whatever it is by."""
        if not self._order:
            self._order = self._default_order()
        self._table = {name: Column(self._column(name), self._form(name)) for name in names}

    def limit(self, count: int) -> None:
        """The first rows."""
        self._wrap(
            build(
                "SELECT * FROM {} ORDER BY {} LIMIT {}", self._from, self._ordered(), value(count)
            )
        )

    def where(self, node: Node) -> None:
        """The rows that match."""
        if self._table is None:
            condition = self._input("match", node)
        else:
            condition = FilterCompiler(TableColumns(self._table), self._now_ns).node(node)
        self._wrap(build("SELECT * FROM {} WHERE {}", self._from, condition))

    def dedup(self, names: tuple[str, ...]) -> None:
        """The first row with each of the values."""
        keys = join(", ", (self._column(name) for name in names))
        self._wrap(
            build(
                "SELECT * FROM {} QUALIFY row_number() OVER (PARTITION BY {} ORDER BY {}) = 1",
                self._from,
                keys,
                self._ordered(),
            )
        )

    def _wrap(self, select: Fragment) -> None:
        self._from = build("({})", select)

    def _group(
        self, keys: dict[str, tuple[Fragment, Form]], made: dict[str, tuple[Fragment, Form]]
    ) -> None:
        table: dict[str, Column] = {}
        listed = []
        for name, (sql, form) in {**keys, **made}.items():
            self._last += 1
            table[name] = Column(Fragment(f"c{self._last}"), form)
            listed.append(build("{} AS {}", sql, table[name].sql))
        grouped = (
            build(" GROUP BY {}", join(", ", (sql for sql, _ in keys.values())))
            if keys
            else Fragment("")
        )
        self._wrap(build("SELECT {} FROM {}{}", join(", ", listed), self._from, grouped))
        self._table, self._order = table, []

    def _key(self, key: Key) -> Fragment:
        return (
            self._column(key.field)
            if key.bin is None
            else self._bin(key.field, parse_span(key.bin))
        )

    def _bin(self, field: str, span_ns: int) -> Fragment:
        if self.is_counted and self._table is None:
            number = self._input("bin", field, span_ns)
            return build(f"make_timestamp_ns({{}} * {span_ns})", number)
        at = build("epoch_ns({})", self._column(field))
        # The remainder has the sign of the time, which is negative before 1970. The length is ours.
        return build(
            f"make_timestamp_ns({{}} - (({{}} % {span_ns}) + {span_ns}) % {span_ns})", at, at
        )

    def _aggregate(self, of: Aggregate) -> tuple[Fragment, Form]:
        if of.field is None:
            return self._count(), "integer"
        if of.function in {"min", "max"} and self._form(of.field) == "time":
            return build(f"{of.function}({{}})", self._column(of.field)), "time"
        if of.function in {"sum", "avg", "min", "max"}:
            return build(f"{of.function}({{}})", self._number(of.field)), "number"
        if of.function == "percentile":
            return self._percentile(of), "number"
        column = self._column(of.field)
        if of.function in {"first", "last"}:
            order = "arg_min" if of.function == "first" else "arg_max"
            return build(f"{order}({{}}, i0)", column), self._form(of.field)
        distinct = "DISTINCT " if of.function == "count_distinct" else ""
        return build(f"count({distinct}{{}})", column), "integer"

    def _look_at(self, aggregates: Sequence[Aggregate]) -> None:
        """Sees what can be done at once: counting where the records are, percentiles of one field."""
        self._percents = {}
        for of in aggregates:
            if of.function == "percentile" and of.field is not None:
                self._percents.setdefault(of.field, []).append((of.argument or 0) / 100)
        is_of_records = self._table is None and self._from == Fragment("records")
        if is_of_records and all((of.function, of.field) == ("count", None) for of in aggregates):
            self.is_counted = True
            self.inputs.clear()

    def _count(self) -> Fragment:
        if self.is_counted and self._table is None:
            return Fragment("CAST(sum(n) AS BIGINT)")
        return Fragment("count(*)")

    def _percentile(self, of: Aggregate) -> Fragment:
        share, shares = (of.argument or 0) / 100, self._percents[of.field or ""]
        number = self._number(of.field or "")
        if len(shares) == 1:
            return build(f"quantile_cont({{}}, {share!r})", number)
        # One expression is evaluated once, however often it stands there.
        return build(f"quantile_cont({{}}, {shares!r})[{shares.index(share) + 1}]", number)

    def _form(self, name: str) -> Form:
        return form_of(name) if self._table is None else self._table[name].form

    def _column(self, name: str) -> Fragment:
        if self._table is not None:
            return self._table[name].sql
        return self._input(form_of(name), name)

    def _number(self, name: str) -> Fragment:
        """Its values that are numbers, as doubles."""
        form = self._form(name)
        if form == "time":
            return Fragment("CAST(NULL AS DOUBLE)")
        if self._table is None and form == "text":
            return self._input("number", name)
        return as_number(self._column(name), form)

    def _input(self, form: Form, of: str | Node, span_ns: int = 0) -> Fragment:
        for known in self.inputs:
            if (known.form, known.of, known.span_ns) == (form, of, span_ns):
                return Fragment(known.name)
        self.inputs.append(Input(f"i{len(self.inputs)}", form, of, span_ns))
        return Fragment(self.inputs[-1].name)

    def _ordered(self) -> Fragment:
        return join(", ", [*self._order, *self._default_order()])

    def _default_order(self) -> list[Fragment]:
        if self._table is None:
            return [Fragment("i0")]
        names = self._table
        return [part for name in names for part in self._sort_keys(name, is_descending=False)]

    def _sort_keys(self, name: str, *, is_descending: bool) -> Iterable[Fragment]:
        """Numbers first and by number, then texts by code point; nothing last."""
        end = f"{'DESC' if is_descending else 'ASC'} NULLS LAST"
        if self._table is None and name == "level":
            return [build(f"{{}} {end}", self._input("level", name))]
        form, column = self._form(name), self._column(name)
        if form != "text":
            return [build(f"{{}} {end}", column)]
        return [build(f"{{}} {end}", as_number(column, form)), build(f"{{}} {end}", column)]


def as_number(column: Fragment, form: Form) -> Fragment:
    """A column as doubles, where a text reads as one."""
    if form != "text":
        return build("CAST({} AS DOUBLE)", column)
    return build(
        f"CASE WHEN regexp_full_match({{}}, '{NUMBER}') THEN TRY_CAST({{}} AS DOUBLE) END",
        column,
        column,
    )
