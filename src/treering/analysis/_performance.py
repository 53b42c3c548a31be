"""Performance: rates, percentiles, what is slow, who fell silent, what came in bursts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from treering.analysis import _source
from treering.analysis._silence import Silence, silences
from treering.analysis._time import moment, nice_interval
from treering.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    import duckdb
    import pyarrow as pa

    from treering.analysis._source import Time

ERROR = 40
_BURST = 5.0
"""A burst is at least so many standard deviations above the usual."""


@dataclass(frozen=True)
class Rate:
    """Records of one interval."""

    begin: datetime
    count: int
    errors: int
    levels: dict[str, int]


@dataclass(frozen=True)
class Group:
    """Records with one value of the field they were grouped by.

    The percentiles are of `field` and `None` when no record has it as a number.
    """

    name: str
    count: int
    errors: int
    measured: int
    mean: float | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    max: float | None

    @property
    def error_rate(self) -> float:
        """Share of records at ERROR and above."""
        return self.errors / self.count if self.count else 0.0


@dataclass(frozen=True)
class Slow:
    """A record with a high value of the field."""

    index: int
    time: datetime | None
    component: str
    message: str
    value: float


@dataclass(frozen=True)
class Burst:
    """An interval with far more records, or errors, than usual."""

    begin: datetime
    what: str
    count: int
    usual: float
    deviations: float


@dataclass(frozen=True, kw_only=True)
class Performance:
    """What the records say about speed and trouble.

    Attributes:
        records: Number of records.
        errors: Of these at ERROR and above.
        begin: Time of the oldest.
        end: Time of the newest.
        interval_s: Length of an interval of `rates`.
        rates: Records per interval, without holes.
        field: The field that was measured.
        by: The field by which it was grouped.
        groups: Most records first.
        slowest: Highest value first.
        silences: Surest first.
        bursts: Strongest first.
    """

    records: int
    errors: int
    begin: datetime | None
    end: datetime | None
    interval_s: float
    rates: tuple[Rate, ...]
    field: str
    by: str
    groups: tuple[Group, ...]
    slowest: tuple[Slow, ...]
    silences: tuple[Silence, ...]
    bursts: tuple[Burst, ...]


def performance(
    source: object,
    *,
    query: str | None = None,
    start: Time | None = None,
    end: Time | None = None,
    field: str = "duration_ms",
    by: str = "component",
    interval_s: float | None = None,
    limit: int = 10,
) -> Performance:
    """Analyses the performance that records speak of.

    Args:
        source: Where the records come from, as for `patterns`.
        query: Which records; needs a `Store`.
        start: From this time on.
        end: Before this time.
        field: A numeric field: bare (`duration_ms`), or with its place (`performance_data.cpu_s`).
        by: The field to group by.
        interval_s: Length of an interval in seconds; by default a usual one that makes about 60.
        limit: Groups, slowest records, silences and bursts that are kept.

    Raises:
        ConfigurationError: An argument cannot be used, or `treering[query]` is not installed.
    """
    if interval_s is not None and not interval_s > 0:
        raise ConfigurationError(
            f"interval_s is {interval_s}: seconds above 0 would be right",
            code="interval_invalid",
            field="interval_s",
        )
    until = _source.nanoseconds(end, "end")
    with _source.duckdb().connect() as connection:
        for _ in measured(connection, _source.batches(source, query, start, end), field, by):
            pass
        return of_measured(
            connection, field=field, by=by, interval_s=interval_s, limit=limit, until_ns=until
        )


def measured(
    connection: duckdb.DuckDBPyConnection,
    batches: Iterable[pa.RecordBatch],
    field: str,
    by: str,
    start_ns: int | None = None,
) -> Iterator[pa.RecordBatch]:
    """Passes batches on and keeps of those from `start_ns` on what is needed in a table `measured`."""
    connection.execute(
        "CREATE TEMP TABLE measured (index BIGINT, ns BIGINT, level VARCHAR, is_error BOOLEAN,"
        " component VARCHAR, message VARCHAR, value DOUBLE, grouped VARCHAR)"
    )
    for batch in batches:
        connection.register("batch", _source.arrow().Table.from_batches([batch]))
        columns = batch.schema.names
        connection.execute(
            "INSERT INTO measured SELECT index, epoch_ns(timestamp), level,"  # noqa: S608 - `field_sql` quotes
            f" coalesce(level_number, 0) >= {ERROR}, coalesce(component, ''), message,"
            f" TRY_CAST({_source.field_sql(field, columns)} AS DOUBLE),"
            f" {_source.field_sql(by, columns)} FROM batch"
            " WHERE $start IS NULL OR epoch_ns(timestamp) >= $start",
            # DuckDB keeps times with a zone to the microsecond.
            {"start": start_ns and start_ns // 1000 * 1000},
        )
        yield batch


def of_measured(
    connection: duckdb.DuckDBPyConnection,
    *,
    field: str = "duration_ms",
    by: str = "component",
    interval_s: float | None = None,
    limit: int = 10,
    until_ns: int | None = None,
) -> Performance:
    """The analysis of what `measured` kept."""
    count, errors, first, last = connection.execute(
        "SELECT count(*), count(*) FILTER (is_error), min(ns), max(ns) FROM measured"
    ).fetchone() or (0, 0, None, None)
    span_s = (last - first) / 1e9 if count and first is not None else 0.0
    length = interval_s or nice_interval(max(span_s, 0.001))
    rates = _rates(connection, length, first, last)
    return Performance(
        records=count,
        errors=errors,
        begin=moment(first),
        end=moment(last),
        interval_s=length,
        rates=rates,
        field=field,
        by=by,
        groups=_groups(connection, limit),
        slowest=_slowest(connection, limit),
        silences=silences(connection, limit, until_ns),
        bursts=_bursts(rates, limit),
    )


_MAX_INTERVALS = 10_000


def _rates(
    connection: duckdb.DuckDBPyConnection, length: float, first: int | None, last: int | None
) -> tuple[Rate, ...]:
    if first is None or last is None:
        return ()
    step = max(1, int(length * 1e9))
    begin, end = first // step, last // step
    if end - begin >= _MAX_INTERVALS:
        raise ConfigurationError(
            f"{length} s make {end - begin + 1:,} intervals: at most {_MAX_INTERVALS:,} would be right",
            code="interval_invalid",
            field="interval_s",
        )
    rows = connection.execute(
        "SELECT ns // ?, count(*), count(*) FILTER (is_error), histogram(coalesce(level, ''))"
        " FROM measured WHERE ns IS NOT NULL GROUP BY 1",
        [step],
    ).fetchall()
    known = {at: (count, errors, levels) for at, count, errors, levels in rows}
    made = []
    for at in range(begin, end + 1):
        count, errors, levels = known.get(at, (0, 0, {}))
        time = moment(at * step)
        if time is not None:
            made.append(Rate(time, count, errors, dict(levels)))
    return tuple(made)


def _groups(connection: duckdb.DuckDBPyConnection, limit: int) -> tuple[Group, ...]:
    rows = connection.execute(
        "SELECT coalesce(grouped, '') AS name, count(*), count(*) FILTER (is_error), count(value),"
        " avg(value), quantile_cont(value, [0.5, 0.9, 0.95, 0.99]), max(value)"
        " FROM measured GROUP BY name ORDER BY count(*) DESC, name LIMIT ?",
        [limit],
    ).fetchall()
    return tuple(
        Group(name, count, errors, measured, mean, *(shares or [None] * 4), most)  # type: ignore[call-arg]
        for name, count, errors, measured, mean, shares, most in rows
    )


def _slowest(connection: duckdb.DuckDBPyConnection, limit: int) -> tuple[Slow, ...]:
    rows = connection.execute(
        "SELECT index, ns, component, message, value FROM measured"
        " WHERE value IS NOT NULL AND isfinite(value) ORDER BY value DESC, index LIMIT ?",
        [limit],
    ).fetchall()
    return tuple(
        Slow(index, moment(at), component, message or "", value)
        for index, at, component, message, value in rows
    )


def _bursts(rates: tuple[Rate, ...], limit: int) -> tuple[Burst, ...]:
    found: list[Burst] = []
    for what in ("records", "errors"):
        counts = [rate.count if what == "records" else rate.errors for rate in rates]
        usual, spread = _usual(counts)
        found += [
            Burst(rate.begin, what, count, usual, (count - usual) / spread)
            for rate, count in zip(rates, counts, strict=True)
            if (count - usual) / spread >= _BURST
        ]
    return tuple(sorted(found, key=lambda burst: -burst.deviations)[:limit])


def _usual(counts: list[int]) -> tuple[float, float]:
    """Median and standard deviation: from the median deviation, but never below that of chance."""
    from statistics import median

    if not counts:
        return 0.0, 1.0
    usual = float(median(counts))
    deviation = 1.4826 * median(abs(count - usual) for count in counts)
    return usual, max(float(deviation), (usual + 1.0) ** 0.5)


def to_dict(found: Any) -> Any:
    """Any of these for JSON: times are RFC 3339."""
    from dataclasses import fields, is_dataclass
    from datetime import datetime

    if is_dataclass(found) and not isinstance(found, type):
        return {part.name: to_dict(getattr(found, part.name)) for part in fields(found)}
    if isinstance(found, tuple | list):
        return [to_dict(item) for item in found]
    if isinstance(found, dict):
        return {key: to_dict(value) for key, value in found.items()}
    return found.isoformat() if isinstance(found, datetime) else found
