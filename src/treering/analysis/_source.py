"""Where records come from: a store, a table, canonical lines; and where one of their fields stands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from treering import _core
from treering._levels import level_number
from treering.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH = 50_000
_STRINGS = (
    *("level", "category", "component", "message", "event_id", "event_name", "cause", "module"),
    *("function", "file", "host", "trace_id", "span_id"),
)
_NUMBERS = ("line", "process", "thread")
_OBJECTS = ("context", "metadata", "performance_data", "exception")
# A bare name is looked for where it is nearest to the call first.
_NEAREST = ("metadata", "context", "performance_data")

Time = datetime | int | str


def arrow() -> Any:
    """The module `pyarrow`.

    Raises:
        ConfigurationError: It is not installed.
    """
    return _extra("pyarrow")


def duckdb() -> Any:
    """The module `duckdb`.

    Raises:
        ConfigurationError: It is not installed.
    """
    return _extra("duckdb")


def _extra(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigurationError(
            f"the analysis needs {name}, which is not installed: pip install treering[query]",
            code="extra_missing",
        ) from error


def nanoseconds(value: Time | None, field: str) -> int | None:
    """Nanoseconds since the epoch of a time; a `datetime` without a zone is local.

    Raises:
        ConfigurationError: It is no time.
    """
    if isinstance(value, datetime):
        whole = value.astimezone().replace(microsecond=0)
        return int(whole.timestamp()) * 1_000_000_000 + value.microsecond * 1000
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    found = _core.parse_time(value) if isinstance(value, str) else None
    if found is None:
        raise ConfigurationError(
            f"{field} is {value!r}: a datetime, nanoseconds since the epoch or RFC 3339 would be right",
            code="time_invalid",
            field=field,
        )
    return found


def batches(
    source: object,
    query: str | None = None,
    start: Time | None = None,
    end: Time | None = None,
) -> Iterator[pa.RecordBatch]:
    """Records as Arrow batches with the columns of the archive's files.

    Args:
        source: A `Store`, an Arrow table, or an iterable of canonical lines, of `(index, line)` as
            `Journal.records` gives them, or of records as mappings.
        query: In the store's language; only a store has one.
        start: Records from this time on.
        end: Records before this time.

    Raises:
        ConfigurationError: The source is none of these, or cannot be queried.
    """
    pa = arrow()
    if hasattr(source, "search"):
        found = _asked(source, query, start, end)
    elif query:
        raise ConfigurationError(
            f"query '{query}' needs a Store; lines and tables are taken as they are",
            code="query_needs_store",
            field="query",
        )
    elif isinstance(source, pa.Table | pa.RecordBatchReader):
        found = source
    else:
        found = _read(source)
    between = nanoseconds(start, "start"), nanoseconds(end, "end")
    for batch in found.to_batches() if isinstance(found, pa.Table) else found:
        wanted = _within(batch, *between)
        if wanted.num_rows:
            yield _complete(wanted)


def _asked(store: Any, query: str | None, start: Time | None, end: Time | None) -> Any:
    times = (_text(nanoseconds(start, "start")), _text(nanoseconds(end, "end")))
    answer = store.search(query or "", start=times[0], end=times[1], limit=None, order="oldest")
    if answer.is_table:
        raise ConfigurationError(
            f"query '{query}' has pipes: here only records can be chosen",
            code="query_has_pipes",
            field="query",
        )
    return answer.arrow()


def _text(time_ns: int | None) -> str | None:
    if time_ns is None:
        return None
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


def table(
    source: object,
    query: str | None = None,
    start: Time | None = None,
    end: Time | None = None,
) -> pa.Table:
    """All of `batches` at once."""
    pa = arrow()
    found = list(batches(source, query, start, end))
    if not found:
        return schema().empty_table()
    return pa.concat_tables(
        [pa.Table.from_batches([batch]) for batch in found], promote_options="permissive"
    )


def schema() -> pa.Schema:
    """The columns that every table has."""
    pa = arrow()
    return pa.schema(
        [
            ("index", pa.int64()),
            ("timestamp", pa.timestamp("ns", "UTC")),
            ("level_number", pa.int16()),
            *((name, pa.string()) for name in (*_STRINGS, *_OBJECTS)),
            *((name, pa.int64()) for name in _NUMBERS),
        ]
    )


def column(batch: pa.RecordBatch, name: str, kind: pa.DataType) -> Any:
    """A column as this type; nulls where the batch has none of this name."""
    if name not in batch.schema.names:
        return arrow().nulls(batch.num_rows, kind)
    return batch.column(name).cast(kind)


def _complete(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with every column that all tables have."""
    pa = arrow()
    for part in schema():
        if part.name in batch.schema.names:
            continue
        values = pa.nulls(batch.num_rows, part.type)
        if part.name == "level_number" and "level" in batch.schema.names:
            levels = batch.column("level").cast(pa.string())
            numbers = {name: _number(name) for name in levels.unique().to_pylist()}
            values = pa.array([numbers[name] for name in levels.to_pylist()], part.type)
        batch = batch.append_column(part, values)
    return batch


def _number(name: str | None) -> int | None:
    try:
        return None if name is None else level_number(name)
    except ConfigurationError:
        return None


def _within(batch: pa.RecordBatch, start: int | None, end: int | None) -> pa.RecordBatch:
    if start is None and end is None:
        return batch
    from pyarrow import compute

    times = batch.column("timestamp").cast(arrow().int64())
    if start is not None:
        batch = batch.filter(compute.greater_equal(times, start))
        times = batch.column("timestamp").cast(arrow().int64())
    return batch if end is None else batch.filter(compute.less(times, end))


def _read(source: object) -> Iterator[pa.RecordBatch]:
    if isinstance(source, str | bytes | Mapping) or not isinstance(source, Iterable):
        raise ConfigurationError(
            f"records cannot be taken from {type(source).__name__}:"
            " a Store, an Arrow table or an iterable of lines would be right",
            code="source_invalid",
            field="source",
        )
    pa = arrow()
    items = iter(source)
    first = 0
    while some := list(islice(items, _BATCH)):
        pairs = [_line(at, item) for at, item in enumerate(some, first)]
        first += len(some)
        pairs = [pair for pair in pairs if pair[1]]
        lines = b"".join(line + b"\n" for _, line in pairs)
        found = pa.table(_core.lines_to_arrow(0, lines)).combine_chunks()
        indexes = pa.array([index for index, _ in pairs], pa.int64())
        place = found.schema.get_field_index("index")
        yield from found.set_column(place, found.schema.field(place), indexes).to_batches()


def _line(at: int, item: Any) -> tuple[int, bytes]:
    index, item = item if isinstance(item, tuple) else (at, item)
    if isinstance(item, Mapping):
        item = json.dumps(item, default=str)
    line = item.encode("utf-8", "replace") if isinstance(item, str) else bytes(item)
    return index, line.strip().replace(b"\n", b" ")


def quoted(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def field_sql(field: str, columns: Iterable[str]) -> str:
    """The text of a field in SQL, wherever it stands in a table with these columns."""
    known = set(columns)
    if field in known and field not in _OBJECTS:
        return f"CAST({quoted(field)} AS VARCHAR)"
    group, _, rest = field.partition(".")
    places = [(group, rest)] if group in _OBJECTS and rest else [(name, field) for name in _NEAREST]
    found: list[str] = []
    for place, name in places:
        if f"{place}.{name}" in known:
            found.append(f"CAST({quoted(f'{place}.{name}')} AS VARCHAR)")
        if place in known:
            whole = "/" + _pointer(name)
            nested = "/" + "/".join(_pointer(part) for part in name.split("."))
            found += [
                f"json_extract_string({quoted(place)}, '{path}')"
                for path in dict.fromkeys((whole, nested))
            ]
    return f"coalesce({', '.join(found)})" if found else "NULL"


def _pointer(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1").replace("'", "''")
