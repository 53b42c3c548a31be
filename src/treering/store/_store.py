"""What every engine of the store answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    from treering.store._result import Record, Result, Table

Order = Literal["newest", "oldest"]
Same = Literal["process", "component", "trace", "none"]


@dataclass(frozen=True, slots=True)
class FieldUse:
    """How a field is used.

    Attributes:
        types: JSON types of its values: integer, number, string, boolean, object, list, null.
        count: In how many of the records that were looked at it stands.
    """

    types: tuple[str, ...]
    count: int


class Store(Protocol):
    """Answers questions about the records of a journal, while others write, archive and remove them.

    Every answer is one of a moment: what comes, is archived or removed while it is read changes
    nothing in it. A store may be used by several threads.
    """

    def __enter__(self) -> Store: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def search(
        self,
        query: str = "",
        *,
        level: str | int | None = None,
        category: str | None = None,
        component: str | None = None,
        start: str | datetime | None = None,
        end: str | datetime | None = None,
        text: str | None = None,
        fields: Mapping[str, Any] | None = None,
        journal: bool = False,
        limit: int | None = 100,
        cursor: str | None = None,
        order: Order = "newest",
        timeout_s: float | None = None,
    ) -> Result:
        """The records that match all of it, or what the query's pipes make of them.

        Args:
            query: In the query language, `docs/reference/query.md`.
            level: The least level.
            category: Exactly this one.
            component: This one and those below it.
            start: From then on: RFC 3339, a time relative to now (`-15m`), or one with its zone.
            end: Before then.
            text: Words that stand next to each other.
            fields: Values by field.
            journal: Whether what the journal says about itself is wanted, too.
            limit: Records on a page; `None` is all, without cursors. Pipes have limits of their own.
            cursor: Where to go on: a `next_cursor` or `previous_cursor` of the same question.
            order: Which come first.
            timeout_s: Seconds until the last row is read; `None` is as long as it takes.

        Raises:
            QueryError: The question, or the cursor, cannot be understood.
            QueryTimeout: Its time is over; also while the result is read.
            QueryTooLarge: It needs more memory or files than it may.
        """

    def sql(
        self,
        statement: str,
        parameters: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        limit: int | None = None,
        timeout_s: float | None = 60,
    ) -> Table:
        """What one SELECT about the view `records` gives. It reads nothing else, and changes nothing.

        Args:
            statement: SQL of DuckDB: one SELECT, WITH, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN.
            parameters: For its `?` or `$name`: values that JSON knows.
            limit: Rows at most; `is_cut` of the result says whether there were more.
            timeout_s: Seconds until the last row is read; `None` is as long as it takes.

        Raises:
            QueryError: The statement cannot be understood, or does what is not allowed.
            QueryTimeout: Its time is over; also while the result is read.
            QueryTooLarge: It needs more memory or files than it may.
        """

    def count(self, query: str = "", *, timeout_s: float | None = None) -> int:
        """How many records match."""

    def histogram(
        self,
        query: str = "",
        *,
        span: str | None = None,
        buckets: int = 60,
        by: str | None = "level",
        timeout_s: float | None = None,
    ) -> Table:
        """How many records match in each piece of time: `timestamp`, the field `by`, `count`.

        Args:
            query: Which records.
            span: Length of the pieces (`5m`); `None` chooses one with at most `buckets` of them.
            buckets: See there.
            by: A field whose values are counted apart; `None` for none.
            timeout_s: Seconds until the last row is read.
        """

    def facets(
        self,
        query: str,
        fields: Sequence[str],
        *,
        limit: int = 10,
        timeout_s: float | None = None,
    ) -> dict[str, list[tuple[Any, int]]]:
        """The most frequent values of each field in the records that match, with their counts."""

    def fields(self) -> dict[str, FieldUse]:
        """The fields of records, by name, as seen in promoted columns and in the newest records."""

    def context(
        self, index: int, *, before: int = 10, after: int = 10, same: Same = "none"
    ) -> list[Record]:
        """A record and those around it, oldest first.

        Args:
            index: Of the record.
            before: How many older ones.
            after: How many newer ones.
            same: What they have in common with it.

        Raises:
            QueryError: There is no such record, or it has nothing to be the same as.
        """

    def close(self) -> None:
        """Lets go of files and processes; results that are still read go on."""
