"""Patterns: which messages there are, how many of each, and what became of them over time."""

from __future__ import annotations

from array import array
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from treering import _core
from treering.analysis import _source
from treering.analysis._time import moment, sparkline

if TYPE_CHECKING:
    from datetime import datetime

    import pyarrow as pa

    from treering.analysis._source import Time

_KEPT = ("index", "timestamp", "level", "level_number", "component", "file", "line")
_STRINGS = ("message", "component", "module", "file")
_NUMBERS = ("line", "index")
_BUCKETS = 24
REST = "(rare messages)"
"""The template of what was forgotten to stay within the limit of templates."""


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A template and what was seen of it.

    Attributes:
        template: The message with `<*>` where it varies; exact for a call site that never varied.
        component: Who says it; the most frequent one when several do.
        place: `file:line` of the call, where the records say it.
        count: Number of records.
        share: Of all records, 0 to 1.
        first_seen: Time of the oldest record; `None` when none has a time.
        last_seen: Time of the newest.
        is_new: Never seen before `new_since`.
        trend: Counts in equal parts of the time that was looked at, oldest first.
        slope: By how much `trend` rises from its begin to its end, in means; 0 is steady.
        levels: Number of records by level.
        examples: Up to three messages that differ.
    """

    template: str
    component: str
    place: str | None
    count: int
    share: float
    first_seen: datetime | None
    last_seen: datetime | None
    is_new: bool
    trend: tuple[int, ...]
    slope: float
    levels: dict[str, int]
    examples: tuple[str, ...]

    @property
    def sparkline(self) -> str:
        """The trend as a line of bars."""
        return sparkline(self.trend)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: times are RFC 3339."""
        found = asdict(self)
        for name in ("first_seen", "last_seen"):
            found[name] = found[name] and found[name].isoformat()
        return found


@dataclass(frozen=True)
class Patterns:
    """All patterns of some records, most frequent first.

    Attributes:
        patterns: The patterns.
        records: Number of records.
        forgotten: Records whose templates were forgotten to bound the memory; they are the pattern
            `(rare messages)`.
    """

    patterns: tuple[Pattern, ...]
    records: int
    forgotten: int

    def __iter__(self) -> Any:
        return iter(self.patterns)

    def __len__(self) -> int:
        return len(self.patterns)

    def __getitem__(self, at: int) -> Pattern:
        return self.patterns[at]


def patterns(
    source: object,
    *,
    query: str | None = None,
    start: Time | None = None,
    end: Time | None = None,
    new_since: Time | None = None,
    max_templates: int = 20_000,
) -> Patterns:
    """Finds the patterns of records.

    Args:
        source: A `Store`, an Arrow table with the columns of the archive, or an iterable of canonical
            lines, of `(index, line)` or of mappings.
        query: Which records, in the language of `treering search`; needs a `Store`.
        start: From this time on: `datetime`, nanoseconds or RFC 3339.
        end: Before this time.
        new_since: Patterns first seen at or after it have `is_new`.
        max_templates: Templates kept in memory; the least recently used are forgotten first.

    Raises:
        ConfigurationError: An argument cannot be used, or `treering[query]` is not installed.
    """
    mined, miner = mine(_source.batches(source, query, start, end), max_templates)
    since = _source.nanoseconds(new_since, "new_since")
    return summarise(mined, miner, since)


def mine(batches: Any, max_templates: int = 20_000) -> tuple[pa.Table, _core.Miner]:
    """Few columns of the records with `pattern`, the id of their template, and the miner."""
    pa = _source.arrow()
    miner = _core.Miner(templates=max_templates)
    kept, ids = [], bytearray()
    for batch in batches:
        ids += miner.add_arrow(_for_miner(batch))
        kept.append(_slim(batch))
    settled = array("I", miner.settle(bytes(ids)))
    table = pa.concat_tables(kept) if kept else _slim_schema().empty_table()
    return table.append_column("pattern", pa.array(settled, pa.uint32())), miner


def _for_miner(batch: pa.RecordBatch) -> pa.Table:
    pa = _source.arrow()
    found = {
        name: _source.column(batch, name, kind)
        for names, kind in ((_STRINGS, pa.string()), (_NUMBERS, pa.int64()))
        for name in names
    }
    found["timestamp"] = _source.column(batch, "timestamp", pa.timestamp("ns", "UTC")).cast(
        pa.int64()
    )
    return pa.table(found)


def _slim_schema() -> pa.Schema:
    pa = _source.arrow()
    return pa.schema([(name, _source.schema().field(name).type) for name in _KEPT])


def _slim(batch: pa.RecordBatch) -> pa.Table:
    schema = _slim_schema()
    return _source.arrow().table(
        {name: _source.column(batch, name, schema.field(name).type) for name in _KEPT},
        schema=schema,
    )


_SUMMARY = f"""
WITH span AS (
    SELECT min(epoch_ns(timestamp)) AS begin, max(epoch_ns(timestamp)) AS until FROM mined
), placed AS (
    SELECT *, CASE WHEN until > begin
        THEN least({_BUCKETS - 1}, (epoch_ns(timestamp) - begin)::HUGEINT * {_BUCKETS} // (until - begin))
        ELSE 0 END::INTEGER AS bucket
    FROM mined, span
), buckets AS (
    SELECT pattern, histogram(bucket) AS trend FROM placed WHERE bucket IS NOT NULL GROUP BY pattern
), levels AS (
    SELECT pattern, histogram(coalesce(level, '')) AS levels FROM mined GROUP BY pattern
)
SELECT m.pattern, count(*) AS records, mode(component), min(epoch_ns(timestamp)),
    max(epoch_ns(timestamp)), any_value(levels.levels), any_value(buckets.trend),
    count(DISTINCT (file, line)), any_value(file), any_value(line)
FROM mined m JOIN levels USING (pattern) LEFT JOIN buckets USING (pattern)
GROUP BY m.pattern ORDER BY records DESC, m.pattern
"""  # noqa: S608 - a number of ours


def summarise(
    mined: pa.Table,
    miner: _core.Miner,
    new_since: int | None = None,
    known: frozenset[int] = frozenset(),
) -> Patterns:
    """What `mine` found, counted; patterns in `known` are not new."""
    templates = {found["id"]: found for found in miner.templates()}
    total = mined.num_rows
    with _source.duckdb().connect() as connection:
        connection.register("mined", mined)
        rows = connection.execute(_SUMMARY).fetchall()
    made = tuple(
        _pattern(row, templates.get(row[0]), total, None if row[0] in known else new_since)
        for row in rows
    )
    return Patterns(made, total, miner.counts()["forgotten_messages"])


def _pattern(row: Any, found: Any, total: int, new_since: int | None) -> Pattern:
    _, count, component, first, last, levels, buckets, places, file, line = row
    trend = tuple((buckets or {}).get(at, 0) for at in range(_BUCKETS))
    return Pattern(
        template=found["template"] if found else REST,
        component=component or "",
        place=f"{file}:{line}" if places == 1 and file and line else None,
        count=count,
        share=count / total,
        first_seen=moment(first),
        last_seen=moment(last),
        is_new=new_since is not None and first is not None and first >= new_since,
        trend=trend,
        slope=slope(trend),
        levels=dict(sorted(levels.items(), key=lambda item: -item[1])),
        examples=tuple(message for _, message in found["examples"]) if found else (),
    )


def slope(counts: tuple[int, ...]) -> float:
    """The rise of the straight line through the counts, from begin to end, in means of the counts."""
    size, mean = len(counts), sum(counts) / max(len(counts), 1)
    if size < 2 or mean == 0:  # noqa: PLR2004 - a line needs two points
        return 0.0
    middle = (size - 1) / 2
    rise = sum((at - middle) * count for at, count in enumerate(counts))
    spread = sum((at - middle) ** 2 for at in range(size))
    return rise / spread * (size - 1) / mean
