"""What differs between two sets of records: patterns and values of fields."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from treering.analysis import _source
from treering.analysis._patterns import REST, mine
from treering.analysis._significance import adjusted, likelihood_ratio, log2_ratio, p_value

if TYPE_CHECKING:
    import pyarrow as pa

    from treering.analysis._source import Time

Range = tuple["Time | None", "Time | None"]

_FIELDS = ("level", "category", "component", "event_id", "module", "host", "process")
_OBJECTS = ("context", "metadata", "performance_data")
_MAX_VALUES = 200
"""A field with more values is a name or a number of something, and all its values are rare."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A pattern, or a value of a field, that is more or less frequent afterwards.

    Attributes:
        kind: `pattern` or `field`.
        name: The template, or the field's name.
        value: The field's value; `None` for a pattern.
        component: Who says the pattern.
        before: Records before.
        after: Records after.
        share_before: Of all records before.
        share_after: Of all records after.
        log2_ratio: Effect: by how many doublings its share rose; negative when it fell.
        likelihood: G² with one degree of freedom.
        q_value: False discovery rate among all that were compared (Benjamini-Hochberg).
    """

    kind: str
    name: str
    value: str | None = None
    component: str = ""
    before: int
    after: int
    share_before: float
    share_after: float
    log2_ratio: float
    likelihood: float
    q_value: float

    @property
    def is_new(self) -> bool:
        """It was not there before."""
        return self.before == 0

    @property
    def is_gone(self) -> bool:
        """It is not there any more."""
        return self.after == 0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "is_new": self.is_new, "is_gone": self.is_gone}


@dataclass(frozen=True)
class Difference:
    """What differs, surest first.

    Attributes:
        before: Number of records before.
        after: Number of records after.
        patterns: Patterns whose share is another, at the given false discovery rate.
        fields: Values of fields, the same.
        compared: How many patterns and values were compared.
        not_compared: Fields with more than 200 values.
    """

    before: int
    after: int
    patterns: tuple[Change, ...]
    fields: tuple[Change, ...]
    compared: int
    not_compared: tuple[str, ...]


def diff(
    source: object,
    before: Range | str | None = None,
    after: Range | str | None = None,
    *,
    query: str | None = None,
    other: object | None = None,
    rate: float = 0.05,
    least_effect: float = 0.2,
) -> Difference:
    """Compares two sets of records.

    Args:
        source: Where the records come from, as for `patterns`; lines are read twice, so that an iterator
            has to be a list.
        before: A range of time `(start, end)`, each of which may be `None`, or a query.
        after: The same for the other set.
        query: Which records of both sets.
        other: Where the records of `after` come from, if elsewhere.
        rate: Of what is reported, this share may be chance.
        least_effect: Changes by fewer doublings than this are not reported.

    Raises:
        ConfigurationError: An argument cannot be used, or `treering[query]` is not installed.
    """
    sides = [
        _side(source, before, query),
        _side(source if other is None else other, after, query),
    ]
    counts = sides[0].num_rows, sides[1].num_rows
    patterns = _patterns(*sides)
    fields, crowded = _fields(*sides)
    changes = _judged(patterns + fields, *counts)
    wanted = [
        change
        for change in changes
        if change.q_value <= rate and (abs(change.log2_ratio) >= least_effect)
    ]
    wanted.sort(key=lambda change: (-change.likelihood, change.name, change.value or ""))
    return Difference(
        *counts,
        tuple(change for change in wanted if change.kind == "pattern"),
        tuple(change for change in wanted if change.kind == "field"),
        len(changes),
        tuple(crowded),
    )


def _side(source: object, chosen: Range | str | None, query: str | None) -> pa.Table:
    if isinstance(chosen, str):
        both = f"({query}) and ({chosen})" if query else chosen
        return _source.table(source, both)
    start, end = chosen or (None, None)
    return _source.table(source, query, start, end)


Counted = tuple[str, str, "str | None", str, int, int]


def _patterns(before: pa.Table, after: pa.Table) -> list[Counted]:
    batches = [*before.to_batches(), *after.to_batches()]
    mined, miner = mine(batches)
    templates = {found["id"]: found["template"] for found in miner.templates()}
    with _source.duckdb().connect() as connection:
        connection.register("mined", mined.append_column("side", _sides(before, after)))
        rows = connection.execute(
            "SELECT pattern, mode(component), count(*) FILTER (side = 0), count(*) FILTER (side = 1)"
            " FROM mined GROUP BY pattern ORDER BY pattern"
        ).fetchall()
    return [
        ("pattern", templates.get(pattern, REST), None, component or "", first, second)
        for pattern, component, first, second in rows
    ]


def _sides(before: pa.Table, after: pa.Table) -> Any:
    pa = _source.arrow()
    sides = [
        pa.repeat(pa.scalar(at, pa.int8()), table.num_rows)
        for at, table in enumerate((before, after))
    ]
    return pa.chunked_array(sides)


def _fields(before: pa.Table, after: pa.Table) -> tuple[list[Counted], list[str]]:
    both = _source.arrow().concat_tables([before, after], promote_options="permissive")
    records = both.append_column("side", _sides(before, after))
    with _source.duckdb().connect() as connection:
        connection.register("records", records)
        rows = connection.execute(_field_sql(records.schema.names)).fetchall()
    found: list[Counted] = []
    crowded: list[str] = []
    for field, value, distinct, first, second in rows:
        if distinct > _MAX_VALUES:
            crowded.append(field)
        else:
            found.append(("field", field, value, "", first, second))
    return found, sorted(set(crowded))


def _field_sql(columns: list[str]) -> str:
    promoted = [name for name in columns if name.partition(".")[0] in _OBJECTS and "." in name]
    parts = [
        f"SELECT side, '{name.replace(chr(39), chr(39) * 2)}' AS field,"  # noqa: S608 - quoted
        f" CAST({_source.quoted(name)} AS VARCHAR) AS value FROM records"
        for name in (*(name for name in _FIELDS if name in columns), *promoted)
    ]
    parts += [
        f"SELECT side, '{name}.' || key AS field,"  # noqa: S608 - our own names
        " json_extract_string(fields, '/' || replace(replace(key, '~', '~0'), '/', '~1')) AS value"
        f" FROM (SELECT side, {name} AS fields, unnest(json_keys({name})) AS key FROM records)"
        for name in _OBJECTS
        if name in columns
    ]
    return f"""
        WITH said AS ({" UNION ALL ".join(parts)}), counted AS (
            SELECT field, value, count(*) FILTER (side = 0) AS before,
                count(*) FILTER (side = 1) AS after
            FROM said WHERE value IS NOT NULL GROUP BY field, value
        ), ranked AS (SELECT *, count(*) OVER (PARTITION BY field) AS values FROM counted)
        SELECT field, CASE WHEN values > {_MAX_VALUES} THEN NULL ELSE value END AS shown,
            values, sum(before)::BIGINT, sum(after)::BIGINT
        FROM ranked GROUP BY field, shown, values ORDER BY field, shown
    """  # noqa: S608 - made of our own names and quoted ones


def _judged(counted: list[Counted], of_before: int, of_after: int) -> list[Change]:
    tested = [likelihood_ratio(before, of_before, after, of_after) for *_, before, after in counted]
    rates = adjusted([p_value(likelihood) for likelihood in tested])
    return [
        Change(
            kind=kind,
            name=name,
            value=value,
            component=component,
            before=before,
            after=after,
            share_before=before / max(of_before, 1),
            share_after=after / max(of_after, 1),
            log2_ratio=log2_ratio(before, of_before, after, of_after),
            likelihood=likelihood,
            q_value=rate,
        )
        for (kind, name, value, component, before, after), likelihood, rate in zip(
            counted, tested, rates, strict=True
        )
    ]
