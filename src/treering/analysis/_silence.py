"""Gaps: who was silent for longer than the usual pauses explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from treering.analysis._significance import adjusted, silence_p
from treering.analysis._time import moment

if TYPE_CHECKING:
    from datetime import datetime

    import duckdb

_LEAST_RECORDS = 20
_RATE = 0.01
_LN_5 = 1.6094379124341003


@dataclass(frozen=True)
class Silence:
    """A component without records for unusually long.

    Attributes:
        component: Who.
        begin: Its last record before.
        end: Its first record after; the end of what was looked at when `has_ended` is false.
        duration_s: How long.
        expected_s: Its usual pause, in seconds.
        q_value: False discovery rate among all components.
        has_ended: Records came again.
    """

    component: str
    begin: datetime | None
    end: datetime | None
    duration_s: float
    expected_s: float
    q_value: float
    has_ended: bool


_GAPS = """
WITH ends AS (SELECT coalesce(?, max(ns)) AS until FROM measured),
said AS (SELECT component, ns FROM measured WHERE ns IS NOT NULL),
gaps AS (
    SELECT component, ns AS begin, lead(ns) OVER (PARTITION BY component ORDER BY ns) AS next
    FROM said
), lasting AS (
    SELECT component, begin, coalesce(next, until) AS finish, next IS NOT NULL AS has_ended,
        (coalesce(next, until) - begin) / 1e9 AS gap
    FROM gaps, ends
), usual AS (
    SELECT component, count(*) AS records, avg(gap) FILTER (has_ended) AS mean,
        quantile_cont(gap, 0.5) FILTER (has_ended) AS middle,
        quantile_cont(gap, 0.9) FILTER (has_ended) AS high
    FROM lasting GROUP BY component
), longest AS (
    SELECT *, row_number() OVER (PARTITION BY component ORDER BY gap DESC) AS place FROM lasting
)
SELECT component, begin, finish, has_ended, gap, records, mean, middle, high
FROM longest JOIN usual USING (component)
WHERE place <= 3 AND records >= ? ORDER BY component, place
"""


def silences(
    connection: duckdb.DuckDBPyConnection, limit: int, until_ns: int | None = None
) -> tuple[Silence, ...]:
    """The longest pauses of each component that are no chance, surest first.

    Pauses of independent records are distributed exponentially; those of real components have a longer
    tail, so that its scale is taken from the mean or from the upper pauses, whichever is longer.
    """
    rows = connection.execute(_GAPS, [until_ns, _LEAST_RECORDS]).fetchall()
    chances = [
        silence_p(gap, max(mean or 0.0, ((high or 0.0) - (middle or 0.0)) / _LN_5), records)
        for _, _, _, _, gap, records, mean, middle, high in rows
    ]
    found = [
        Silence(component, moment(begin), moment(finish), gap, mean or 0.0, rate, has_ended)
        for (component, begin, finish, has_ended, gap, _, mean, _, _), rate in zip(
            rows, adjusted(chances), strict=True
        )
        if rate <= _RATE
    ]
    return tuple(sorted(found, key=lambda one: (one.q_value, -one.duration_s))[:limit])
