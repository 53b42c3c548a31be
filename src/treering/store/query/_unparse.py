"""From the tree to text: `parse(unparse(query)) == query`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, assert_never

from treering.store.query._ast import (
    Aggregate,
    And,
    Compare,
    Dedup,
    Everything,
    Fields,
    Key,
    Limit,
    Node,
    Not,
    OneOf,
    Or,
    Patterns,
    Pipe,
    Query,
    Range,
    Regex,
    Sort,
    Stats,
    Text,
    TimeChart,
    Top,
    Value,
    Where,
)
from treering.store.query._names import KEYWORDS
from treering.store.query._pipes import default_name

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN = re.compile(r"[A-Za-z0-9_]+(?:[.-][A-Za-z0-9_]+)*", re.ASCII)
_RESERVED = frozenset({*KEYWORDS, "as", "asc", "bin", "by", "desc", "span", "to"})


def unparse(query: Query | Node) -> str:
    """A text that says the same: parsing it gives an equal query."""
    if isinstance(query, Query):
        return " | ".join([_node(query.filter), *map(_pipe, query.pipes)])
    return _node(query)


def _node(node: Node) -> str:  # noqa: PLR0911 - one for each kind
    match node:
        case Everything():
            return "*"
        case Text():
            return _value(node.value)
        case Compare():
            return f"{_name(node.field)}{node.operator}{_value(node.value)}"
        case OneOf():
            values = " ".join(map(_value, node.values))
            return f"{_name(node.field)}{node.operator}({values})"
        case Range():
            return _range(node)
        case Not():
            return f"not {_inner(node.node)}"
        case And():
            return " and ".join(map(_inner, node.nodes))
        case Or():
            return " or ".join(map(_inner, node.nodes))
    assert_never(node)


def _inner(node: Node) -> str:
    return f"({_node(node)})" if isinstance(node, And | Or) else _node(node)


def _range(node: Range) -> str:
    low, high = ("*" if bound is None else _text(bound) for bound in (node.low, node.high))
    begin, end = "[" if node.includes_low else "{", "]" if node.includes_high else "}"
    return f"{_name(node.field)}:{begin}{low} TO {high}{end}"


def _value(value: Value) -> str:
    if isinstance(value, Regex):
        escaped = re.sub(
            r"\\.|/",
            lambda found: r"\/" if found[0] == "/" else found[0],
            value.source,
            flags=re.DOTALL,
        )
        return f"/{escaped}/"
    if value.literal is not None:
        return _text(value.literal)
    return "*".join(map(_escaped, value.parts))


def _escaped(part: str) -> str:
    return "".join(char if char.isalnum() or char == "_" else f"\\{char}" for char in part)


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _name(name: str) -> str:
    return _text(name)


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(_name, names))


def _pipe(pipe: Pipe) -> str:  # noqa: PLR0911 - one for each kind
    match pipe:
        case Stats():
            return f"stats {_aggregated(pipe.aggregates, pipe.by)}"
        case TimeChart():
            span = f"span={pipe.span} " if pipe.span else ""
            return f"timechart {span}{_aggregated(pipe.aggregates, pipe.by)}"
        case Top():
            return f"{'rare' if pipe.is_rare else 'top'} {pipe.limit} {_names(pipe.fields)}"
        case Patterns():
            return f"patterns {pipe.limit or ''}".rstrip()
        case Sort():
            orders = (f"{'-' * order.is_descending}{_name(order.field)}" for order in pipe.by)
            return f"sort {', '.join(orders)}"
        case Fields():
            return f"fields {_names(pipe.names)}"
        case Limit():
            return f"limit {pipe.count}"
        case Where():
            return f"where {_node(pipe.node)}"
        case Dedup():
            return f"dedup {_names(pipe.fields)}"
    assert_never(pipe)


def _aggregated(aggregates: tuple[Aggregate, ...], by: tuple[Key, ...]) -> str:
    text = ", ".join(map(_aggregate, aggregates))
    return f"{text} by {', '.join(map(_key, by))}" if by else text


def _aggregate(of: Aggregate) -> str:
    field = "" if of.field is None else _name(of.field)
    percent = "" if of.argument is None else f", {_percent(of.argument)}"
    is_default = of.name == default_name(of.function, of.field, of.argument)
    name = "" if is_default else f" as {_name(of.name)}"
    return f"{of.function}({field}{percent}){name}"


def _percent(percent: float) -> str:
    return f"{percent:.9f}".rstrip("0").rstrip(".")


def _key(key: Key) -> str:
    text = _name(key.field) if key.bin is None else f"bin(timestamp, {key.bin})"
    is_default = key.name == ("timestamp" if key.bin else key.field)
    return text if is_default else f"{text} as {_name(key.name)}"
