"""The query language: `level>=ERROR component:auth* "timed out" | stats count() by component`.

`docs/reference/query.md` has the language. A query is parsed into frozen nodes, which say which
records are wanted, and are compiled to SQL for the columns of a relation; nothing is read here.
"""

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
    Operator,
    Or,
    Order,
    Pattern,
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
from treering.store.query._compile import compile_filter
from treering.store.query._fields import Columns, Kind
from treering.store.query._parse import parse, parse_filter
from treering.store.query._sql import Fragment

__all__ = [
    "Aggregate",
    "And",
    "Columns",
    "Compare",
    "Dedup",
    "Everything",
    "Fields",
    "Fragment",
    "Key",
    "Kind",
    "Limit",
    "Node",
    "Not",
    "OneOf",
    "Operator",
    "Or",
    "Order",
    "Pattern",
    "Patterns",
    "Pipe",
    "Query",
    "Range",
    "Regex",
    "Sort",
    "Stats",
    "Text",
    "TimeChart",
    "Top",
    "Value",
    "Where",
    "compile_filter",
    "parse",
    "parse_filter",
]
