"""What a query says, as values: what the parser gives, `unparse` writes and the compiler reads.

Every node is frozen and comparable. Texts stand as they were meant, without quotes and escapes;
relative times stay relative, so that a query can be kept and asked again later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Operator: TypeAlias = Literal[":", "=", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text, or several with anything between them: `tim*` is `("tim", "")`."""

    parts: tuple[str, ...]

    @property
    def literal(self) -> str | None:
        """The text, when there is no wildcard in it."""
        return self.parts[0] if len(self.parts) == 1 else None

    @property
    def is_anything(self) -> bool:
        """Nothing but a wildcard."""
        return len(self.parts) > 1 and not any(self.parts)


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression of RE2."""

    source: str
    column: int = field(default=0, compare=False)


Value: TypeAlias = Pattern | Regex


@dataclass(frozen=True, slots=True)
class Everything:
    """Every record."""


@dataclass(frozen=True, slots=True)
class Text:
    """Words, or a regular expression, in the searched texts of a record."""

    value: Value


@dataclass(frozen=True, slots=True)
class Compare:
    """A field against a value. Those for order compare with a literal."""

    field: str
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class OneOf:
    """A field against several values, with `:`, `=` or `!=` (none of them)."""

    field: str
    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """A field between two values; `None` is an open end."""

    field: str
    low: str | None
    high: str | None
    includes_low: bool = True
    includes_high: bool = True


@dataclass(frozen=True, slots=True)
class Not:
    """What does not match."""

    node: Node


@dataclass(frozen=True, slots=True)
class And:
    """What matches all, two or more."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """What matches any, of two or more."""

    nodes: tuple[Node, ...]


Node: TypeAlias = Everything | Text | Compare | OneOf | Range | Not | And | Or


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One number of a group: `avg(x) as mean`.

    Attributes:
        function: One of `AGGREGATES`.
        field: What it is of; only `count` can do without.
        argument: The percentage of `percentile`, from 0 to 100.
        name: How its column is called.
    """

    function: str
    field: str | None
    argument: float | None
    name: str


@dataclass(frozen=True, slots=True)
class Key:
    """What groups are made of: a field, or the piece of time of a length in which it lies."""

    field: str
    bin: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Stats:
    """One row for each group."""

    aggregates: tuple[Aggregate, ...]
    by: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class TimeChart:
    """One row for each piece of time and group; `None` lets the engine choose the length."""

    span: str | None
    aggregates: tuple[Aggregate, ...]
    by: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Top:
    """The most frequent values, or with `is_rare` the least frequent, with their counts."""

    limit: int
    fields: tuple[str, ...]
    is_rare: bool = False


@dataclass(frozen=True, slots=True)
class Patterns:
    """What messages have in common; the engine mines it, SQL does not."""

    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A field to sort by."""

    field: str
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """Another order of the rows."""

    by: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """Only these fields, in this order."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """The first rows."""

    count: int


@dataclass(frozen=True, slots=True)
class Where:
    """The rows that match."""

    node: Node


@dataclass(frozen=True, slots=True)
class Dedup:
    """The first row with each value of these fields."""

    fields: tuple[str, ...]


Pipe: TypeAlias = Stats | TimeChart | Top | Patterns | Sort | Fields | Limit | Where | Dedup


@dataclass(frozen=True, slots=True)
class Query:
    """Which records, and what becomes of them."""

    filter: Node
    pipes: tuple[Pipe, ...] = ()
