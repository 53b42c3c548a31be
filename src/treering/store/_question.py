"""What is asked, whichever way it is asked: parameters and query text become one tree."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from treering._levels import level_number
from treering.errors import QueryError
from treering.store.query import (
    And,
    Compare,
    Everything,
    Not,
    Pattern,
    Query,
    Text,
    asks_for_journal,
    parse,
    parse_time,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from treering.store.query import Node

JOURNAL = "treering.journal"
"""Component of what the journal says about itself."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Which records are wanted, in parameters; all that are given must hold.

    Attributes:
        level: The least level.
        category: Exactly this one.
        component: This one and those below it.
        start: From then on: RFC 3339, a time of the query language (`-10m`), or a time with its zone.
        end: Before then.
        text: Words that stand next to each other.
        fields: Values by field.
        journal: Whether what the journal says about itself is wanted, too.
    """

    level: str | int | None = None
    category: str | None = None
    component: str | None = None
    start: str | datetime | None = None
    end: str | datetime | None = None
    text: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    journal: bool = False

    def question(self, text: str) -> Query:
        """The query with these conditions.

        Raises:
            QueryError: The text, or a value, cannot be understood.
        """
        query = parse(text)
        nodes = [node for node in (query.filter, *self._nodes()) if node != Everything()]
        if not self.journal and not any(map(asks_for_journal, nodes)):
            nodes.append(Not(_is("component", "=", JOURNAL)))
        return Query(_all(nodes), query.pipes)

    def _nodes(self) -> list[Node]:
        nodes: list[Node] = []
        if self.level is not None:
            nodes.append(_is("level", ">=", _level(self.level)))
        if self.category is not None:
            nodes.append(_is("category", "=", self.category))
        if self.component is not None:
            nodes.append(_is("component", ":", self.component))
        if self.start is not None:
            nodes.append(_is("timestamp", ">=", _time("start", self.start)))
        if self.end is not None:
            nodes.append(_is("timestamp", "<", _time("end", self.end)))
        if self.text:
            nodes.append(Text(Pattern((self.text,))))
        nodes.extend(_is(name, "=", _text(value)) for name, value in self.fields.items())
        return nodes


def _all(nodes: list[Node]) -> Node:
    if len(nodes) > 1:
        return And(tuple(nodes))
    return nodes[0] if nodes else Everything()


def _is(name: str, operator: Any, text: str) -> Compare:
    return Compare(name, operator, Pattern((text,)))


def _level(given: str | int) -> str:
    try:
        return str(level_number(given))
    except ValueError as error:
        raise QueryError(f"level '{given}': {error}", field="level") from None


def _time(name: str, given: str | datetime) -> str:
    if isinstance(given, str):
        try:
            parse_time(given, time.time_ns())
        except ValueError as error:
            raise QueryError(
                f"{name} '{given}': {error}", field=name, hint="2026-11-21T10:30Z, or -15m"
            ) from None
        return given
    if given.tzinfo is None:
        raise QueryError(
            f"{name} '{given}' has no time zone, and could be any of several moments",
            code="query_invalid",
            field=name,
            hint="datetime.now(UTC), or .astimezone()",
        )
    return given.astimezone(UTC).isoformat()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
