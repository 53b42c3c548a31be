"""The words of the language."""

from __future__ import annotations

RECORD_KEYS = (
    "index",
    "timestamp",
    "level",
    "category",
    "component",
    "message",
    "event_id",
    "event_name",
    "cause",
    "module",
    "function",
    "file",
    "line",
    "process",
    "thread",
    "host",
    "trace_id",
    "span_id",
)
"""Keys of a record that hold one value; these names always mean them."""

INTEGER_KEYS = ("index", "line", "process", "thread")

GROUPS = ("metadata", "context", "performance_data")
"""Where a bare field name is looked for, nearest to the call first."""

OBJECTS = (*GROUPS, "exception")
"""Keys of a record that hold an object: a path that begins so is looked for only there."""

SINCE_UNTIL = ("since", "until")
"""Names that stand for the time of a record: from then on, and before then."""

KEYWORDS = ("and", "or", "not")

AGGREGATES = (
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "percentile",
    "count_distinct",
    "first",
    "last",
)

PIPES = (
    "stats",
    "timechart",
    "top",
    "rare",
    "patterns",
    "sort",
    "fields",
    "limit",
    "head",
    "where",
    "dedup",
)

MAX_LENGTH = 64 * 1024
"""Characters of a query."""

MAX_DEPTH = 64
"""Parentheses and negations inside each other: the compiler recurses a few calls for each."""

MAX_TERMS = 1_000
"""Values of a query: each may become a regular expression over several columns."""

MAX_ROWS = 1_000_000_000
"""What `limit` and `top` may ask for."""
