"""A field's value against the value in a query, as SQL for each kind of column.

The rules stand in `docs/reference/query.md`: a number against a number compares as numbers, whole
ones exactly; everything else compares as text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from treering.store.query._ast import Pattern, Regex, Value
from treering.store.query._sql import FALSE, TRUE, Fragment, all_of, any_of, build, value
from treering.store.query._words import is_caseless, lower

if TYPE_CHECKING:
    from treering.store.query._fields import Place, Source

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_RE2_NUMBER = r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?"
_INTEGERS = (-(2**63), 2**63 - 1)
_JSON_NUMBERS = "('BIGINT', 'UBIGINT', 'DOUBLE')"


def number(text: str) -> int | float | None:
    """The number that a text reads as: whole ones of 64 bits exactly, others as doubles."""
    if not _NUMBER.fullmatch(text):
        return None
    try:
        whole = int(text)
    except ValueError:
        return float(text)
    return whole if _INTEGERS[0] <= whole <= _INTEGERS[1] else float(text)


def compare(place: Place, operator: str, wanted: Value) -> Fragment:
    """A place's value against a value; `!=` is not known here."""
    return any_of(_compare(source, operator, wanted) for source in place)


def text_of(source: Source) -> Fragment:
    """The value as text, NULL when there is none."""
    if source.kind in {"string", "mixed"}:
        return source.column
    if source.kind == "json":
        return json_text(source.json if source.path else source.column)
    return build("CAST({} AS VARCHAR)", source.column)


def json_text(json: Fragment) -> Fragment:
    """A JSON value as text: strings themselves, doubles as Python writes them."""
    return build(
        "CASE json_type({}) WHEN 'VARCHAR' THEN json_extract_string({}, '$')"
        " WHEN 'DOUBLE' THEN CAST(CAST({} AS DOUBLE) AS VARCHAR) ELSE CAST({} AS VARCHAR) END",
        *[json] * 4,
    )


def _compare(source: Source, operator: str, wanted: Value) -> Fragment:
    cheap = source.may_have if source.kind == "json" and source.path else None
    return all_of([cheap or TRUE, _exactly(source, operator, wanted)])


def _exactly(source: Source, operator: str, wanted: Value) -> Fragment:
    if isinstance(wanted, Regex):
        return build("regexp_matches({}, {})", text_of(source), value(wanted.source))
    literal = wanted.literal
    if literal is None:
        return source.is_present if wanted.is_anything else _like(source, operator, wanted)
    if operator in {":", "="}:
        return _equals(source, operator, literal)
    return _ordered(source, operator, literal)


def _like(source: Source, operator: str, wanted: Pattern) -> Fragment:
    parts = wanted.parts if operator == "=" else tuple(lower(part) for part in wanted.parts)
    text = text_of(source) if operator == "=" else build("lower({})", text_of(source))
    if len(parts) == 2 and not parts[1]:  # noqa: PLR2004 - before and after the star
        return build("starts_with({}, {})", text, value(parts[0]))
    escaped = (re.sub(r"([\\%_])", r"\\\1", part) for part in parts)
    return build("{} LIKE {} ESCAPE '\\'", text, value("%".join(escaped)))


def _equals(source: Source, operator: str, literal: str) -> Fragment:
    if source.kind == "string":
        return _equal_text(source.column, operator, literal)
    wanted = number(literal)
    if source.kind == "mixed":
        text = _equal_text(source.column, operator, literal)
        return text if wanted is None else any_of([text, _mixed(source, "=", wanted)])
    if source.kind == "boolean":
        folded = literal if operator == "=" else lower(literal)
        return (
            build("{} = {}", source.column, value(folded == "true"))
            if folded in {"true", "false"}
            else FALSE
        )
    if source.kind in {"integer", "double"}:
        return FALSE if wanted is None else _numbers(source, "=", wanted)
    json = source.json if source.path else source.column
    text = _equal_text(json_text(json), operator, literal)
    return text if wanted is None else _json_numbers(json, "=", wanted, text)


def _equal_text(text: Fragment, operator: str, literal: str) -> Fragment:
    folded = lower(literal)
    if operator == "=" or is_caseless(literal):
        return build("{} = {}", text, value(literal))
    return build("lower({}) = {}", text, value(folded))


def _ordered(  # noqa: PLR0911 - one for each kind
    source: Source, operator: str, literal: str
) -> Fragment:
    wanted = number(literal)
    if source.kind in {"integer", "double"}:
        return FALSE if wanted is None else _numbers(source, operator, wanted)
    if source.kind == "string":
        return (
            build(f"{{}} {operator} {{}}", source.column, value(literal))
            if wanted is None
            else FALSE
        )
    if source.kind == "mixed":
        if wanted is not None:
            return _mixed(source, operator, wanted)
        text = f"({{}} {operator} {{}} AND NOT regexp_full_match({{}}, '{_RE2_NUMBER}'))"
        return build(text, source.column, value(literal), source.column)
    if source.kind != "json":
        return FALSE
    json = source.json if source.path else source.column
    if wanted is not None:
        return _json_numbers(json, operator, wanted, FALSE)
    return build(
        f"(json_type({{}}) = 'VARCHAR' AND json_extract_string({{}}, '$') {operator} {{}})",
        json,
        json,
        value(literal),
    )


def _numbers(source: Source, operator: str, wanted: float) -> Fragment:
    if source.kind == "integer" and isinstance(wanted, int):
        return build(f"{{}} {operator} CAST({{}} AS BIGINT)", source.column, value(wanted))
    return build(
        f"CAST({{}} AS DOUBLE) {operator} CAST({{}} AS DOUBLE)", source.column, value(wanted)
    )


def _mixed(source: Source, operator: str, wanted: float) -> Fragment:
    number = "CASE WHEN regexp_full_match({}, '" + _RE2_NUMBER.replace("{", "{{") + "') THEN"
    sql = f"{number} TRY_CAST({{}} AS DOUBLE) END {operator} CAST({{}} AS DOUBLE)"
    return build(sql, source.column, source.column, value(wanted))


def _json_numbers(json: Fragment, operator: str, wanted: float, otherwise: Fragment) -> Fragment:
    doubles = build(f"CAST({{}} AS DOUBLE) {operator} CAST({{}} AS DOUBLE)", json, value(wanted))
    if isinstance(wanted, int):
        whole = build(
            f"TRY_CAST({{}} AS BIGINT) {operator} CAST({{}} AS BIGINT)", json, value(wanted)
        )
        # Whole numbers above 2^63 are doubles, which the cast to BIGINT tells.
        numbers = build(
            "CASE WHEN json_type({}) <> 'DOUBLE' AND TRY_CAST({} AS BIGINT) IS NOT NULL THEN {} ELSE {} END",
            json,
            json,
            whole,
            doubles,
        )
    else:
        numbers = doubles
    return build(
        f"CASE WHEN json_type({{}}) IN {_JSON_NUMBERS} THEN {{}} ELSE {{}} END",
        json,
        numbers,
        otherwise,
    )
