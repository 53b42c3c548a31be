"""What pipes need of every record, and how it is had from the columns of a relation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from treering.store.query._compile import FilterCompiler
from treering.store.query._names import INTEGER_KEYS
from treering.store.query._sql import Fragment, build, identifier, join
from treering.store.query._values import json_text, text_of

if TYPE_CHECKING:
    from treering.store.query._ast import Node
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
