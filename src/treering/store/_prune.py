"""Which files cannot have what is asked for, by what they say about themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from treering._levels import level_number
from treering.store.query import level_bounds, parse_time, time_bounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from treering.store.query import Node


class Pruning:
    """Judges files for one question.

    Args:
        node: The filter.
        now_ns: What relative times count from; the same as when the filter is compiled.
    """

    def __init__(self, node: Node, now_ns: int) -> None:
        self._times = time_bounds(node, now_ns=now_ns)
        self._levels = level_bounds(node)

    def may_have(self, facts: Mapping[str, Any]) -> bool:
        """Whether a file with these facts may have a record that matches; True when that is unknown."""
        return self._has_time(facts) and self._has_level(facts)

    def _has_time(self, facts: Mapping[str, Any]) -> bool:
        since, until = self._times
        if since is None and until is None:
            return True
        if facts["min_timestamp"] is None:
            return False
        low, _ = parse_time(facts["min_timestamp"], 0)
        _, high = parse_time(facts["max_timestamp"], 0)
        return (since is None or high >= since) and (until is None or low < until)

    def _has_level(self, facts: Mapping[str, Any]) -> bool:
        lowest, highest = self._levels
        if lowest is None and highest is None:
            return True
        numbers = (level_number(name.removeprefix("Level ")) for name in facts["levels"])
        return any(
            (lowest is None or number >= lowest) and (highest is None or number <= highest)
            for number in numbers
        )
