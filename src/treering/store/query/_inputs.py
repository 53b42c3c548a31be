"""What pipes need of every record, and how it is had from the columns of a relation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from treering.store.query._compile import FilterCompiler
from treering.store.query._names import INTEGER_KEYS
from treering.store.query._sql import Fragment, build, identifier, join
from treering.store.query._values import json_text, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from treering.store.query._ast import Node
    from treering.store.query._fields import Columns, Place, Source

Form: TypeAlias = Literal["text", "number", "integer", "time", "level", "match", "bin"]
"""What is needed of a field: its value as text, as a number, in which piece of time, or whether a
filter matches."""

TYPES: dict[Form, str] = {
    "text": "VARCHAR",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "time": "TIMESTAMP_NS",
    "level": "SMALLINT",
    "match": "BOOLEAN",
    "bin": "BIGINT",
}


@dataclass(frozen=True, slots=True)
class Input:
    """One column that the pipes need of every record.

    Attributes:
        name: How it is called in the statement.
        form: What is needed.
        of: The field, or the filter for `match`.
        span_ns: Length of the pieces of time for `bin`.
    """

    name: str
    form: Form
    of: str | Node
    span_ns: int = 0


def select_input(of: Input, columns: Columns, *, now_ns: int, is_named: bool = True) -> Fragment:
    """One input as an expression over a relation with these columns."""
    if of.form == "bin":
        found = _bin(of.span_ns, columns)
    elif isinstance(of.of, str):
        found = _of_field(of.of, of.form, columns)
    else:
        condition = FilterCompiler(columns, now_ns).node(of.of)
        found = build("({} IS TRUE)", condition)
    return build("{} AS {}", found, identifier(of.name)) if is_named else found


def count_select(
    inputs: Sequence[Input], relation: Fragment, wanted: Fragment, columns: Columns, *, now_ns: int
) -> Fragment:
    """How often the inputs' values occur together in the records that are wanted, as `n`.

    Groups are made of the columns as they are, and only what is left becomes text.
    """
    raw, shown = [], []
    for at, of in enumerate(inputs):
        key = Fragment(f"k{at}")
        integer = _integer(of, columns)
        found = integer or select_input(of, columns, now_ns=now_ns, is_named=False)
        text = build("CAST({} AS VARCHAR)", key) if integer else key
        raw.append(build("{} AS {}", found, key))
        shown.append(build("{} AS {}", text, identifier(of.name)))
    count = Fragment("count(*) AS n")
    inner = build(
        "SELECT {} FROM {} WHERE {} GROUP BY ALL", join(", ", [*raw, count]), relation, wanted
    )
    return build("SELECT {} FROM ({})", join(", ", [*shown, Fragment("n")]), inner)


def _integer(of: Input, columns: Columns) -> Fragment | None:
    """The column of whole numbers that a text is made of; `None` where it is made otherwise."""
    if of.form != "text" or not isinstance(of.of, str):
        return None
    places = columns.field(of.of)
    source = places[0][0]
    is_alone = len(places) == 1 and len(places[0]) == 1
    return source.column if is_alone and source.kind == "integer" else None


def form_of(name: str) -> Form:
    """In what form a field's values stand in a table."""
    if name == "timestamp":
        return "time"
    return "integer" if name in INTEGER_KEYS else "text"


def _bin(span_ns: int, columns: Columns) -> Fragment:
    at = build("epoch_ns({})", columns.column("timestamp"))
    if columns.is_since_1970:
        return build(f"{{}} // {span_ns}", at)
    # Division is towards zero; the remainder has the sign of the time. The length is ours.
    return build(f"({{}} - (({{}} % {span_ns}) + {span_ns}) % {span_ns}) // {span_ns}", at, at)


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
