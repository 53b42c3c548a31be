"""From the tree to SQL for DuckDB: filters.

An atom may be NULL where the field is missing, which is as good as false at the top; so a filter
stays simple enough for row groups to be skipped by their statistics, and only `not` asks for more.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, assert_never

from treering._levels import level_number
from treering.store.query._ast import (
    And,
    Compare,
    Everything,
    Node,
    Not,
    OneOf,
    Or,
    Pattern,
    Range,
    Text,
    Value,
)
from treering.store.query._sql import (
    FALSE,
    TRUE,
    Fragment,
    all_of,
    any_of,
    build,
    value,
)
from treering.store.query._text import search
from treering.store.query._times import parse_time
from treering.store.query._values import compare
from treering.store.query._words import lower

if TYPE_CHECKING:
    from treering.store.query._fields import Resolver, Source

_WORD_FIELDS = frozenset({"message", "exception"})


def compile_filter(node: Node, columns: Resolver, *, now_ns: int | None = None) -> Fragment:
    """A condition that is TRUE for the records that match, and FALSE or NULL for others.

    Args:
        node: The filter.
        columns: What the relation has.
        now_ns: What relative times count from, in nanoseconds since 1970; default is now.

    Returns:
        SQL with a question mark for every value, and the values.
    """
    return FilterCompiler(columns, time.time_ns() if now_ns is None else now_ns).node(node)


class FilterCompiler:
    """Makes SQL of the nodes of a filter."""

    def __init__(self, columns: Resolver, now_ns: int) -> None:
        self.columns = columns
        self.now_ns = now_ns

    def node(self, node: Node) -> Fragment:  # noqa: PLR0911 - one for each kind
        """The SQL of one node."""
        match node:
            case Everything():
                return TRUE
            case Text():
                return search(self.columns.texts(), node.value)
            case Compare():
                return self._compare(node.field, node.operator, node.value)
            case OneOf():
                return self._one_of(node)
            case Range():
                return self._range(node)
            case Not():
                return self._not(self.node(node.node))
            case And():
                return all_of([self.node(inner) for inner in node.nodes])
            case Or():
                return any_of([self.node(inner) for inner in node.nodes])
        assert_never(node)

    def _not(self, inner: Fragment) -> Fragment:
        if inner in {TRUE, FALSE}:
            return FALSE if inner == TRUE else TRUE
        return build("({} IS NOT TRUE)", inner)

    def _one_of(self, node: OneOf) -> Fragment:
        operator = "=" if node.operator in {"=", "!="} else ":"
        found = any_of([self._compare(node.field, operator, wanted) for wanted in node.values])
        return self._unequal(node.field, found) if node.operator == "!=" else found

    def _unequal(self, field: str, equal: Fragment) -> Fragment:
        return all_of([self._present(field), self._not(equal)])

    def _present(self, field: str) -> Fragment:
        return any_of(source.is_present for place in self.columns.field(field) for source in place)

    def _range(self, node: Range) -> Fragment:
        low = ">=" if node.includes_low else ">"
        high = "<=" if node.includes_high else "<"
        ends = [(low, node.low), (high, node.high)]
        return all_of(
            self._compare(node.field, operator, Pattern((bound,)))
            for operator, bound in ends
            if bound is not None
        )

    def _compare(self, field: str, operator: str, wanted: Value) -> Fragment:  # noqa: PLR0911 - one for each kind
        if operator == "!=":
            return self._unequal(field, self._compare(field, "=", wanted))
        if isinstance(wanted, Pattern) and wanted.is_anything:
            return self._present(field)
        literal = wanted.literal if isinstance(wanted, Pattern) else None
        if field == "timestamp":
            return self._time(operator, literal or "")
        if field == "level" and literal is not None:
            sql = f"{{}} {'=' if operator == ':' else operator} CAST({{}} AS SMALLINT)"
            return build(sql, self.columns.level, value(level_number(literal)))
        if field == "component" and literal is not None and operator == ":":
            return self._component(literal)
        if field in _WORD_FIELDS and operator == ":" and literal != "":
            return search((self._text_source(field),), wanted)
        return self._first(field, operator, wanted)

    def _text_source(self, field: str) -> Source:
        return self.columns.field(field)[0][0]

    def _component(self, name: str) -> Fragment:
        folded = lower(name)
        column = build("lower({})", self.columns.column("component"))
        return build(
            "({} = {} OR starts_with({}, {}))", column, value(folded), column, value(f"{folded}.")
        )

    def _first(self, field: str, operator: str, wanted: Value) -> Fragment:
        """The comparison at the first place that has a value."""
        places = self.columns.field(field)
        found = compare(places[-1], operator, wanted)
        for place in reversed(places[:-1]):
            here = compare(place, operator, wanted)
            if here == found == FALSE:
                continue
            present = any_of(source.is_present for source in place)
            found = build("CASE WHEN {} THEN {} ELSE {} END", present, here, found)
        return found

    def _time(self, operator: str, text: str) -> Fragment:
        start, end = parse_time(text, self.now_ns)
        match operator:
            case ":" | "=":
                return all_of([self._moment(">=", start), self._moment("<", end)])
            case "<" | ">=":
                return self._moment(operator, start)
            case "<=":
                return self._moment("<", end)
        return self._moment(">=", end)

    def _moment(self, operator: str, at_ns: int) -> Fragment:
        zone = "+00" if "TZ" in self.columns.time_type or "ZONE" in self.columns.time_type else ""
        moment = _rfc3339(at_ns) + zone
        cast = f"{{}} {operator} CAST({{}} AS {self.columns.time_type})"
        return build(cast, self.columns.column("timestamp"), value(moment))


def _rfc3339(at_ns: int) -> str:
    from datetime import UTC, datetime, timedelta

    seconds, rest = divmod(at_ns, 1_000_000_000)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:09d}"
