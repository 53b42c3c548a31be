"""What every match of a filter must have, so that files, row groups and records can be left out.

All answers are cautious: they may ask for less than the filter, never for more.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from treering._levels import level_number
from treering.store.query._ast import And, Compare, Node, OneOf, Or, Pattern, Range, Text
from treering.store.query._names import RECORD_KEYS
from treering.store.query._times import parse_time
from treering.store.query._values import number
from treering.store.query._words import phrase

if TYPE_CHECKING:
    from collections.abc import Callable

_EXACT_AS_TEXT = 10**15
"""Whole numbers below are written with all their digits, as doubles too."""


class TimeBounds(NamedTuple):
    """From `since_ns` up to `until_ns`, exclusive; `None` is open."""

    since_ns: int | None = None
    until_ns: int | None = None


class LevelBounds(NamedTuple):
    """The lowest and the highest level number, both inclusive; `None` is open."""

    lowest: int | None = None
    highest: int | None = None


def required_words(node: Node) -> frozenset[str]:
    """Words, in lower case, of which each stands in the searched texts of every match.

    The searched texts are `message`, `exception` and the values of the three objects.
    """
    match node:
        case Text(value=Pattern() as pattern):
            return frozenset(phrase(pattern).whole)
        case Compare(operator=":" | "=", value=Pattern() as pattern) if _is_searched(node.field):
            return _words_of_value(node.field, pattern)
        case OneOf(operator=":" | "=") if _is_searched(node.field):
            found = [required_words(Compare(node.field, node.operator, of)) for of in node.values]
            return frozenset.intersection(*found)
        case And():
            return frozenset().union(*map(required_words, node.nodes))
        case Or():
            return frozenset.intersection(*map(required_words, node.nodes))
    return frozenset()


def time_bounds(node: Node, *, now_ns: int | None = None) -> TimeBounds:
    """When every match was.

    Args:
        node: The filter.
        now_ns: What relative times count from; the same as for `compile_filter`.
    """
    now_ns = time.time_ns() if now_ns is None else now_ns

    def bounds(operator: str, text: str) -> TimeBounds:
        start, end = parse_time(text, now_ns)
        known = {
            ":": TimeBounds(start, end),
            "=": TimeBounds(start, end),
            "<": TimeBounds(None, start),
            "<=": TimeBounds(None, end),
            ">": TimeBounds(end, None),
            ">=": TimeBounds(start, None),
        }
        return known.get(operator, TimeBounds())

    return TimeBounds(*_bounds(node, "timestamp", bounds))


def level_bounds(node: Node) -> LevelBounds:
    """How bad every match is."""

    def bounds(operator: str, text: str) -> LevelBounds:
        level = level_number(text)
        known = {
            ":": LevelBounds(level, level),
            "=": LevelBounds(level, level),
            "<": LevelBounds(None, level - 1),
            "<=": LevelBounds(None, level),
            ">": LevelBounds(level + 1, None),
            ">=": LevelBounds(level, None),
        }
        return known.get(operator, LevelBounds())

    return LevelBounds(*_bounds(node, "level", bounds))


def asks_for_journal(node: Node) -> bool:
    """Whether it names the component under which the journal speaks about itself, or one above.

    Its records are hidden from a search that does not.
    """
    match node:
        case Compare(field="component", operator=":" | "=", value=Pattern() as pattern):
            return pattern.parts[0].lower().startswith("treering")
        case OneOf(field="component", operator=":" | "="):
            return any(asks_for_journal(Compare("component", ":", of)) for of in node.values)
        case And() | Or():
            return any(map(asks_for_journal, node.nodes))
    return False


def _is_searched(field: str) -> bool:
    return field not in RECORD_KEYS or field == "message"


def _words_of_value(field: str, pattern: Pattern) -> frozenset[str]:
    if field in {"message", "exception"}:
        return frozenset(phrase(pattern).whole)
    literal = pattern.literal
    if pattern.parts[0][:1] in {"", "{", "["}:
        # It may be the text of an object, whose keys are not searched.
        return frozenset()
    as_number = None if literal is None else number(literal)
    if literal is None or as_number is None:
        return frozenset(phrase(pattern).whole)
    is_spelled_so = isinstance(as_number, int) and str(as_number) == literal
    return (
        frozenset(phrase(pattern).whole)
        if is_spelled_so and abs(as_number) < _EXACT_AS_TEXT
        else frozenset()
    )


def _bounds(
    node: Node, field: str, of: Callable[[str, str], tuple[int | None, int | None]]
) -> tuple[int | None, int | None]:
    match node:
        case Compare(operator=operator, value=Pattern(parts=(text,))) if node.field == field:
            return of(operator, text)
        case OneOf(operator=":" | "=", values=values) if node.field == field:
            found = [_bounds(Compare(field, ":", value), field, of) for value in values]
            return _widest(found)
        case Range() if node.field == field:
            low, high = ">=" if node.includes_low else ">", "<=" if node.includes_high else "<"
            lowest = None if node.low is None else of(low, node.low)[0]
            return lowest, None if node.high is None else of(high, node.high)[1]
        case And():
            return _narrowest([_bounds(inner, field, of) for inner in node.nodes])
        case Or():
            return _widest([_bounds(inner, field, of) for inner in node.nodes])
    return None, None


def _narrowest(found: list[tuple[int | None, int | None]]) -> tuple[int | None, int | None]:
    lows = [low for low, _ in found if low is not None]
    highs = [high for _, high in found if high is not None]
    return max(lows, default=None), min(highs, default=None)


def _widest(found: list[tuple[int | None, int | None]]) -> tuple[int | None, int | None]:
    lows, highs = [low for low, _ in found], [high for _, high in found]
    lowest = None if None in lows else min(low for low in lows if low is not None)
    return lowest, None if None in highs else max(high for high in highs if high is not None)
