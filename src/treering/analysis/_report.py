"""The report: what happened, how fast, what is new, and how the journal itself is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from treering.analysis import _source
from treering.analysis._patterns import Patterns, mine, summarise
from treering.analysis._performance import ERROR, Performance, measured, of_measured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from treering.analysis._source import Time

FORMATS = ("terminal", "markdown", "html")
_NEW_PART = 0.2


@dataclass(frozen=True)
class Health:
    """A fact about the journal, and whether it is as it should be."""

    what: str
    state: str
    is_good: bool


@dataclass(frozen=True, kw_only=True)
class Report:
    """A performance and error report.

    Attributes:
        title: What it is about.
        performance: Rates, percentiles, slowest records, silences, bursts.
        levels: Number of records by level, most first.
        patterns: Most frequent patterns.
        errors: Most frequent patterns among records at ERROR and above.
        new: Patterns that were not seen before.
        new_since: Since when; `None` without records.
        health: Of the journal; empty when the source is none.
        forgotten: Records whose templates were forgotten to bound the memory.
    """

    title: str
    performance: Performance
    levels: dict[str, int]
    patterns: Patterns
    errors: Patterns
    new: Patterns
    new_since: str | None
    health: tuple[Health, ...]
    forgotten: int

    def text(self, *, colour: bool = False, width: int = 100) -> str:
        """For a terminal."""
        from treering.analysis._text import terminal

        return terminal(self, colour=colour, width=width)

    def markdown(self) -> str:
        """As Markdown."""
        from treering.analysis._text import markdown

        return markdown(self)

    def html(self) -> str:
        """One HTML page that needs no other file."""
        from treering.analysis._html import page

        return page(self)


def report(
    source: object,
    *,
    query: str | None = None,
    start: Time | None = None,
    end: Time | None = None,
    field: str = "duration_ms",
    by: str = "component",
    limit: int = 10,
    title: str = "Log report",
    status: Mapping[str, Any] | None = None,
) -> Report:
    """Makes a report of records.

    What is new is compared with the time before `start`, as far back as the report is long; without
    `start` it is what was first seen in the last fifth of the time.

    Args:
        source: Where the records come from, as for `patterns`.
        query: Which records; needs a `Store`.
        start: From this time on.
        end: Before this time.
        field: The numeric field that is measured.
        by: The field to group by.
        limit: Rows of each table.
        title: Its title.
        status: `Journal.status()`, for the health of the journal.

    Raises:
        ConfigurationError: An argument cannot be used, or `treering[query]` is not installed.
    """
    begin, until = _source.nanoseconds(start, "start"), _source.nanoseconds(end, "end")
    with _source.duckdb().connect() as connection:
        found = _source.batches(source, query, _earlier(begin, until), until)
        mined, miner = mine(measured(connection, found, field, by, begin))
        speed = of_measured(connection, field=field, by=by, limit=limit, until_ns=until)
        levels = _levels(connection)
    since = begin if begin is not None else _late(mined)
    now, known = _split(mined, begin)
    every = summarise(now, miner, since, known)
    errors = summarise(now.filter(_at_least_error(now)), miner)
    return Report(
        title=title,
        performance=speed,
        levels=levels,
        patterns=_first(every, limit),
        errors=_first(errors, limit),
        new=_first(replace(every, patterns=tuple(one for one in every if one.is_new)), limit),
        new_since=_moment_text(since),
        health=health(status) if status else (),
        forgotten=every.forgotten,
    )


def _earlier(begin: int | None, until: int | None) -> int | None:
    """As far before the begin as the end lies behind it."""
    import time

    if begin is None:
        return None
    return begin - max(0, (time.time_ns() if until is None else until) - begin)


def _late(mined: Any) -> int | None:
    from pyarrow import compute

    ends = compute.min_max(mined.column("timestamp").cast(_source.arrow().int64())).as_py()
    if ends["min"] is None or ends["min"] == ends["max"]:
        return None
    return int(ends["max"] - _NEW_PART * (ends["max"] - ends["min"]))


def _split(mined: Any, begin: int | None) -> tuple[Any, frozenset[int]]:
    """The records from `begin` on, and the patterns of those before."""
    if begin is None:
        return mined, frozenset()
    from pyarrow import compute

    times = mined.column("timestamp").cast(_source.arrow().int64())
    known = mined.filter(compute.less(times, begin)).column("pattern").unique().to_pylist()
    return mined.filter(compute.greater_equal(times, begin)), frozenset(known)


def _at_least_error(mined: Any) -> Any:
    from pyarrow import compute

    return compute.fill_null(compute.greater_equal(mined.column("level_number"), ERROR), False)


def _first(found: Patterns, limit: int) -> Patterns:
    return replace(found, patterns=found.patterns[:limit])


def _levels(connection: Any) -> dict[str, int]:
    rows = connection.execute(
        "SELECT coalesce(level, ''), count(*) FROM measured GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    return dict(rows)


def _moment_text(time_ns: int | None) -> str | None:
    from treering.analysis._time import clock, moment

    return None if time_ns is None else clock(moment(time_ns))


_STALE_S = 3600


def health(status: Mapping[str, Any]) -> tuple[Health, ...]:
    """What `Journal.status()` says, as facts that are good or not."""
    from treering.analysis._time import duration

    found = []
    domain = status.get("domain")
    if domain:
        dropped, errors = domain["dropped"], domain["write_errors"]
        found += [
            Health("records dropped", f"{dropped:,}", dropped == 0),
            Health("write errors", f"{errors:,}", errors == 0),
            Health("records cut", f"{domain['truncated']:,}", domain["truncated"] == 0),
        ]
    else:
        found.append(Health("processes", "none has the journal open", is_good=True))
    seal = status.get("seal")
    if not seal:
        found.append(Health("seal", "not sealed", is_good=False))
        return (*found, *_outputs(status))
    age, anchored = seal["checkpoint_age_s"], seal["anchor_age_s"]
    is_fresh = not domain or age < _STALE_S
    found.append(Health("last checkpoint", f"{duration(age)} ago", is_fresh))
    behind = max(0, status.get("end", seal["sealed"]) - seal["sealed"])
    tail = f", {behind:,} behind" if behind else ""
    found.append(Health("sealed", f"{seal['sealed']:,} records{tail}", behind == 0 or bool(domain)))
    anchor = "never" if anchored is None else f"{duration(anchored)} ago"
    found.append(Health("last anchor", anchor, is_good=True))
    return (*found, *_outputs(status))


def _outputs(status: Mapping[str, Any]) -> list[Health]:
    return [
        Health(
            f"output {output['name']}",
            output["error"] or f"{output['behind']:,} behind",
            not output["error"],
        )
        for output in status.get("outputs", ())
    ]
