"""What the grammar does not know: names of fields, and values that a field cannot have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from treering._levels import Level, level_number
from treering.store.query import _regex
from treering.store.query._ast import Compare, Node, OneOf, Pattern, Range, Regex
from treering.store.query._explain import meant, refuse
from treering.store.query._names import GROUPS, OBJECTS, RECORD_KEYS, SINCE_UNTIL
from treering.store.query._times import parse_time

if TYPE_CHECKING:
    from treering.store.query._ast import Value

_SOME_TIME_NS = 1_800_000_000_000_000_000


class Check:
    """Questions that the parser asks about what it has read."""

    def field(self, text: str, at: int, name: str, known: frozenset[str] | None) -> str:
        """The name, if it may be that of a field."""
        if not name:
            refuse(text, at, "a field has a name")
        if name in GROUPS:
            example = f"name one of its fields, as {name}.user_id"
            refuse(text, at, f"`{name}` is an object, not a value", hint=example, field=name)
        ours = {*RECORD_KEYS, *SINCE_UNTIL, "exception"}
        if known is not None and name not in known | ours and not name.startswith("exception."):
            hint = meant(name, (*RECORD_KEYS, *known, *OBJECTS))
            refuse(text, at, f"no record has a field `{name}`", hint=hint, field=name)
        return name

    def column(self, text: str, at: int, name: str, columns: tuple[str, ...]) -> str:
        """The name, if a table has such a column."""
        if name not in columns and name not in SINCE_UNTIL:
            there = ", ".join(columns)
            refuse(
                text,
                at,
                f"there is no column `{name}` here",
                hint=meant(name, columns) or f"there are {there}",
                field=name,
            )
        return name

    def meaning(self, text: str, at: int, node: Node) -> Node:
        """The comparison, with `since` and `until` as what they mean."""
        if isinstance(node, Compare) and node.field in SINCE_UNTIL:
            node = self._since(text, at, node)
        if isinstance(node, Compare | OneOf | Range) and node.field in SINCE_UNTIL:
            refuse(text, at, f"`{node.field}` takes one time", hint="timestamp:[-2h TO -1h]")
        if isinstance(node, Compare | OneOf | Range) and node.field in {"timestamp", "level"}:
            for value in _literals(node):
                self._value(text, at, node.field, value)
            self._plain(text, at, node)
        return node

    def regex(self, text: str, regex: Regex) -> None:
        """Nothing, if RE2 takes it."""
        problem = _regex.problem(regex.source)
        if problem:
            refuse(text, regex.column - 1, f"no regular expression of RE2: {problem}")

    def _since(self, text: str, at: int, node: Compare) -> Compare:
        if node.operator not in {":", "="} or not isinstance(node.value, Pattern):
            refuse(text, at, f"`{node.field}` takes one time", hint=f"{node.field}:-1h")
        return Compare("timestamp", ">=" if node.field == "since" else "<", node.value)

    def _value(self, text: str, at: int, field: str, value: str) -> None:
        try:
            level_number(value) if field == "level" else parse_time(value, _SOME_TIME_NS)
        except ValueError:
            if field == "level":
                names = (level.name.lower() for level in Level)
                wanted, hint = "level", meant(value, names) or "such as warning, or 30"
            else:
                wanted, hint = "time", "such as -15m, now-1d/d, 2026-11-21, 2026-11-21T10:30Z"
            refuse(text, at, f"`{value}` is not a {wanted}", hint=hint, field=field)

    def _plain(self, text: str, at: int, node: Compare | OneOf | Range) -> None:
        if node.field == "timestamp" and any(_is_pattern(value) for value in _values(node)):
            hint = "2026-11-21 is the whole day"
            refuse(text, at, "a time has no wildcards", hint=hint, field="timestamp")


check = Check()


def _values(node: Compare | OneOf | Range) -> tuple[Value, ...]:
    if isinstance(node, OneOf):
        return node.values
    return (node.value,) if isinstance(node, Compare) else ()


def _literals(node: Compare | OneOf | Range) -> list[str]:
    if isinstance(node, Range):
        return [bound for bound in (node.low, node.high) if bound is not None]
    patterns = (value for value in _values(node) if isinstance(value, Pattern))
    return [pattern.literal for pattern in patterns if pattern.literal is not None]


def _is_pattern(value: Value) -> bool:
    return isinstance(value, Regex) or (value.literal is None and not value.is_anything)
