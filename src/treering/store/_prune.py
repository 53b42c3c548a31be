"""Which files cannot have what is asked for, by what they say about themselves."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from treering._levels import level_number
from treering.store.query import And, Compare, Or, Pattern, Range, parse_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from treering.store.query import Node


class Pruning:
    """Judges files for one question.

    Args:
        node: The filter.
        now_ns: What relative times count from; the same as when the filter is compiled.
    """

    def __init__(self, node: Node, now_ns: int | None = None) -> None:
        self._node = node
        self._now_ns = time.time_ns() if now_ns is None else now_ns

    def may_have(self, facts: Mapping[str, Any]) -> bool:
        """Whether a file with these facts may have a record that matches; True when that is unknown."""
        return self._may(self._node, facts)

    def _may(self, node: Node, facts: Mapping[str, Any]) -> bool:
        match node:
            case And(nodes):
                return all(self._may(inner, facts) for inner in nodes)
            case Or(nodes):
                return any(self._may(inner, facts) for inner in nodes)
            case Range("timestamp", low, high):
                return (low is None or self._time(">=", low, facts)) and (
                    high is None or self._time("<=", high, facts)
                )
            case Compare("timestamp", operator, Pattern((text,))):
                return self._time(operator, text, facts)
            case Compare("level", operator, Pattern((text,))):
                return _level(operator, text, facts)
        return True

    def _time(self, operator: str, text: str, facts: Mapping[str, Any]) -> bool:
        if facts["min_timestamp"] is None:
            return False
        low, high = _ns(facts["min_timestamp"]), _ns(facts["max_timestamp"])
        start, end = parse_time(text, self._now_ns)
        if operator in {">", ">="}:
            return high >= start
        if operator in {"<", "<="}:
            return low <= end
        return operator == "!=" or (low <= end and high >= start)


def _level(operator: str, text: str, facts: Mapping[str, Any]) -> bool:
    wanted = level_number(text)
    numbers = [level_number(name) for name in facts["levels"]]
    match operator:
        case ">=" | ">":
            return any(number >= wanted for number in numbers)
        case "<=" | "<":
            return any(number <= wanted for number in numbers)
        case ":" | "=":
            return wanted in numbers
    return True


def _ns(text: str) -> int:
    from treering import _core

    found = _core.parse_time(text)
    assert found is not None, "facts have times of RFC 3339"  # noqa: S101
    return found
