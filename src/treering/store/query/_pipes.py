"""From text to the tree: pipes.

```text
pipe       = "stats" [aggregates] ["by" keys] | "timechart" ["span=" length] [aggregates] ["by" keys]
           | ("top" | "rare") [number] names | "patterns" [number] | "sort" orders | "fields" names
           | ("limit" | "head") number | "where" filter | "dedup" names
aggregate  = function ["(" [name ["," number]] ")"] ["as" name]
key        = name | "bin(timestamp," length ")" ["as" name]
order      = ["-"] name ["asc" | "desc"]
```
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from treering.store.query._ast import (
    Aggregate,
    Dedup,
    Fields,
    Key,
    Limit,
    Order,
    Patterns,
    Sort,
    Stats,
    TimeChart,
    Top,
    Where,
)
from treering.store.query._check import check
from treering.store.query._explain import meant, refuse
from treering.store.query._names import AGGREGATES, MAX_ROWS, PIPES
from treering.store.query._scan import NAME_ENDS
from treering.store.query._times import parse_span

if TYPE_CHECKING:
    from collections.abc import Callable

    from treering.store.query._ast import Pipe
    from treering.store.query._inputs import Form
    from treering.store.query._parse import FilterParser

_DEFAULT_TOP = 10
_PERCENT = 100
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)", re.ASCII)
_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,9})?", re.ASCII)
PATTERN_FORMS: tuple[tuple[str, Form], ...] = (
    ("pattern", "text"),
    ("count", "integer"),
    ("share", "number"),
    ("first", "integer"),
    ("last", "integer"),
    ("example", "text"),
)
"""What `patterns` gives: columns, and what they hold; `first` and `last` are indexes."""


def parse_pipes(parser: FilterParser) -> tuple[Pipe, ...]:
    """What follows a filter, up to the end.

    Raises:
        QueryError: It cannot be understood; the error has the column.
    """
    pipes = PipeParser(parser)
    found = []
    while parser.scanner.take("|"):
        parser.scanner.count_term()
        found.append(pipes.pipe())
    return tuple(found)


def default_name(function: str, field: str | None, argument: float | None) -> str:
    """The column of an aggregate that is given no name."""
    if field is None:
        return function
    return f"p{argument:g}({field})" if argument is not None else f"{function}({field})"


class PipeParser:
    """Reads pipes; knows which columns there are once rows are no longer records."""

    def __init__(self, parser: FilterParser) -> None:
        self.parser = parser
        self.scanner = parser.scanner
        self._columns: tuple[str, ...] | None = None
        self._made: tuple[str, ...] = ()

    def pipe(self) -> Pipe:
        """One pipe, its bar already read."""
        self.scanner.skip()
        at = self.scanner.at
        name = self.scanner.word(NAME_ENDS).raw
        if name.lower() not in PIPES:
            known = ", ".join(PIPES)
            hint = meant(name, PIPES) or f"there are {known}"
            message = f"no pipe is called `{name}`" if name else "a pipe is missing"
            refuse(self.scanner.text, at, message, hint=hint)
        rules: dict[str, Callable[[], Pipe]] = {
            "stats": self._stats,
            "timechart": self._timechart,
            "top": lambda: self._top(is_rare=False),
            "rare": lambda: self._top(is_rare=True),
            "patterns": self._patterns,
            "sort": self._sort,
            "fields": self._fields,
            "limit": self._limit,
            "head": self._limit,
            "where": self._where,
            "dedup": lambda: Dedup(self._names()),
        }
        pipe = rules[name.lower()]()
        self.scanner.skip()
        if self.scanner.peek() not in {"", "|"}:
            self._refuse(self.scanner.at, f"`{name}` ends before this", hint="a comma is missing?")
        return pipe

    def _stats(self) -> Stats:
        aggregates, by = self._aggregates(), self._by()
        return Stats(aggregates, by)

    def _timechart(self) -> TimeChart:
        at = self.scanner.at
        if self._columns is not None and "timestamp" not in self._columns:
            self._refuse(at, "`timechart` needs the column `timestamp`")
        span = None
        if self._word("span"):
            self.scanner.skip()
            if not self.scanner.take("="):
                self._refuse(self.scanner.at, "a length of time is missing", hint="span=1m")
            span = self._span()
        aggregates, by = self._aggregates(), self._by(first=("timestamp",))
        return TimeChart(span, aggregates, by)

    def _aggregates(self) -> tuple[Aggregate, ...]:
        found: list[Aggregate] = []
        while not self._ended() and not self._at_word("by"):
            at = self.scanner.at
            aggregate = self._aggregate()
            if aggregate.name in (other.name for other in found):
                hint = f"{aggregate.name} as another_name"
                self._refuse(at, f"two columns are called `{aggregate.name}`", hint=hint)
            found.append(aggregate)
            if not self._comma():
                break
        if not found:
            self._made = ("count",)
            return (Aggregate("count", None, None, "count"),)
        self._made = tuple(aggregate.name for aggregate in found)
        return tuple(found)

    def _aggregate(self) -> Aggregate:
        self.scanner.skip()
        at = self.scanner.at
        function = self.scanner.word(NAME_ENDS).raw.lower()
        short = _PERCENTILE.fullmatch(function)
        argument = float(short[1]) if short else None
        function = "percentile" if short else {"mean": "avg"}.get(function, function)
        if function not in AGGREGATES:
            hint = meant(function, AGGREGATES) or f"there are {', '.join(AGGREGATES)}, p50, p95"
            self._refuse(at, f"no function is called `{function}`", hint=hint)
        field = None
        if self.scanner.take("("):
            self.scanner.skip()
            field = None if self.scanner.peek() == ")" else self._name()
            if function == "percentile" and not short:
                argument = self._percent()
            self._close(")")
        if field is None and function != "count":
            self._refuse(at, f"`{function}` is of a field", hint=f"{function}(duration_ms)")
        if function in {"first", "last"} and self._columns is not None:
            self._refuse(at, f"`{function}` is of records, and here are rows of a table")
        name = self._as() or default_name(function, field, argument)
        return Aggregate(function, field, argument, name)

    def _percent(self) -> float:
        if not self._comma():
            self._refuse(self.scanner.at, "which percentile?", hint="percentile(duration_ms, 95)")
        self.scanner.skip()
        at = self.scanner.at
        word = self.scanner.word(NAME_ENDS).raw
        if not _NUMBER.fullmatch(word) or float(word) > _PERCENT:
            self._refuse(at, f"a percentile is a number from 0 to 100, not `{word}`")
        return float(word)

    def _by(self, first: tuple[str, ...] = ()) -> tuple[Key, ...]:
        keys: list[Key] = []
        if self._word("by"):
            keys.append(self._key())
            while self._comma():
                keys.append(self._key())
        names = (*first, *(key.name for key in keys), *self._made)
        for number, name in enumerate(names):
            if name in names[:number]:
                self._refuse(self.scanner.at, f"two columns are called `{name}`", hint="use `as`")
        self._columns = names
        return tuple(keys)

    def _key(self) -> Key:
        self.scanner.skip()
        at = self.scanner.at
        if self._word("bin") and self.scanner.take("("):
            if self._name() != "timestamp" or not self._comma():
                self._refuse(at, "only time has bins", hint="bin(timestamp, 5m)")
            span = self._span()
            self._close(")")
            return Key("timestamp", span, self._as() or "timestamp")
        self.scanner.at = at
        field = self._name()
        return Key(field, None, self._as() or field)

    def _top(self, *, is_rare: bool) -> Top:
        self.scanner.skip()
        at = self.scanner.at
        limit = self.scanner.word(NAME_ENDS).raw
        if not (limit.isascii() and limit.isdigit()):
            self.scanner.at = at
            limit = str(_DEFAULT_TOP)
        names = self._names()
        if "count" in names:
            self._refuse(at, "two columns are called `count`")
        self._columns = (*names, "count")
        return Top(self._count(limit, at), names, is_rare)

    def _patterns(self) -> Patterns:
        if self._columns is not None:
            self._refuse(self.scanner.at, "`patterns` needs records, and here are rows of a table")
        self._columns = tuple(name for name, _ in PATTERN_FORMS)
        self.scanner.skip()
        at = self.scanner.at
        return Patterns(
            self._count(word, at) if (word := self.scanner.word(NAME_ENDS).raw) else None
        )

    def _sort(self) -> Sort:
        self._word("by")
        found = [self._order()]
        while self._comma():
            found.append(self._order())
        return Sort(tuple(found))

    def _order(self) -> Order:
        self.scanner.skip()
        is_descending = self.scanner.take("-")
        name = self._name()
        if self._word("desc"):
            is_descending = True
        elif not is_descending:
            self._word("asc")
        return Order(name, is_descending)

    def _fields(self) -> Fields:
        self._columns = self._names()
        return Fields(self._columns)

    def _limit(self) -> Limit:
        self.scanner.skip()
        at = self.scanner.at
        return Limit(self._count(self.scanner.word(NAME_ENDS).raw, at))

    def _where(self) -> Where:
        self.scanner.skip()
        if self._ended():
            self._refuse(self.scanner.at, "`where` needs a condition", hint="where count>10")
        self.parser.table = self._columns
        node = self.parser.whole()
        self.parser.table = None
        return Where(node)

    def _count(self, word: str, at: int) -> int:
        if not (word.isascii() and word.isdigit()) or len(word) > len(str(MAX_ROWS)):
            self._refuse(at, f"`{word}` is not a number of rows")
        if not 1 <= int(word) <= MAX_ROWS:
            self._refuse(at, f"from 1 to {MAX_ROWS} rows, not {word}")
        return int(word)

    def _names(self) -> tuple[str, ...]:
        found = [self._name()]
        while self._comma():
            at = self.scanner.at
            name = self._name()
            if name in found:
                self._refuse(at, f"`{name}` stands here twice")
            found.append(name)
        return tuple(found)

    def _name(self) -> str:
        self.scanner.skip()
        at = self.scanner.at
        name = self.parser.name(NAME_ENDS)
        if not name:
            self._refuse(at, "a name is missing")
        if self._columns is None:
            return check.field(self.scanner.text, at, name, self.parser.fields)
        return check.column(self.scanner.text, at, name, self._columns)

    def _as(self) -> str | None:
        if not self._word("as"):
            return None
        self.scanner.skip()
        at = self.scanner.at
        return self.parser.name(NAME_ENDS) or self._refuse(at, "a name is missing")

    def _span(self) -> str:
        self.scanner.skip()
        at = self.scanner.at
        span = self.scanner.word(NAME_ENDS).raw
        try:
            parse_span(span)
        except ValueError:
            self._refuse(at, f"`{span}` is no length of time", hint="such as 30s, 5m, 1h30m, 1d")
        return span

    def _word(self, word: str) -> bool:
        self.scanner.skip()
        at = self.scanner.at
        if self.scanner.word(NAME_ENDS).raw.lower() == word:
            return True
        self.scanner.at = at
        return False

    def _at_word(self, word: str) -> bool:
        self.scanner.skip()
        at = self.scanner.at
        found = self._word(word)
        self.scanner.at = at
        return found

    def _comma(self) -> bool:
        self.scanner.skip()
        return self.scanner.take(",")

    def _close(self, sign: str) -> None:
        self.scanner.skip()
        if not self.scanner.take(sign):
            self._refuse(self.scanner.at, f"`{sign}` is missing")

    def _ended(self) -> bool:
        self.scanner.skip()
        return self.scanner.peek() in {"", "|"}

    def _refuse(self, at: int, message: str, *, hint: str | None = None) -> NoReturn:
        refuse(self.scanner.text, at, message, hint=hint)
