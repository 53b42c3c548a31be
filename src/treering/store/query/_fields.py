"""Where the values of a field stand in a relation: record keys, promoted columns, JSON text."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from treering.store.query._names import GROUPS, INTEGER_KEYS, OBJECTS, RECORD_KEYS
from treering.store.query._sql import Fragment, build, identifier, value

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind: TypeAlias = Literal["string", "integer", "double", "boolean", "time", "json", "mixed"]
"""Of a column; `json` is the text of a JSON object, `mixed` texts of which some read as numbers."""


@dataclass(frozen=True, slots=True)
class Source:
    """One column that may hold a field's value.

    Attributes:
        column: Its name as SQL.
        kind: What it holds.
        path: Keys inside, when it holds JSON text.
    """

    column: Fragment
    kind: Kind
    path: tuple[str, ...] = ()

    @property
    def json(self) -> Fragment:
        """The value inside JSON text, NULL when there is none."""
        escaped = (key.replace("~", "~0").replace("/", "~1") for key in self.path)
        pointer = "".join(f"/{key}" for key in escaped)
        return build("json_extract({}, {})", self.column, value(pointer))

    @property
    def may_have(self) -> Fragment | None:
        """Cheaply false where the JSON text cannot have the last key; `None` when that is unknown."""
        key = self.path[-1]
        if (
            not key.isprintable()
            or json.dumps(key, ensure_ascii=False) != f'"{key}"'
            or key.isdigit()
        ):
            # Other than canonical spellings, and places in a list.
            return None
        return build("contains({}, {})", self.column, value(f'"{key}":'))

    @property
    def is_present(self) -> Fragment:
        """The field has a value here."""
        if self.kind != "json" or not self.path:
            return build("{} IS NOT NULL", self.column)
        cheap = self.may_have
        exact = build("{} IS NOT NULL", self.json)
        return exact if cheap is None else build("({} AND {})", cheap, exact)


Place: TypeAlias = tuple[Source, ...]
"""Columns of which at most one has the value: a promoted one and the JSON text it was taken from."""


class Resolver(Protocol):
    """What a filter must know of a relation to be compiled for it."""

    @property
    def time_type(self) -> str:
        """SQL type of the column `timestamp`."""

    @property
    def level(self) -> Fragment:
        """The number of the level."""

    def column(self, name: str) -> Fragment:
        """A column by the key of the record that it holds."""

    def field(self, path: str) -> tuple[Place, ...]:
        """Where the value of a field may stand; the first place that has one counts."""

    def texts(self) -> tuple[Source, ...]:
        """Every column in which words are searched."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What a relation has.

    Attributes:
        promoted: Kinds of the promoted columns by name (`context.user_id`).
        whole: Those of them whose key is nowhere in the JSON text instead (`elsewhere` is 0).
        absent: Columns of JSON text that have nothing in any row.
        is_since_1970: No record is older; then times divide without a look at their sign.
        time_type: SQL type of the column `timestamp`.
    """

    promoted: Mapping[str, Kind] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    is_since_1970: bool = False
    time_type: str = "TIMESTAMPTZ_NS"

    @property
    def level(self) -> Fragment:
        """The number of the level."""
        return identifier("level_number")

    def column(self, name: str) -> Fragment:
        """A column by the key of the record that it holds."""
        return identifier(name)

    def field(self, path: str) -> tuple[Place, ...]:
        """Where the value of a field may stand; the first place that has one counts."""
        if path in RECORD_KEYS:
            return ((Source(identifier(path), _key_kind(path)),),)
        first, _, rest = path.partition(".")
        if path in OBJECTS:
            return ((Source(identifier(path), "json"),),)
        if rest and first in OBJECTS:
            places = [self._place(first, keys) for keys in _spellings(rest)]
        else:
            places = [self._place(group, keys) for keys in _spellings(path) for group in GROUPS]
        # What can be nowhere is looked for in a column that has nothing.
        nowhere = Source(Fragment("CAST(NULL AS VARCHAR)"), "string")
        return tuple(place for place in places if place) or ((nowhere,),)

    def texts(self) -> tuple[Source, ...]:
        """Every column in which words are searched."""
        promoted = (Source(identifier(name), kind) for name, kind in self.promoted.items())
        left = (name for name in OBJECTS if name not in self.absent)
        objects = (Source(identifier(name), "json") for name in left)
        return (Source(identifier("message"), "string"), *promoted, *objects)

    def _place(self, group: str, keys: tuple[str, ...]) -> Place:
        rest = () if group in self.absent else (Source(identifier(group), "json", keys),)
        name = f"{group}.{keys[0]}"
        if len(keys) > 1 or name not in self.promoted:
            return rest
        typed = Source(identifier(name), self.promoted[name])
        return (typed,) if name in self.whole else (typed, *rest)


def _key_kind(key: str) -> Kind:
    if key in INTEGER_KEYS:
        return "integer"
    return "time" if key == "timestamp" else "string"


def _spellings(path: str) -> list[tuple[str, ...]]:
    """A path as one key, then with every dot from the first on as a step: keys may have dots."""
    steps = path.split(".")
    return [(*steps[:at], ".".join(steps[at:])) for at in range(len(steps))]
