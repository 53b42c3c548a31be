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
from treering.store.query._bounds import (
    LevelBounds,
    TimeBounds,
    asks_for_journal,
    level_bounds,
    required_words,
    time_bounds,
)
from treering.store.query._compile import compile_filter
from treering.store.query._fields import Columns, Kind, Resolver
from treering.store.query._inputs import Input
from treering.store.query._names import OBJECTS
from treering.store.query._parse import parse, parse_filter
from treering.store.query._pipes import PATTERN_FORMS
from treering.store.query._plan import Plan, compile_pipes, compile_table
from treering.store.query._sql import Fragment
from treering.store.query._times import parse_span, parse_time
from treering.store.query._unparse import unparse

__all__ = [
    "OBJECTS",
    "PATTERN_FORMS",
    "Aggregate",
    "And",
    "Columns",
    "Compare",
    "Dedup",
    "Everything",
    "Fields",
    "Fragment",
    "Input",
    "Key",
    "Kind",
    "LevelBounds",
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
    "Plan",
    "Query",
    "Range",
    "Regex",
    "Resolver",
    "Sort",
    "Stats",
    "Text",
    "TimeBounds",
    "TimeChart",
    "Top",
    "Value",
    "Where",
    "asks_for_journal",
    "compile_filter",
    "compile_pipes",
    "compile_table",
    "level_bounds",
    "parse",
    "parse_filter",
    "parse_span",
    "parse_time",
    "required_words",
    "time_bounds",
    "unparse",
]
